"""Elements of tensors as views of arrays, padded where a position may leave its axis, or by index arrays.

What is read without a condition lies inside, by proof or because the module checks it when it is called. What
a condition keeps inside is read from a padded array, or at a place brought inside: it is not chosen then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from symbackprop.array.ir import Read
from symbackprop.array.layout import layout_of
from symbackprop.array.lookups import Clip, Gather
from symbackprop.array.value import Value
from symbackprop.array.views import lined_up, refolded
from symbackprop.array.whole_numbers import Lowering, WholeNumbers, as_places
from symbackprop.indexing.counting import Counter, size_of
from symbackprop.indexing.digit_axes import position_in_digits
from symbackprop.indexing.places import (
    Affine,
    affine,
    at_least_zero,
    divided_index,
    mixed_radix,
    window_of,
)
from symbackprop.integers.bounds import unproved_bounds
from symbackprop.lowering.axis_views import AxisView, viewed
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import ONE, Apply, Axis, Element, Expression, Index
from symbackprop.notation.substitution import fresh_index
from symbackprop.schedule.kinds import Kind

Indices = tuple[Index, ...]
Source = Callable[[Indices], Value]


@dataclass(frozen=True)
class Conditions:
    """What is known where an element is read.

    `certain` holds whenever the code runs; where the `chosen` do not hold, what is read is not chosen. There
    may be `unknown` conditions as well, where a part of a `where` is computed by itself. What is at a fixed
    place of another array is not read for a `part` of one that has no place.
    """

    certain: tuple[Expression, ...] = ()
    chosen: tuple[Expression, ...] = ()
    unknown: bool = False
    part: bool = False

    def decide(self, position: Expression, axis: Axis) -> bool:
        """Whether it takes the chosen conditions to keep a position inside its axis."""
        names = _names_in(position)
        related = any(not names or names & _names_in(condition) for condition in self.chosen)
        relevant = self.unknown or related or (self.part and not names)
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
        return self._view() or self._view_of_digits() or self._gathered()

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
        is_cut = any(read.is_split or read.width > 1 for read in reads)
        return None if is_cut and any(read.is_window for read in reads) else viewed(value, reads)

    def _view_of_digits(self) -> Value | None:
        """The element as a slice of the array with axes split: x[h,1,s] for x[2*size(s)*h + size(s) + s]."""
        own: list[Index] = []
        positions: list[Expression] = []
        for place, index in enumerate(self.own):
            position = self.element.positions[place]
            is_read = self._axis_view(place, index) is not None
            digits = () if is_read else position_in_digits(position, index.axis)
            own += [fresh_index(Index(axis.label, axis), own) for axis, _ in digits] or [index]
            positions += [digit for _, digit in digits] or [position]
        if len(own) == len(self.own):
            return None
        element = Element(self.element.tensor, tuple(positions))
        split = replace(self, element=element, own=tuple(own), source=self._split)
        return split._view()

    def _split(self, names: Indices) -> Value:
        """What is read, its axes split into ones of these names."""
        return refolded(self._read(self._names()), layout_of(names))

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
        if found is None or len(found.factors) > 2:
            return None
        window = window_of(found)
        if len(found.factors) == 2 and window is None:
            return None
        indices = found.indices if window is None else (window.along, window.offset)
        return AxisView(axis, name, indices, found, may_leave=not inside)

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
