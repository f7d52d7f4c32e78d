"""What a value costs: typical element-wise operations, at the sizes of `schedule.typical_sizes`.

Views are free, but for a reshape that has to copy; a function costs several passes; a multiply-add within a
matrix product costs a small part of one.
"""

from __future__ import annotations

from symbackprop.array.ir import (
    ARITHMETIC,
    COMPARISONS,
    CONNECTIVES,
    Cast,
    Copy,
    Elementwise,
    Fill,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.array.linear_algebra import Cholesky, Cofactors, Determinant, Inverse, Solve, Symmetric
from symbackprop.array.lookups import Clip, Gather, ScatterAdd
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.slices import Conditional, Flip, Pad, Refold, Select
from symbackprop.array.value import Value
from symbackprop.schedule.typical_sizes import MATRIX_PRODUCT_DISCOUNT, typical_count, typical_size

# exp, tanh and their like against an addition, as measured on arrays that fit the cache.
FUNCTION_COST = 8
# Adding a number at a place that is looked up, against adding it in order.
SCATTER_COST = 4
# Views whose numbers do not lie side by side, so that merging axes has to copy.
COPIED_BY_RESHAPE = (Transpose, Select, Flip)


def cost_of(value: Value) -> float:
    """The cost of computing a value, its operands included; of a `where`'s branches, the costlier one."""
    if isinstance(value, Conditional):
        return cost_of(value.condition) + max(cost_of(value.chosen), cost_of(value.otherwise))
    return own_cost(value) + sum(cost_of(operand) for operand in value.operands)


def own_cost(node: Value) -> float:
    """The cost of one node, its operands not included."""
    match node:
        case Elementwise(operation, _):
            cheap = operation in ARITHMETIC | COMPARISONS | CONNECTIVES or operation == "where"
            return typical_count(node.indices) * (1 if cheap else FUNCTION_COST)
        case Reduce(operand, _, _, _):
            return typical_count(operand.indices)
        case MatrixProduct(left, right) | Tensordot(left, right, _, _):
            operations = typical_count({*left.indices, *right.indices})
            return operations * MATRIX_PRODUCT_DISCOUNT + typical_count(node.indices)
        case ScatterAdd(_, rows, _):
            return SCATTER_COST * typical_count(rows.indices) + typical_count(node.indices)
        case Reshape(operand, _) | Refold(operand, _):
            return typical_count(node.indices) if isinstance(operand, COPIED_BY_RESHAPE) else 0
        case Cast() | Copy() | Fill() | Pad() | Gather() | Clip():
            return typical_count(node.indices)
        case Solve(matrix, right):
            return (
                _factorisation(matrix)
                + typical_count({*matrix.indices, *right.indices}) * MATRIX_PRODUCT_DISCOUNT
            )
        case Inverse(operand):
            return 3 * _factorisation(operand)
        case Cofactors(operand):
            return 40 * _factorisation(operand)
        case Symmetric():
            return typical_count(node.indices)
        case Determinant(operand, _) | Cholesky(operand, _):
            return _factorisation(operand)
    return 0


def _factorisation(matrix: Value) -> float:
    """A third of n^3 multiply-adds, for each matrix of the batch."""
    return typical_count(matrix.indices) * typical_size(matrix.indices[-1]) * MATRIX_PRODUCT_DISCOUNT / 3
