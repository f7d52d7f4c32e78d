"""What a value costs: typical element-wise operations, at the sizes of `program.sizes`.

Views are free, but for a reshape that has to copy; a function costs several passes; a multiply-add within a
matrix product costs a small part of one.
"""

from __future__ import annotations

from symbackprop.program.ir import (
    ARITHMETIC,
    COMPARISONS,
    CONNECTIVES,
    Cast,
    Copy,
    Elementwise,
    Fill,
    MatrixProduct,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.program.linear_algebra import Cholesky, Determinant, Inverse, Solve
from symbackprop.program.sizes import MATRIX_PRODUCT_DISCOUNT, typical_count, typical_size
from symbackprop.program.value import Value

# exp, tanh and their like against an addition, as measured on arrays that fit the cache.
FUNCTION_COST = 8


def cost_of(value: Value) -> float:
    """The cost of computing a value, its operands included."""
    return sum(own_cost(node) for node in value.walk())


def own_cost(node: Value) -> float:
    """The cost of one node, its operands not included."""
    match node:
        case Elementwise(operation, _):
            cheap = operation in ARITHMETIC | COMPARISONS | CONNECTIVES or operation == "where"
            return typical_count(node.indices) * (1 if cheap else FUNCTION_COST)
        case Reduce(operand, _, _, _):
            return typical_count(operand.indices)
        case MatrixProduct(left, right):
            operations = typical_count({*left.indices, *right.indices})
            return operations * MATRIX_PRODUCT_DISCOUNT + typical_count(node.indices)
        case Reshape(operand, _):
            return typical_count(node.indices) if isinstance(operand, Transpose) else 0
        case Cast() | Copy() | Fill():
            return typical_count(node.indices)
        case Solve(matrix, right):
            return (
                _factorisation(matrix)
                + typical_count({*matrix.indices, *right.indices}) * MATRIX_PRODUCT_DISCOUNT
            )
        case Inverse(operand):
            return 3 * _factorisation(operand)
        case Determinant(operand, _) | Cholesky(operand):
            return _factorisation(operand)
    return 0


def _factorisation(matrix: Value) -> float:
    """A third of n^3 multiply-adds, for each matrix of the batch."""
    return typical_count(matrix.indices) * typical_size(matrix.indices[-1]) * MATRIX_PRODUCT_DISCOUNT / 3
