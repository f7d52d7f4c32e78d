"""Elements of tensors as views of arrays, padded where a position may leave its axis, or by index arrays.

What is read without a condition lies inside, by proof or because the module checks it when it is called. What
a condition keeps inside is read from a padded array, or at a place brought inside: it is not chosen then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symbackprop.array.ir import Diagonal, Read
from symbackprop.array.layout import layout_of
from symbackprop.array.lookups import Clip, Gather
from symbackprop.array.slices import Flip, Item, Pad, Pick, Refold, Span, Whole, selected
from symbackprop.array.value import Value
from symbackprop.array.views import lined_up
from symbackprop.array.whole_numbers import Lowering, WholeNumbers, as_places, whole_number
from symbackprop.indexing.counting import Counter, extent, size_of
from symbackprop.indexing.places import (
    Affine,
    affine,
    at_least_zero,
    divided_index,
    lowest_and_highest,
    mixed_radix,
)
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.bounds import unproved_bounds
from symbackprop.integers.linear import linear_form
from symbackprop.lowering.folds import merged_index
from symbackprop.notation.arithmetic import add, multiply, subtract
from symbackprop.notation.expressions import ONE, ZERO, Apply, Axis, Element, Expression, Index, Number
from symbackprop.notation.substitution import fresh_index
from symbackprop.schedule.kinds import Kind

Indices = tuple[Index, ...]
Source = Callable[[Indices], Value]


@dataclass(frozen=True)
class Conditions:
    """What is known where an element is read.

    `certain` holds whenever the code runs; where the `chosen` do not hold, what is read is not chosen. There
    may be `unknown` conditions as well, where a part of a `where` is computed by itself.
    """

    certain: tuple[Expression, ...] = ()
    chosen: tuple[Expression, ...] = ()
    unknown: bool = False

    def decide(self, position: Expression, axis: Axis) -> bool:
        """Whether it takes the chosen conditions to keep a position inside its axis."""
        names = _names_in(position)
        related = any(not names or names & _names_in(condition) for condition in self.chosen)
        relevant = self.unknown or related
        return relevant and bool(unproved_bounds(position, axis, self.certain))


def _names_in(expression: Expression) -> set[Expression]:
    return {node for node in expression.walk() if isinstance(node, Index | Element)}


@dataclass(frozen=True)
class ElementReader:
    """Reads tensors; `own` are the tensor's own indices, `order` the order of axes in which results come.

    `source` gives what is read, its axes by the names it is asked for, where that is no tensor with a name.
    """

    element: Element
    own: Indices
    kind: Kind
    order: Indices
    conditions: Conditions
    lowering: Lowering
    source: Source | None = None

    def value(self) -> Value:
        """The element over its free indices, one axis an index, in any order."""
        return self._view() or self._gathered()

    @property
    def is_view(self) -> bool:
        """Whether a slice reads the element, padded where it may leave its axes."""
        return self._view() is not None

    def _is_plain(self, place: int) -> bool:
        position = self.element.positions[place]
        plain = isinstance(position, Index) and not isinstance(position, Counter)
        return plain and position.axis == self.own[place].axis  # type: ignore[attr-defined]

    def _names(self) -> Indices:
        """A name for each axis: the position's own index, or one that no other axis has."""
        names: list[Index] = []
        for place, own in enumerate(self.own):
            position = self.element.positions[place]
            if self._is_plain(place) and position not in names:
                assert isinstance(position, Index)
                names.append(position)
            else:
                stem = position.name if isinstance(position, Index) else own.name
                taken = {*names, *self.element.free_indices}
                names.append(fresh_index(Index(f"{stem}'{place}", own.axis), taken))
        return tuple(names)

    def _read(self, names: Indices) -> Value:
        return self.source(names) if self.source else Read(self.element.tensor, names, self.kind)

    def _view(self) -> Value | None:
        """The element as a slice; None where some position has no such view."""
        names = self._names()
        value = self._read(names)
        reads: list[AxisView] = []
        place = 0
        while place < len(self.own):
            found = self._axis_view(place, names[place])
            if found is None:
                return None
            reads.append(found)
            place += found.width
        return viewed(value, reads)

    def _axis_view(self, place: int, name: Index) -> AxisView | None:
        axis, position = self.own[place].axis, self.element.positions[place]
        if self._is_plain(place):
            index = position if isinstance(position, Index) else name
            return AxisView(axis, name, (index,))
        positions, axes = self.element.positions[place:], [own.axis for own in self.own[place:]]
        merged = divided_index(positions, axes)
        if merged is not None and not any(map(self.conditions.decide, positions[: merged[1]], axes)):
            return AxisView(axis, name, (merged[0],), width=merged[1])
        inside = not self.conditions.decide(position, axis)
        split = mixed_radix(position) if inside else None
        if split is not None:
            return AxisView(axis, name, split[0], Affine((), split[1]))
        found = affine(position)
        if found is None or len(found.factors) > 1:
            return None
        return AxisView(axis, name, found.indices, found, may_leave=not inside)

    def _gathered(self) -> Value:
        """By index arrays for all axes but the outer ones that are read whole, by indices of their own."""
        alone = [self._stands_alone(place) for place in range(len(self.own))]
        first, last = alone.index(False), len(alone) - alone[::-1].index(False)
        positions = self.element.positions[first:last]
        free = {index for position in positions for index in position.free_indices}
        target = tuple(index for index in self.order if index in free)
        numbers = WholeNumbers(self.order, self.lowering)
        places = [lined_up(self._place(place, numbers), target) for place in range(first, last)]
        return Gather(self._read(self._names()), tuple(places), first)

    def _stands_alone(self, place: int) -> bool:
        position = self.element.positions[place]
        others = (other for number, other in enumerate(self.element.positions) if number != place)
        return self._is_plain(place) and all(position not in other.free_indices for other in others)

    def _is_foreign(self, position: Expression, axis: Axis) -> bool:
        """Whether an integer tensor that indexes another axis is read here: a `where` keeps it inside."""
        known = isinstance(position, Element) and self.lowering.values.get(position.tensor, axis) != axis
        return known and bool(self.conditions.chosen or self.conditions.unknown)

    def _place(self, place: int, numbers: WholeNumbers) -> Value:
        position, axis = self.element.positions[place], self.own[place].axis
        value = numbers.value(position)
        if not (self.conditions.decide(position, axis) or self._is_foreign(position, axis)):
            return as_places(value)
        if value.kind is Kind.INTEGER:
            return as_places(Clip(value, axis))
        return numbers.value(at_least_zero(Apply("min", (position, subtract(size_of(axis), ONE)))))


@dataclass(frozen=True)
class AxisView:
    """How one axis is read (or `width` axes, merged): whole, at one place, in a span, split into several."""

    axis: Axis
    name: Index
    indices: Indices
    position: Affine | None = None
    may_leave: bool = False
    width: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether the axis is read as it is."""
        return self.position is None and len(self.indices) == 1 and self.width == 1

    @property
    def runs_backwards(self) -> bool:
        """Whether a span is read from its end."""
        return self.position is not None and any(factor < 0 for _, factor in self.position.factors)

    def padding(self) -> tuple[Expression, Expression]:
        """How many zeros are needed before and after."""
        if not self.may_leave or self.position is None:
            return ZERO, ZERO
        low, high = lowest_and_highest(self.position)
        behind = add(high, ONE, multiply(Number(-1), size_of(self.axis)))
        return at_least_zero(multiply(Number(-1), low)), at_least_zero(behind)


def viewed(value: Value, reads: Sequence[AxisView]) -> Value:
    """The array padded, sliced, reversed and reshaped as these views of its axes say."""
    padded = _padded(value, reads)
    items = [item for read in reads for item in _items(read)]
    value = selected(padded, tuple(items))
    place = 0
    for read in reads:
        if read.runs_backwards:
            value = Flip(value, place)
        place += read.width if read.indices else 0
    value = _refolded(value, reads)
    for read in reads:
        if read.is_whole and read.indices != (read.name,):
            value = diagonal(value, read.indices[0], read.name)
    return _diagonals(value)


def _padded(value: Value, reads: Sequence[AxisView]) -> Value:
    widths = [width for read in reads for width in (read.padding(), *[(ZERO, ZERO)] * (read.width - 1))]
    if all(width == (ZERO, ZERO) for width in widths):
        return value
    names = [
        Index(index.name, extent(index.axis, add(size_of(index.axis), *width)))
        for index, width in zip(value.indices, widths, strict=True)
    ]
    before, after = (tuple(whole_number(width[end]) for width in widths) for end in (0, 1))
    return Pad(value, before, after, layout_of(tuple(names)))


def _items(read: AxisView) -> list[Item]:
    if read.width > 1:
        return [Whole()] * read.width
    if read.position is None:
        return [Whole()]
    if len(read.indices) > 1:
        axis = extent(read.axis, multiply(*(size_of(index.axis) for index in read.indices)))
        start, name = read.position.start.expression(), Index(read.name.name, axis)
        return [Whole() if axis == read.axis else span(name, start, 1, size_of(read.axis))]
    before = read.padding()[0]
    start = add(read.position.start.expression(), before)
    if not read.indices:
        return [Pick(whole_number(start))]
    (index,) = read.indices
    factor = read.position.factor(index)
    if factor < 0:
        start = add(start, multiply(Number(factor), subtract(size_of(index.axis), ONE)))
    length = add(size_of(read.axis), *read.padding())
    return [span(index, start, abs(factor), length)]


def span(index: Index, start: Expression, step: int, length: Expression) -> Item:
    """The places start, start + step, ... along an index, of an axis of that length."""
    first = linear_form(start)
    stop = first.plus(linear_form(size_of(index.axis)), step)
    ends_last = step == 1 and related_form(stop.expression()) == related_form(length)
    return Span(
        index,
        None if first == linear_form(ZERO) else whole_number(first.expression()),
        None if ends_last else whole_number(stop.expression()),
        step,
    )


def _refolded(value: Value, reads: Sequence[AxisView]) -> Value:
    """Axes split, or merged up to where an index ends, as the views say; the others keep their names."""
    if all(read.width == 1 and len(read.indices) <= 1 for read in reads):
        return value
    target: list[Index] = []
    items: list[Item] = []
    place = 0
    for read in reads:
        names = (read.name,) if read.is_whole else read.indices
        cut: Item = Whole()
        if read.width > 1:
            merged, cut = merged_index(names[0], [each.axis for each in value.indices[place:][: read.width]])
            names = (merged,)
        target += names
        items += [cut] * len(names)
        place += read.width if names else 0
    return selected(Refold(value, layout_of(tuple(target))), tuple(items))


def _diagonals(value: Value) -> Value:
    """The value where one index stands for one axis: where two axes run along it, their diagonal."""
    for index in dict.fromkeys(value.indices):
        while value.indices.count(index) > 1:
            first = value.indices.index(index)
            second = value.indices.index(index, first + 1)
            value = Diagonal(value, first, second, index)
    return value


def diagonal(value: Value, position: Index, name: Index) -> Value:
    """The elements where the axis called `name` stands where that called `position` does."""
    own = value.indices
    return Diagonal(value, own.index(position), own.index(name), position)
