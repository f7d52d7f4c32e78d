"""Where the lines of an equation put their numbers: an array, or the part of it that a loop's step fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import MINUS_ONE, ONE, ZERO, Expression, Index
from symbackprop.program.counting import counter_of, extent, size_of, whole_number
from symbackprop.program.ir import Read
from symbackprop.program.layout import layout_of
from symbackprop.program.places import affine, at_least_zero, lowest_and_highest
from symbackprop.program.program import Line, Statement
from symbackprop.program.reading import span
from symbackprop.program.slices import Allocate, Item, Pick, Whole, selected
from symbackprop.program.value import Value
from symbackprop.program.windows import Stepped

Indices: TypeAlias = tuple[Index, ...]


@dataclass(frozen=True)
class Target:
    """The array `name` over `axes`, and the items that select what is filled now.

    `slots` says for each axis which index of what is stored runs along it, None where one place is picked;
    `before` how many zeros were put in front of each axis. The array stands once it is allocated.
    """

    name: str
    axes: Indices
    items: tuple[Item, ...]
    slots: tuple[Index | None, ...]
    before: tuple[Expression, ...]
    stands: bool = False

    @classmethod
    def of(cls, name: str, indices: Indices) -> Target:
        """A whole array that is still to be allocated."""
        count = len(indices)
        return cls(name, indices, (Whole(),) * count, indices, (ZERO,) * count)

    @property
    def result(self) -> Indices:
        """The indices of what is stored, in the order of the array's axes."""
        return tuple(slot for slot in self.slots if slot is not None)

    def standing(self) -> Target:
        """The target once its array is allocated."""
        return replace(self, stands=True)

    def allocated(self) -> list[Line]:
        """The line that allocates the array, unless it stands."""
        return [] if self.stands else [Statement(self.name, Allocate(layout_of(self.axes)), "")]

    def read(self) -> Value:
        """What the selected part holds so far."""
        return selected(Read(self.name, self.axes), self.items)

    def stepped(self, way: Stepped) -> Target:
        """The part that one step of a loop fills."""
        if way.way == "add":
            return self
        if way.way == "store":
            place = self.slots.index(way.index)
            return self._with(place, Pick(whole_number(counter_of(way.index))), None)
        place = self.slots.index(way.solved)
        found = affine(way.place)
        assert found is not None and way.along is not None
        start = add(found.start.expression(), self.before[place])
        item = span(way.along, start, found.factor(way.along), size_of(self.axes[place].axis))
        return self._with(place, item, way.along)

    def _with(self, place: int, item: Item, slot: Index | None) -> Target:
        items = (*self.items[:place], item, *self.items[place + 1 :])
        slots = (*self.slots[:place], slot, *self.slots[place + 1 :])
        return replace(self, items=items, slots=slots, stands=True)


def padded_target(target: Target, ways: Sequence[Stepped], name: str) -> Target:
    """A target with room before and behind each axis for all places that scattering loops add to."""
    axes, before = list(target.axes), list(target.before)
    for way in ways:
        place = target.slots.index(way.solved)
        front, behind = _room(way, axes[place])
        length = add(size_of(axes[place].axis), front, behind)
        axes[place] = Index(axes[place].name, extent(axes[place].axis, length))
        before[place] = front
    if tuple(axes) == target.axes:
        return target
    padded = Target.of(name, tuple(axes))
    return replace(padded, before=tuple(before), slots=target.slots)


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
        place = target.slots.index(way.solved)
        length = size_of(padded.axes[place].axis)
        items[place] = span(target.axes[place], padded.before[place], 1, length)
    return selected(Read(padded.name, padded.axes), tuple(items))
