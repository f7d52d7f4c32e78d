"""The program's nodes for parts of arrays: slices, padding, `where`s by whole numbers, arrays to be filled.

As those of `array.ir`, they know and check their layouts. A slice never wraps round: whoever builds one has
proved that its places lie inside the axis, or asks for it when the module is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.array.ir import (
    Expand,
    Positions,
)
from symbackprop.array.layout import Group, Layout
from symbackprop.array.value import OneOperand, Value, ValueType
from symbackprop.notation.expressions import Axis, Index
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class Count(Value):
    """The value of a loop's counter, a Python int; `name` and `axis` are those of its index."""

    name: str
    axis: Axis

    @property
    def is_python_int(self) -> bool:
        """A counter is."""
        return True

    def _infer_type(self) -> ValueType:
        return ValueType((), Kind.PYTHON)


@dataclass(frozen=True)
class Whole:
    """All places of an axis: `:`."""


@dataclass(frozen=True)
class Pick:
    """One place of an axis, which vanishes: `t - 1`.

    Where a store adds, also a place for each position of an array of integers: `par[:, t]`.
    """

    place: Value


@dataclass(frozen=True)
class Span:
    """Every `step`-th place from `start` up to `stop`, both Python ints; `index` runs along them.

    A start of None is 0, a stop of None the end of the axis. `step` is positive.
    """

    index: Index
    start: Value | None = None
    stop: Value | None = None
    step: int = 1


Item: TypeAlias = Whole | Pick | Span


def item_values(item: Item) -> tuple[Value, ...]:
    """The whole numbers in an item, in order."""
    match item:
        case Pick(place):
            return (place,)
        case Span(_, start, stop, _):
            return tuple(value for value in (start, stop) if value is not None)
    return ()


def items_within(whole: Sequence[Item], part: Sequence[Item]) -> tuple[Item, ...] | None:
    """The items of a part of a part; None where no item for each axis says it."""
    picked = [isinstance(item, Pick) for item in whole]
    rest = iter(part)
    pairs = [(item, Whole() if gone else next(rest)) for item, gone in zip(whole, picked, strict=True)]
    are_apart = all(isinstance(item, Whole) or isinstance(inner, Whole) for item, inner in pairs)
    if not are_apart or (any(picked) and any(isinstance(inner, Pick) for inner in part)):
        return None
    return tuple([inner if isinstance(item, Whole) else item for item, inner in pairs])


def places_may_repeat(items: tuple[Item, ...]) -> bool:
    """Whether arrays of places may name one place twice: not where each of their axes is counted through."""
    picked = [item.place for item in items if isinstance(item, Pick)]
    counted = {index for place in picked for index in place.indices if _counts_through(place)}
    return any(set(place.indices) - counted for place in picked)


def _counts_through(place: Value) -> bool:
    return isinstance(place, Positions) or (isinstance(place, Expand) and _counts_through(place.operand))


def _with_values(item: Item, values: list[Value]) -> Item:
    """The item with other numbers, taken from the front of the list."""
    match item:
        case Pick():
            return Pick(values.pop(0))
        case Span(index, start, stop, step):
            start = None if start is None else values.pop(0)
            return Span(index, start, None if stop is None else values.pop(0), step)
    return item


@dataclass(frozen=True)
class Select(Value):
    """A part of an array, one item an axis: `h[:, t - 1]`, `x[:, :, r : r + 2 * A : 2]`. A view."""

    operand: Value
    items: tuple[Item, ...]

    @property
    def operands(self) -> tuple[Value, ...]:
        """The array, and the numbers of the items."""
        return (self.operand, *(value for item in self.items for value in item_values(item)))

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """The same part of another array, with other numbers."""
        operand, *numbers = operands
        return Select(operand, tuple(_with_values(item, numbers) for item in self.items))

    def _infer_type(self) -> ValueType:
        before = self.operand.layout
        self.require(len(self.items) == len(before), "needs an item for each axis")
        layout: list[Group] = []
        for item, group in zip(self.items, before, strict=True):
            numbers = all(number.kind is Kind.PYTHON for number in item_values(item))
            self.require(numbers, "takes Python ints as places")
            match item:
                case Whole():
                    layout.append(group)
                case Span(index, _, _, step):
                    self.require(len(group) == 1 and step > 0, "takes a span of what is no single index")
                    layout.append((index,))
        return ValueType(tuple(layout), self.operand.kind)


@dataclass(frozen=True)
class Flip(OneOperand):
    """An axis backwards: `x[:, ::-1]`. A view."""

    place: int

    def _infer_type(self) -> ValueType:
        self.require(0 <= self.place < len(self.operand.layout), "reverses an axis that is not there")
        return self.operand.type


@dataclass(frozen=True)
class Pad(Value):
    """Zeros before and after, along each axis: `np.pad(x, ((0, 0), (1, 1)))`; `target` names the new axes."""

    operand: Value
    before: tuple[Value, ...]
    after: tuple[Value, ...]
    target: Layout

    @property
    def operands(self) -> tuple[Value, ...]:
        """The array, and how many zeros stand before and after it."""
        return (self.operand, *self.before, *self.after)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """Another array with other numbers of zeros."""
        middle = 1 + len(self.before)
        return Pad(operands[0], operands[1:middle], operands[middle:], self.target)

    def _infer_type(self) -> ValueType:
        ranks = {len(self.before), len(self.after), len(self.target), len(self.operand.layout)}
        self.require(len(ranks) == 1, "needs two numbers for each axis")
        numbers = (*self.before, *self.after)
        self.require(all(number.kind is Kind.PYTHON for number in numbers), "takes Python ints")
        return ValueType(self.target, self.operand.kind)


@dataclass(frozen=True)
class Windows(OneOperand):
    """All windows along some axes: `[n,a,r]`, x[n, a + r], of `x[n,i]`. A view.

    Each of the `places` gets an index that counts its windows, and a new last axis that runs along each.
    """

    places: tuple[int, ...]
    numbers: tuple[Index, ...]
    offsets: tuple[Index, ...]

    def _infer_type(self) -> ValueType:
        layout = list(self.operand.layout)
        for place, number in zip(self.places, self.numbers, strict=True):
            self.require(len(layout[place]) == 1, "takes windows of what is no single index")
            layout[place] = (number,)
        return ValueType((*layout, *((offset,) for offset in self.offsets)), self.operand.kind)


@dataclass(frozen=True)
class Refold(OneOperand):
    """The same numbers in the same order over other axes, whose sizes multiply to the same: a reshape."""

    target: Layout

    def _infer_type(self) -> ValueType:
        return ValueType(self.target, self.operand.kind)


@dataclass(frozen=True)
class OfPythonInts(Value):
    """A function of Python's own: `max(I - 2, 0)`, `abs(t - 2)`; `int(np.log(I))` is one of any number."""

    function: str
    arguments: tuple[Value, ...]

    @property
    def operands(self) -> tuple[Value, ...]:
        """The arguments."""
        return self.arguments

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """The same function of others."""
        return OfPythonInts(self.function, operands)

    @property
    def is_python_int(self) -> bool:
        """It is."""
        return True

    def _infer_type(self) -> ValueType:
        fits = all(each.kind is Kind.PYTHON or self.function == "int" for each in self.operands)
        self.require(fits, "needs Python ints")
        return ValueType((), Kind.PYTHON)


@dataclass(frozen=True)
class Conditional(Value):
    """`chosen if condition else otherwise`, by a condition on Python ints; what is not chosen is not run."""

    condition: Value
    chosen: Value
    otherwise: Value

    @property
    def is_python_int(self) -> bool:
        """Whether both branches are."""
        return self.chosen.is_python_int and self.otherwise.is_python_int

    @property
    def operands(self) -> tuple[Value, ...]:
        """The condition and both branches."""
        return (self.condition, self.chosen, self.otherwise)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """A `where` between other values."""
        return Conditional(*operands)

    def _infer_type(self) -> ValueType:
        single = not self.condition.layout and self.condition.kind.is_condition
        self.require(single, "chooses by what is no single condition")
        one, other = self.chosen, self.otherwise
        kinds = {one.kind, other.kind}
        if len(kinds) > 1 and not one.layout:
            kinds -= {Kind.PYTHON}  # a Python int beside an element of an integer tensor
        self.require(one.layout == other.layout and len(kinds) == 1, "chooses between values of two types")
        return ValueType(one.layout, kinds.pop())


@dataclass(frozen=True)
class Allocate(Value):
    """An array that is filled later: `np.empty((N, T), dtype=dtype)`; of conditions, `dtype=bool`."""

    target: Layout
    number_kind: Kind = Kind.REAL

    def _infer_type(self) -> ValueType:
        return ValueType(self.target, self.number_kind)


def selected(operand: Value, items: tuple[Item, ...]) -> Value:
    """The part of an array; the array itself where the items keep all of it."""
    return operand if all(isinstance(item, Whole) for item in items) else Select(operand, items)


def always_computed(value: Value) -> Iterator[Value]:
    """The nodes of a value that are computed whichever branch of a `where` runs, parents first."""
    pending = [value]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(always_computed_operands(node)))


def always_computed_operands(value: Value) -> tuple[Value, ...]:
    """The operands of a node without the branches of a `where`."""
    return (value.condition,) if isinstance(value, Conditional) else value.operands
