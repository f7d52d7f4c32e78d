"""Views of arrays, axis by axis: padded, cut, turned round, split, merged, or counted through in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.array.layout import layout_of
from symbackprop.array.linear_algebra import Diagonal
from symbackprop.array.slices import Flip, Item, Pad, Pick, Span, Whole, Windows, selected
from symbackprop.array.value import Value
from symbackprop.array.views import refolded
from symbackprop.array.whole_numbers import whole_number
from symbackprop.indexing.counting import Counter, extent, size_of
from symbackprop.indexing.places import Affine, Window, at_least_zero, lowest_and_highest, window_of
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.linear import linear_form
from symbackprop.lowering.folds import merged_index
from symbackprop.notation.arithmetic import add, multiply, subtract
from symbackprop.notation.expressions import ONE, ZERO, Axis, Expression, Index, Number

Indices = tuple[Index, ...]


@dataclass(frozen=True)
class AxisView:
    """How one axis is read (or `width` axes, merged): whole, at a place, in a span, split, or in windows."""

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
    def window(self) -> Window | None:
        """How the windows follow one another where the axis is read in windows."""
        return None if self.position is None else window_of(self.position)

    @property
    def is_window(self) -> bool:
        """Whether the axis is read in windows."""
        return self.window is not None

    @property
    def is_split(self) -> bool:
        """Whether the axis is split into several."""
        return len(self.indices) > 1 and not self.is_window

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
    value = _windowed(_refolded(value, reads), reads)
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
    if read.window is not None:
        return [_stretch(read, read.window)]
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


def _stretch(read: AxisView, window: Window) -> Item:
    """All places that the windows of an axis have."""
    length = add(size_of(read.axis), *read.padding())
    start = add(window.start, read.padding()[0])
    before_last = multiply(Number(window.step), subtract(size_of(window.along.axis), ONE))
    places = add(before_last, size_of(window.offset.axis))
    if window.step > 1:
        places = at_least_zero(places)
    return span(Index(read.name.name, extent(read.axis, places)), start, 1, length)


def _windowed(value: Value, reads: Sequence[AxisView]) -> Value:
    """The axes that are read in windows as the windows' numbers, and places in a window as new last axes."""
    windows: dict[int, Window] = {}
    place = 0
    for read in reads:
        if read.window is not None:
            windows[place] = read.window
        place += read.width if read.indices else 0
    if not windows:
        return value
    found = windows.values()
    items: list[Item] = [Whole()] * (len(value.layout) + len(windows))
    numbers: list[Index] = []
    for place, window in windows.items():
        number = window.along
        if window.step > 1:
            items[place] = Span(window.along, step=window.step)
            last = multiply(Number(window.step), subtract(size_of(number.axis), ONE))
            number = Index(number.name, extent(number.axis, add(last, ONE)))
        numbers.append(number)
    offsets = tuple(window.offset for window in found)
    return selected(Windows(value, tuple(windows), tuple(numbers), offsets), tuple(items))


def span(index: Index, start: Expression, step: int, length: Expression) -> Item:
    """The places start, start + step, ... along an index, of an axis of that length."""
    first = linear_form(start)
    stop = first.plus(linear_form(size_of(index.axis)), step)
    # From one of the first places on, every step-th one up to the end.
    places = start.axis.size if isinstance(start, Counter) else None
    counted = (places is not None and places <= step) or start in [Number(each) for each in range(step)]
    end = multiply(Number(step), size_of(index.axis)) if counted else stop.expression()
    ends_last = (step == 1 or counted) and related_form(end) == related_form(length)
    return Span(
        index,
        None if first == linear_form(ZERO) else whole_number(first.expression()),
        None if ends_last else whole_number(stop.expression()),
        step,
    )


def _refolded(value: Value, reads: Sequence[AxisView]) -> Value:
    """Axes split, or merged up to where an index ends, as the views say; the others keep their names."""
    if not any(read.width > 1 or read.is_split for read in reads):
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
    return selected(refolded(value, layout_of(tuple(target))), tuple(items))


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
