"""The nodes that multiply two arrays and sum: `@` and `np.tensordot`."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.array.value import Value, ValueType
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class MatrixProduct(Value):
    """`left @ right` as NumPy does it: the last axis of the left with the last but one of the right.

    A right or left operand with one axis is a vector; axes before the last two are batch axes, lined up
    from the right.
    """

    left: Value
    right: Value

    @property
    def operands(self) -> tuple[Value, ...]:
        """Left and right."""
        return (self.left, self.right)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """The product of other values."""
        return MatrixProduct(*operands)

    def _infer_type(self) -> ValueType:
        left, right = self.left.layout, self.right.layout
        self.require(bool(left) and bool(right), "needs axes to contract")
        self.require(self.left.kind is Kind.REAL and self.right.kind is Kind.REAL, "needs two real arrays")
        inner = right[-2] if len(right) > 1 else right[0]
        self.require(left[-1] == inner, "the inner axes differ")
        batch = self.broadcast([left[:-2], right[:-2]])
        rows = left[-2:-1]
        columns = right[-1:] if len(right) > 1 else ()
        return ValueType((*batch, *rows, *columns), Kind.REAL)


@dataclass(frozen=True)
class Tensordot(Value):
    """Two arrays multiplied and summed over several axes of each, which lie in no order for `@`."""

    left: Value
    right: Value
    left_places: tuple[int, ...]
    right_places: tuple[int, ...]

    @property
    def operands(self) -> tuple[Value, ...]:
        """Left and right."""
        return (self.left, self.right)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """The same axes of other arrays."""
        left, right = operands
        return Tensordot(left, right, self.left_places, self.right_places)

    def _infer_type(self) -> ValueType:
        left, right = self.left.layout, self.right.layout
        pairs = list(zip(self.left_places, self.right_places, strict=True))
        self.require(all(left[one] == right[other] for one, other in pairs), "sums over different axes")
        self.require(self.left.kind is Kind.REAL and self.right.kind is Kind.REAL, "needs two real arrays")
        rows = [group for place, group in enumerate(left) if place not in self.left_places]
        columns = [group for place, group in enumerate(right) if place not in self.right_places]
        return ValueType((*rows, *columns), Kind.REAL)
