"""Where the lines of an equation put their numbers: an array, or the part of it that a loop's step fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from symbackprop.array.ir import Read
from symbackprop.array.layout import layout_of
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.array.slices import Allocate, Item, Pick, Span, Whole, selected
from symbackprop.array.value import Value
from symbackprop.array.views import as_number, as_real, filled, lined_up, operate
from symbackprop.array.whole_numbers import whole_number
from symbackprop.indexing.blocks import Block
from symbackprop.indexing.counting import counter_of, extent, size_of
from symbackprop.indexing.packed_rows import PackedRow
from symbackprop.indexing.places import affine, at_least_zero, lowest_and_highest
from symbackprop.indexing.residues import Residue
from symbackprop.indexing.windows import Stepped
from symbackprop.lowering.axis_views import span
from symbackprop.lowering.folds import Fold
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import MINUS_ONE, ONE, ZERO, Expression, Index, Number
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import NamedEquation, Origin

Indices: TypeAlias = tuple[Index, ...]


@dataclass(frozen=True)
class Target:
    """The array `name` over `axes`, and the items that select what is filled now.

    `slots` says for each axis which index of what is stored runs along it, None where one place is picked,
    and `starts` from which place on; `before` how many zeros were put in front of each axis. `exists` is true
    once the array is allocated. Its lines are for the equation of `origin`.
    """

    name: str
    axes: Indices
    items: tuple[Item, ...]
    slots: tuple[Index | None, ...]
    starts: tuple[Expression, ...]
    before: tuple[Expression, ...]
    origin: Origin
    exists: bool = False
    kind: Kind = Kind.REAL
    guarded: bool = False

    @classmethod
    def of(cls, item: NamedEquation, array: Indices | None = None) -> Target:
        """The whole array of an equation, still to be allocated; `array` where it has other indices."""
        indices = item.equation.indices if array is None else array
        whole, zeros = (Whole(),) * len(indices), (ZERO,) * len(indices)
        return cls(item.equation.tensor, indices, whole, indices, zeros, zeros, item.origin, kind=item.kind)

    def beside(self, name: str, indices: Indices) -> Target:
        """Another whole array, which holds on the way what this one will."""
        whole, zeros = (Whole(),) * len(indices), (ZERO,) * len(indices)
        at_first = replace(self, slots=indices, starts=zeros, before=zeros)
        return replace(at_first, name=name, axes=indices, items=whole, exists=False)

    @property
    def result(self) -> Indices:
        """The indices of what is stored, in the order of the array's axes."""
        return tuple(slot for slot in self.slots if slot is not None)

    @property
    def result_in_steps_of_one(self) -> Indices:
        """Those of these indices that run along all places of the array, or of a block."""
        steps = [item.step if isinstance(item, Span) else 1 for item in self.items]
        pairs = zip(self.slots, steps, strict=True)
        return tuple([slot for slot, step in pairs if slot is not None and step == 1])

    def existing(self) -> Target:
        """The target once its array is allocated."""
        return replace(self, exists=True)

    def allocated(self) -> list[Line]:
        """The line that allocates the array, unless it exists."""
        return [] if self.exists else [self._defined(Allocate(layout_of(self.axes), self.kind))]

    def _defined(self, value: Value) -> Statement:
        return Statement(self.name, value, origin=self.origin, guarded=self.guarded)

    def stored(self, value: Value, accumulate: bool = False) -> Store:
        """The line that stores a value into the selected part, or adds it."""
        return Store(self.name, self.items, value, accumulate, origin=self.origin, guarded=self.guarded)

    def read(self) -> Value:
        """What the selected part holds so far."""
        return selected(Read(self.name, self.axes, self.kind), self.items)

    def at(self, index: Index) -> Target:
        """The part of the array, which exists, at the counter of the loop around."""
        place = self.slots.index(index)
        item = self.items[place]
        if not isinstance(item, Span):
            return self.at_place(place, index)
        count = whole_number(multiply(Number(item.step), counter_of(index)))
        return self._with(
            place, Pick(count if item.start is None else operate("add", item.start, count)), None
        )

    def is_part_of(self, index: Index) -> bool:
        """Whether what is filled is a part of the array along an axis, as a block is."""
        return isinstance(self.items[self.slots.index(index)], Span)

    def at_place(self, place: int, counter: Index, shift: int = 0) -> Target:
        """The part of the array, which exists, at this position of one of its axes, or so far behind it."""
        return self._with(place, Pick(whole_number(add(counter_of(counter), Number(shift)))), None)

    def assigned(self, value: Value) -> Line:
        """The line that puts a value over the result's indices into the selected part."""
        if self.kind is Kind.REAL:
            value = as_number(value)
        if self.exists:
            return self.stored(lined_up(value, self.result))
        value = filled(value, self.axes)
        return self._defined(as_real(value) if self.kind is Kind.REAL else value)

    def stepped(self, way: Stepped) -> Target:
        """The part that one step of a loop fills."""
        if way.way == "add":
            return self
        if way.way == "store":
            return self.at(way.index)
        place = self.slots.index(way.solved)
        found = affine(way.place)
        assert found is not None and way.along is not None
        start = add(found.start.expression(), self.before[place])
        item = span(way.along, start, found.factor(way.along), size_of(self.axes[place].axis))
        return self._with(place, item, way.along)

    def at_block(self, block: Block) -> Target:
        """The part of the array, which exists, that is one block of an axis."""
        return self._along(block.split, block.index, block.start)

    def at_row(self, row: PackedRow) -> Target:
        """The part of the array, which exists, that one row of a packed axis fills."""
        target = self.existing()
        if row.index is not None and row.index in target.slots:
            target = target.at(row.index)
        return target._along(row.narrowed, row.along, row.start) if row.narrowed in target.slots else target

    def at_remainders(self, folds: Sequence[Fold], offsets: Sequence[Expression]) -> Target:
        """The part of the array, which exists, at the places m*quotient + offset of each folded axis."""
        target = self.existing()
        for fold, offset in zip(folds, offsets, strict=True):
            quotient, remainder = fold.digits
            target = target._along(fold.index, quotient, offset, remainder.axis.size or 1)
        return target

    def at_residue(self, case: Residue) -> Target:
        """The part of the array, which exists, at every so many places of an index."""
        return self._along(case.index, case.quotient, Number(case.offset), case.divisor)

    def _along(self, slot: Index, index: Index, start: Expression, step: int = 1) -> Target:
        """The part at the places start + step*index of a slot, which itself may be a part of the array."""
        place = self.slots.index(slot)
        whole = self.items[place]
        outer = whole.step if isinstance(whole, Span) else 1
        first = add(self.starts[place], multiply(Number(outer), start))
        item = span(index, first, outer * step, size_of(self.axes[place].axis))
        starts = (*self.starts[:place], first, *self.starts[place + 1 :])
        return replace(self._with(place, item, index), starts=starts)

    def _with(self, place: int, item: Item, slot: Index | None) -> Target:
        items = (*self.items[:place], item, *self.items[place + 1 :])
        slots = (*self.slots[:place], slot, *self.slots[place + 1 :])
        return replace(self, items=items, slots=slots, exists=True)


def padded_target(target: Target, ways: Sequence[Stepped], name: str) -> Target:
    """A target with room before and behind each axis for all places that scattering loops add to.

    It holds what the selected part does: a place that is picked has no axis.
    """
    result = target.result
    axes = list(result)
    before: list[Expression] = [ZERO for _ in result]
    for way in ways:
        place = result.index(way.solved)
        front, behind = _room(way, axes[place])
        length = add(size_of(axes[place].axis), front, behind)
        axes[place] = Index(axes[place].name, extent(axes[place].axis, length))
        before[place] = front
    if tuple(axes) == result and not any(target.is_part_of(way.solved) for way in ways if way.solved):
        return target
    padded = target.beside(name, tuple(axes))
    return replace(padded, before=tuple(before), slots=result)


def _room(way: Stepped, index: Index) -> tuple[Expression, Expression]:
    found = affine(way.place)
    assert found is not None
    low, high = lowest_and_highest(found)
    behind = add(high, ONE, multiply(MINUS_ONE, size_of(index.axis)))
    return at_least_zero(multiply(MINUS_ONE, low)), at_least_zero(behind)


def cropped(padded: Target, target: Target, ways: Sequence[Stepped]) -> Value:
    """The padded array without its margins."""
    items: list[Item] = list(padded.items)
    for way in ways:
        place = padded.slots.index(way.solved)
        length = size_of(padded.axes[place].axis)
        items[place] = span(target.result[place], padded.before[place], 1, length)
    return selected(Read(padded.name, padded.axes), tuple(items))


def loop_over(index: Index, body: Sequence[Line], target: Target, reverse: bool = False) -> Loop:
    """The loop that steps an index through its axis, for the equation of a target."""
    stop = whole_number(size_of(index.axis))
    return Loop(index.name, index.axis, stop, tuple(body), reverse=reverse, origin=target.origin)


def nested(line: Line, indices: Sequence[Index], target: Target, reverse: bool = False) -> Line:
    """The line inside of a loop over each index, the first outermost."""
    for index in reversed(indices):
        line = loop_over(index, (line,), target, reverse)
    return line
