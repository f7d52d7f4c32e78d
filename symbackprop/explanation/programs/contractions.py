"""Why a line of code transposes and what it sums: the indices of its products, read off the program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symbackprop.array.aliasing import is_view, viewed_name
from symbackprop.array.ir import Reduce, Transpose
from symbackprop.array.layout import Layout, indices_of
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.program import Statement, Store
from symbackprop.array.slices import Select, Span
from symbackprop.array.value import Value
from symbackprop.notation.expressions import Index


@dataclass(frozen=True)
class Operand:
    """An operand of a product: its name where it is nothing but a view of one, and its axes as they stand.

    `stored` are the indices of the array that is viewed, in its own order, by the names of what is read.
    """

    name: str | None
    stored: tuple[Index, ...]
    layout: Layout
    is_transposed: bool


@dataclass(frozen=True)
class Contraction:
    """A product that is summed while it is multiplied, or a sum alone, which has one operand.

    `summed` are the indices that vanish, `layout` that of the result.
    """

    operands: tuple[Operand, ...]
    summed: tuple[Index, ...]
    layout: Layout


def contractions_in(line: Statement | Store) -> tuple[Contraction, ...]:
    """The products and sums of a line, outermost first."""
    return tuple(_contractions(line.value))


def _contractions(value: Value) -> Iterator[Contraction]:
    for node in value.walk():
        match node:
            case MatrixProduct(left, right):
                yield _contraction((_operand(left), _operand(right)), node)
            case Tensordot(left, right, _, _):
                yield _contraction((_operand(left), _operand(right)), node)
            case Reduce(operand, "sum", _, _):
                yield _contraction((_operand(operand),), node)


def _contraction(operands: tuple[Operand, ...], node: Value) -> Contraction:
    before = dict.fromkeys(index for operand in operands for index in indices_of(operand.layout))
    summed = tuple(index for index in before if index not in node.indices)
    return Contraction(operands, summed, node.layout)


def _operand(value: Value) -> Operand:
    shown, transposed = value, False
    selected: dict[Index, Index] = {}
    while is_view(shown) and shown.operands:
        transposed = transposed or isinstance(shown, Transpose)
        if isinstance(shown, Select):
            beside = zip(shown.items, shown.operand.indices, strict=True)
            selected |= {index: item.index for item, index in beside if isinstance(item, Span)}
        shown = shown.operands[0]
    stored = tuple(selected.get(index, index) for index in shown.indices)
    return Operand(viewed_name(value), stored, value.layout, transposed)
