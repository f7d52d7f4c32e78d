"""The nodes of linear algebra: what `np.linalg` computes from the last two axes of an array, and diagonals.

A singular matrix makes NumPy raise LinAlgError, where an inverse or a solution is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.array.layout import Layout
from symbackprop.array.value import OneOperand, Value, ValueType
from symbackprop.notation.expressions import Index
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class Solve(Value):
    """matrix^-1 right: `np.linalg.solve(A, b)`, the last two axes of the matrix its rows and columns.

    The right-hand side has the matrix's rows as its only axis, or batch axes, rows and columns in this order.
    """

    matrix: Value
    right: Value

    @property
    def operands(self) -> tuple[Value, ...]:
        """The matrix and the right-hand side."""
        return (self.matrix, self.right)

    def with_operands(self, operands: tuple[Value, ...]) -> Solve:
        """The solution for another matrix and right-hand side."""
        return Solve(*operands)

    def _infer_type(self) -> ValueType:
        *batch, rows, columns = _square(self, self.matrix)
        right = self.right.layout
        self.require(self.right.kind is Kind.REAL, "needs a real right-hand side")
        if len(right) == 1:
            self.require(not batch and right == (rows,), "the right-hand side is no column of the matrix")
            return ValueType((columns,), Kind.REAL)
        self.require(right[-2] == rows, "the right-hand side has other rows than the matrix")
        self.require(right[:-2] in ((), tuple(batch)), "the batch axes differ")
        return ValueType((*batch, columns, right[-1]), Kind.REAL)


@dataclass(frozen=True)
class Inverse(OneOperand):
    """`np.linalg.inv(A)`: row and column change places in the layout, as they do in what is inverted."""

    def _infer_type(self) -> ValueType:
        *batch, rows, columns = _square(self, self.operand)
        return ValueType((*batch, columns, rows), Kind.REAL)


@dataclass(frozen=True)
class Cofactors(OneOperand):
    """The signed minors of A, in A's own layout; of a singular matrix too (`cofactors`)."""

    def _infer_type(self) -> ValueType:
        return ValueType(_square(self, self.operand), Kind.REAL)


@dataclass(frozen=True)
class Determinant(OneOperand):
    """`np.linalg.det(A)`, or with `logarithm` log|det A|, which neither overflows nor vanishes."""

    logarithm: bool = False

    def _infer_type(self) -> ValueType:
        return ValueType(_square(self, self.operand)[:-2], Kind.REAL)


@dataclass(frozen=True)
class Cholesky(OneOperand):
    """The lower triangular L with L L' = P, of the matrices of a tensor that a fact calls positive definite.

    It reads P's lower triangle alone, so that the module raises ValueError where P does not obey the fact.
    """

    tensor: str

    def _infer_type(self) -> ValueType:
        return ValueType(_square(self, self.operand), Kind.REAL)


@dataclass(frozen=True)
class Symmetric(OneOperand):
    """The matrices of a tensor as they are; ValueError where they are not symmetric, as the fact says."""

    tensor: str
    fact: str

    def _infer_type(self) -> ValueType:
        return ValueType(_square(self, self.operand), Kind.REAL)


@dataclass(frozen=True)
class Diagonal(OneOperand):
    """The elements where two axes over one model axis agree; `index` runs along the new last axis. A view."""

    first: int
    second: int
    index: Index

    def _infer_type(self) -> ValueType:
        before = self.operand.layout
        pair = (self.first, self.second)
        fits = all(len(before[place]) == 1 and before[place][0].axis == self.index.axis for place in pair)
        self.require(fits and self.first != self.second, "the diagonal needs two indices of one axis")
        rest = [group for place, group in enumerate(before) if place not in pair]
        return ValueType((*rest, (self.index,)), self.operand.kind)


LinearAlgebra = Solve | Inverse | Cofactors | Determinant | Cholesky | Symmetric


def _square(node: Value, matrix: Value) -> Layout:
    """The matrix's layout; ProgramError unless its last two axes are different indices over one axis."""
    layout = matrix.layout
    node.require(len(layout) >= 2 and matrix.kind is Kind.REAL, "needs a real matrix")
    rows, columns = layout[-2:]
    single = len(rows) == len(columns) == 1
    node.require(
        single and rows[0].axis == columns[0].axis and rows != columns, "needs two indices over one axis"
    )
    return layout
