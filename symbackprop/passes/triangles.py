"""Arrays with one number above the diagonal: 0, or what counts for nothing in a maximum.

A mask such as s <= t is false there; a `where` by it is what it chooses otherwise, the exponential of minus
infinity is 0, and so is whatever 0 is a factor of.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.array.ir import Cast, Elementwise, Expand, Literal, Positions, Read, Transpose
from symbackprop.array.program import Line, Statement
from symbackprop.array.value import Value
from symbackprop.notation.expressions import Index


@dataclass(frozen=True)
class Pair:
    """The index of a triangle's rows, and one of its columns, within one value."""

    row: Index
    column: Index


@dataclass(frozen=True)
class Triangle:
    """The places of rows and columns among an array's axes, and the number where the column is behind."""

    row: int
    column: int
    above: float

    def pair_in(self, read: Read) -> Pair:
        """The indices at which the array is read."""
        return Pair(read.positions[self.row], read.positions[self.column])


Triangles: TypeAlias = Mapping[str, Triangle]


def triangles_in(lines: Iterable[Line]) -> Triangles:
    """The arrays of which the numbers above the diagonal are known; a condition that is false counts as 0."""
    found: dict[str, Triangle] = {}
    for line in lines:
        if isinstance(line, Statement):
            compared = (pair for node in line.value.walk() for pair in _compared(node))
            for pair in (*compared, *pairs_read(line.value, found)):
                number = above(line.value, pair, found)
                indices = line.value.indices
                if number is not None and {pair.row, pair.column} <= set(indices):
                    found[line.name] = Triangle(indices.index(pair.row), indices.index(pair.column), number)
                    break
    return found


def pairs_read(value: Value, triangles: Triangles) -> tuple[Pair, ...]:
    """The rows and columns of the triangles that a value reads, each pair once."""
    reads = (node for node in value.walk() if isinstance(node, Read) and node.name in triangles)
    return tuple(dict.fromkeys(triangles[read.name].pair_in(read) for read in reads))


def above(value: Value, pair: Pair, triangles: Triangles) -> float | None:
    """The number that a value certainly is wherever the column of the pair is behind its row."""
    match value:
        case Literal(number):
            return float(number)
        case Read(name, _, _):
            fits = name in triangles and triangles[name].pair_in(value) == pair
            return triangles[name].above if fits else None
        case Cast(operand) | Transpose(operand, _) | Expand(operand, _):
            return above(operand, pair, triangles)
        case Elementwise("<=" | "<" | ">=" | ">", _):
            return 0.0 if pair in _compared(value) else None
        case Elementwise(operation, arguments):
            return _of_numbers(operation, [above(each, pair, triangles) for each in arguments])
    return None


def _of_numbers(operation: str, numbers: list[float | None]) -> float | None:
    """The result of an operation on numbers some of which are known; an unknown one is taken to be finite."""
    first = numbers[0]
    match operation:
        case "where":
            return numbers[2] if first == 0 or numbers[1] == numbers[2] else None
        case "multiply" | "and":
            return 0.0 if 0.0 in numbers else None
        case "divide" | "negative":
            return 0.0 if first == 0 else None
        case "add" | "subtract" | "or":
            return first if first == -math.inf or not any(number != 0 for number in numbers) else None
        case "exp":
            return 0.0 if first == -math.inf else None
    return None


def _compared(value: Value) -> Iterator[Pair]:
    """The pair of a comparison that holds for no column behind its row: s <= t, t > s."""
    match value:
        case Elementwise("<=" | "<", (left, right)):
            column, row = _counted(left), _counted(right)
        case Elementwise(">=" | ">", (left, right)):
            row, column = _counted(left), _counted(right)
        case _:
            return
    if row is not None and column is not None and row != column and row.axis == column.axis:
        yield Pair(row, column)


def _counted(value: Value) -> Index | None:
    """The index whose positions a value is."""
    while isinstance(value, Expand | Transpose):
        value = value.operand
    return value.index if isinstance(value, Positions) else None
