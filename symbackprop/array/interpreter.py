"""Runs a program with NumPy, node by node: what the emitted module must agree with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.ir import (
    AsDoubles,
    AsIntegers,
    AxisSize,
    Cast,
    Fill,
    Identity,
    Literal,
    Positions,
    Read,
    Reshape,
)
from symbackprop.array.layout import Group
from symbackprop.array.lookups import Clip, Nearest, ScatterAdd, ScatterArgmax, ScatterExtremum
from symbackprop.array.operations import OF_ARRAYS
from symbackprop.array.program import Line, Loop, PlaceCheck, Program, Statement, Store
from symbackprop.array.related_sizes import RelatedSize
from symbackprop.array.slices import (
    Allocate,
    Conditional,
    Count,
    Item,
    Pick,
    Refold,
    Select,
    Span,
    Whole,
    Windows,
)
from symbackprop.array.value import Value
from symbackprop.array.whole_numbers import count_of
from symbackprop.errors import ProgramError
from symbackprop.indexing.counting import Extent
from symbackprop.notation.expressions import Axis
from symbackprop.schedule.kinds import Kind
from symbackprop.systems.system import Tensor

Array: TypeAlias = NDArray[Any]
# What stands in an array of positions before one is stored: outside every axis.
NO_PLACE = -1


@dataclass(frozen=True)
class _Interpreter:
    values: dict[str, Array]
    sizes: Mapping[str, int]
    dtype: np.dtype[Any]
    counters: Mapping[str, int] = field(default_factory=dict)

    def size(self, axis: Axis) -> int:
        if isinstance(axis, Extent):
            return int(self.evaluate(count_of(axis)))
        return self.sizes[axis.name]

    def places(self, items: tuple[Item, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
        """The items as Python's; ProgramError where one leaves its axis, for it would wrap round."""
        places: list[Any] = []
        for item, size in zip(items, shape, strict=True):
            match item:
                case Whole():
                    places.append(slice(None))
                case Pick(place):
                    places.append(_inside(self.evaluate(place), size))
                case Span(_, start, stop, step):
                    first = 0 if start is None else self.evaluate(start)
                    last = size if stop is None else self.evaluate(stop)
                    # As in NumPy, a span without places is empty wherever it stands.
                    places.append(slice(_not_before(first), max(last, 0), step) if first < last else slice(0))
        return tuple(places)

    def check(self, check: PlaceCheck) -> None:
        """ProgramError where a position lies outside its axis."""
        chosen = True if check.condition is None else self.evaluate(check.condition)
        places, chosen = np.broadcast_arrays(self.evaluate(check.places), chosen)
        size = self.size(check.axis)
        if np.any(chosen & ((places < 0) | (places >= size))):
            raise ProgramError(f"{check.element}: {check.position} leaves an axis of {size}")

    def relate(self, related: RelatedSize, sizes: dict[str, int]) -> None:
        """Give an axis the size that a relation states; ProgramError where it has another."""
        above, below = self.evaluate(related.above), self.evaluate(related.below)
        size = above // below if below else -1
        if size < 0 or size * below != above or sizes.setdefault(related.axis.name, size) != size:
            raise ProgramError(f"the sizes do not obey {related.text}")

    def run(self, lines: Iterable[Line]) -> None:
        """Run lines in order."""
        for line in lines:
            match line:
                case Statement(name, value):
                    self.values[name] = self.evaluate(value)
                case Store(name, (), value, accumulate):
                    self.values[name] = self.evaluate(value) + (self.values[name] if accumulate else 0)
                case Store(name, items, value, True):
                    array = self.values[name]
                    np.add.at(array, self.places(items, array.shape), self.evaluate(value))
                case Store(name, items, value, _):
                    array = self.values[name]
                    array[self.places(items, array.shape)] = self.evaluate(value)
                case Loop(counter, _, stop, body, start, reverse, stride):
                    steps = range(self.evaluate(start), self.evaluate(stop), stride)
                    for step in reversed(steps) if reverse else steps:
                        replace(self, counters={**self.counters, counter: step}).run(body)

    def dtype_of(self, value: Value) -> np.dtype[Any]:
        """The dtype of a new array of the value's kind."""
        return {Kind.BOOLEAN: np.dtype(bool), Kind.INTEGER: np.dtype(np.intp)}.get(value.kind, self.dtype)

    def shape(self, layout: tuple[Group, ...]) -> tuple[int, ...]:
        return tuple(prod(self.size(index.axis) for index in group) for group in layout)

    def evaluate(self, value: Value) -> Any:
        """What the value is here and now; ProgramError for a node that has no interpretation."""
        if isinstance(value, Conditional):
            return self.evaluate(value.chosen if self.evaluate(value.condition) else value.otherwise)
        if not value.operands:
            return self._made(value)
        operands = [self.evaluate(operand) for operand in value.operands]
        operation = OF_ARRAYS.get(type(value))
        return self._sized(value, operands) if operation is None else operation(value, *operands)

    def _made(self, value: Value) -> Any:
        """A node without operands."""
        match value:
            case Read(name, _, _):
                return self.values[name]
            case Literal(number):
                return number
            case AxisSize(axis, at_least_one):
                return max(self.size(axis), 1) if at_least_one else self.size(axis)
            case Count(name, _):
                return self.counters[name]
            case Positions(index):
                return np.arange(self.size(index.axis))
            case Identity(row, _):
                return np.eye(self.size(row.axis), dtype=self.dtype)
            case Allocate(target, kind):
                unknown = np.nan if kind is Kind.REAL else NO_PLACE
                return np.full(self.shape(target), unknown, dtype=self.dtype_of(value))
        raise ProgramError(f"no interpretation of a {type(value).__name__}")

    def _sized(self, value: Value, operands: Sequence[Any]) -> Any:
        """A node that needs the sizes of axes, or the dtype, beside its operands."""
        match value:
            case Reshape(_, target) | Refold(_, target):
                return operands[0].reshape(self.shape(target))
            case Cast():
                return np.asarray(operands[0]).astype(self.dtype)[()]
            case AsDoubles():
                return np.asarray(operands[0]).astype(np.float64)[()]
            case AsIntegers(_, any_length):
                return np.asarray(operands[0]).astype(object if any_length else np.intp)[()]
            case Fill(_, target):
                return np.full(self.shape(target), operands[0], dtype=self.dtype_of(value))
            case Select(_, items):
                return operands[0][self.places(items, operands[0].shape)]
            case ScatterAdd(_, _, index):
                places, rows = operands
                total = np.zeros((self.size(index.axis), *rows.shape[places.ndim :]), dtype=rows.dtype)
                np.add.at(total, places, rows)
                return total
            case ScatterArgmax(_, _, _, otherwise, index):
                places, rows = operands
                at = (places == place for place in range(self.size(index.axis)))
                masks = (each.reshape(-1, *(1,) * (rows.ndim - 1)) for each in at)
                return np.array([np.argmax(np.where(each, rows, otherwise.value), axis=0) for each in masks])
            case ScatterExtremum(kind, _, _, otherwise, index):
                places, rows = operands
                return _extrema_by_place(kind, places, rows, otherwise.value, self.size(index.axis))
            case Nearest():
                points, rows = operands
                return np.argmin(np.sum((rows - points[..., None, :]) ** 2, axis=-1), axis=-1)
            case Windows(_, places, _, offsets):
                return _windows(operands[0], places, [self.size(offset.axis) for offset in offsets])
            case Clip(_, axis):
                return np.clip(operands[0], 0, max(self.size(axis) - 1, 0))
        raise ProgramError(f"no interpretation of a {type(value).__name__}")


def _extrema_by_place(kind: str, places: Array, rows: Array, otherwise: float, size: int) -> Array:
    """The extremum of the rows at each place, and of `otherwise` where there are rows at others, or none."""
    extremum = np.max if kind == "max" else np.min
    found = np.full((size, *rows.shape[places.ndim :]), otherwise, dtype=rows.dtype)
    for place in np.unique(places):
        own = rows[places == place]
        least = () if len(own) == places.size else (np.full_like(own[:1], otherwise),)
        found[place] = extremum(np.concatenate((own, *least)), axis=0)
    return found


def _windows(array: Array, places: Sequence[int], lengths: Sequence[int]) -> Array:
    """The stretches of these lengths along these axes, none of which an axis that is shorter has."""
    shape = list(array.shape)
    for place, length in zip(places, lengths, strict=True):
        shape[place] = max(shape[place] - length + 1, 0)
    found = np.zeros((*shape, *lengths), dtype=array.dtype)
    for offset in np.ndindex(*lengths):
        starts = dict(zip(places, offset, strict=True))
        stretch = (slice(starts.get(axis, 0), starts.get(axis, 0) + size) for axis, size in enumerate(shape))
        found[(..., *offset)] = array[tuple(stretch)]
    return found


def _check_values(tensor: Tensor, array: Array, sizes: Mapping[str, int]) -> None:
    """ProgramError where a value of an integer tensor is no position of its axis."""
    size = sizes.get(tensor.values.name if tensor.values else "")
    if size is not None and np.any((array < 0) | (array >= size)):
        raise ProgramError(f"'{tensor.name}' has a value that is no position of an axis of {size}")


def _check_order(tensor: Tensor, values: Mapping[str, Array]) -> None:
    """ProgramError where what is to be an order names a place twice, or does not sort what it is to."""
    order = values[tensor.name]
    if tensor.permuted and np.any(np.sort(order, axis=-1) != np.arange(order.shape[-1])):
        raise ProgramError(f"'{tensor.name}' is no order of an axis of {order.shape[-1]}")
    if tensor.sorts:
        along = np.take_along_axis(values[tensor.sorts], order, axis=-1)
        if np.any(along[..., 1:] < along[..., :-1]):
            raise ProgramError(f"'{tensor.name}' does not sort {tensor.sorts}")


def _not_before(place: int) -> int:
    if place < 0:
        raise ProgramError(f"a span that begins at {place} would wrap round")
    return place


def _inside(place: int | Array, size: int) -> int | Array:
    if np.any((place < 0) | (place >= size)):
        raise ProgramError(f"place {place} lies outside an axis of {size}")
    return place


def interpret(program: Program, tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Every tensor of the program, declared and computed, from arrays for the declared ones."""
    values = {name: np.asarray(array) for name, array in tensors.items()}
    for tensor in program.tensors:
        if tensor.values is not None:
            # 7*ids[n] in eight bits would wrap round.
            values[tensor.name] = values[tensor.name].astype(np.intp)
    sizes = dict(program.sizes)
    for tensor in program.tensors:
        shape = values[tensor.name].shape
        sizes.update({index.axis.name: size for index, size in zip(tensor.indices, shape, strict=True)})
    for tensor in program.tensors:
        if tensor.values is not None:
            _check_values(tensor, values[tensor.name], sizes)
            _check_order(tensor, values)
    for axis, what in program.not_empty.items():
        if sizes.get(axis) == 0:
            raise ProgramError(f"{what}: axis {axis} is empty")
    reals = [values[tensor.name].dtype for tensor in program.tensors if tensor.values is None]
    dtype = reals[0] if reals else np.dtype(np.float64)
    interpreter = _Interpreter(values, sizes, dtype)
    for each in program.related:
        interpreter.relate(each, sizes)
    for check in program.place_checks:
        interpreter.check(check)
    with np.errstate(all="ignore"):
        interpreter.run(program.statements)
    return values
