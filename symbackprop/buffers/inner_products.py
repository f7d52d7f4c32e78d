"""Sums of all products of two arrays' numbers, which in one call of BLAS are multiplied and added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from symbackprop.array.ir import Elementwise, Literal, Read, Reduce
from symbackprop.array.program import Line, Loop, Statement, statements_in
from symbackprop.array.value import Value, ValueType, rewrite_values
from symbackprop.buffers.parts import is_invariant
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class InnerProduct(Value):
    """The sum of `left*right` over all places; many products are computed in the `memory` first."""

    left: Value
    right: Value
    memory: Value

    @property
    def operands(self) -> tuple[Value, ...]:
        """Both arrays, and the memory."""
        return (self.left, self.right, self.memory)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """The sum of other products."""
        return InnerProduct(*operands)

    def _infer_type(self) -> ValueType:
        same = self.left.type == self.right.type == self.memory.type
        self.require(same and self.memory.kind is Kind.REAL, "needs real arrays of one shape")
        return ValueType((), Kind.REAL)


def with_inner_products(
    lines: tuple[Line, ...], parts: Collection[str], whole: Collection[str]
) -> list[Line]:
    """The lines, where products that are only added up, in the line behind them, are an inner product.

    `parts` are the names of intermediate results, `whole` those of arrays in C order that stay in place.
    """
    values = (value for line in statements_in(lines) for value in line.values)
    reads = Counter(node.name for value in values for node in value.walk() if isinstance(node, Read))
    once = {name for name in parts if reads[name] == 1} & set(whole)
    return list(_joined(lines, once, whole))


def _joined(lines: Iterable[Line], once: Collection[str], whole: Collection[str]) -> Iterator[Line]:
    before: Line | None = None
    for line in lines:
        found = _inner_product(before, line, once, whole) if before is not None else None
        if before is not None and found is None:
            yield before
        before = found or line
        if isinstance(line, Loop):
            before = replace(line, body=tuple(_joined(line.body, once, whole)))
    if before is not None:
        yield before


def _inner_product(
    products: Line, line: Line, once: Collection[str], whole: Collection[str]
) -> Statement | None:
    """The second line, of what the first one multiplies; None where it is no sum of that.

    An array could be written over what is multiplied, before it is.
    """
    if not isinstance(products, Statement) or not isinstance(line, Statement) or line.value.layout:
        return None
    factors = _factors(products.value) if products.name in once else None
    if factors is None or any(each.name not in whole or each.type != products.value.type for each in factors):
        return None

    def joined(node: Value) -> Value:
        match node:
            case Reduce(Read(products.name) as memory, "sum") if not node.layout:
                return InnerProduct(*factors, memory)
        return node

    value = rewrite_values(line.value, joined)
    if value == line.value or products.guarded != line.guarded:
        return None
    return replace(line, value=value, opens=products.opens or line.opens)


def _factors(value: Value) -> tuple[Read, Read] | None:
    """The two arrays that are multiplied, a square's twice."""
    if not is_invariant(value.layout) or not value.layout:
        return None
    match value:
        case Elementwise("power", (Read() as base, Literal(2))):
            return base, base
        case Elementwise("multiply", (Read() as left, Read() as right)):
            return left, right
    return None
