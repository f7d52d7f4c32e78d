"""What a value and a program cost: the weights of `cost.weights`, at the sizes of `cost.assumptions`.

Views are free, but for a reshape that has to copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from symbackprop.array.ir import (
    ARITHMETIC,
    COMPARISONS,
    CONNECTIVES,
    AsDoubles,
    AsIntegers,
    Cast,
    Copy,
    Elementwise,
    Fill,
    Literal,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.array.linear_algebra import Cholesky, Cofactors, Determinant, Inverse, Solve, Symmetric
from symbackprop.array.lookups import Clip, Gather, Nearest, Scan, ScatterAdd, ScatterExtremum
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.program import Line, Loop
from symbackprop.array.slices import Conditional, Flip, Pad, Refold, Select, Windows
from symbackprop.array.value import Value
from symbackprop.cost.assumptions import PROGRAM, Assumptions
from symbackprop.cost.weights import (
    COFACTOR_WEIGHT,
    FACTORISATION_WEIGHT,
    INVERSE_WEIGHT,
    MATRIX_PRODUCT_WEIGHT,
    ROOT_WEIGHT,
    SCATTER_WEIGHT,
    power_weight,
    weight_of,
)

# Views whose numbers do not lie side by side, so that merging axes has to copy.
COPIED_BY_RESHAPE = (Transpose, Select, Flip, Windows)


def cost_of(value: Value, assuming: Assumptions = PROGRAM) -> Fraction:
    """The cost of computing a value, its operands included; of a `where`'s branches, the costlier one."""
    if isinstance(value, Conditional):
        branches = (value.chosen, value.otherwise)
        return cost_of(value.condition, assuming) + max(cost_of(branch, assuming) for branch in branches)
    return own_cost(value, assuming) + sum((cost_of(each, assuming) for each in value.operands), Fraction(0))


def cost_of_lines(lines: Iterable[Line], assuming: Assumptions = PROGRAM) -> Fraction:
    """The cost of statements, a loop's body as often as its axis has places."""
    total = Fraction(0)
    for line in lines:
        if isinstance(line, Loop):
            total += assuming.size(line.axis) * cost_of_lines(line.body, assuming)
        else:
            total += sum((cost_of(value, assuming) for value in line.values), Fraction(0))
    return total


def own_cost(node: Value, assuming: Assumptions = PROGRAM) -> Fraction:
    """The cost of one node, its operands not included."""
    elements = Fraction(assuming.count(node.indices))
    match node:
        case Elementwise(operation, arguments):
            return elements * _weight(operation, arguments)
        case Reduce(operand, _, _, _):
            return Fraction(assuming.count(operand.indices))
        case MatrixProduct(left, right) | Tensordot(left, right, _, _):
            return _multiply_adds(left, right, assuming) + elements
        case Scan(operand):
            return Fraction(SCATTER_WEIGHT * assuming.count(operand.indices))
        case ScatterAdd(rows=rows) | ScatterExtremum(rows=rows):
            return SCATTER_WEIGHT * assuming.count(rows.indices) + elements
        case Nearest(points, rows):
            return _multiply_adds(points, rows, assuming) + elements * assuming.size(rows.indices[0].axis)
        case Reshape(operand, _) | Refold(operand, _):
            return elements if isinstance(operand, COPIED_BY_RESHAPE) else Fraction(0)
        case Cast() | AsDoubles() | AsIntegers() | Copy() | Fill() | Pad() | Gather() | Clip() | Symmetric():
            return elements
        case Solve(matrix, right):
            factorised = _factorisation(matrix, FACTORISATION_WEIGHT, assuming)
            return factorised + _multiply_adds(matrix, right, assuming)
        case Inverse(operand):
            return _factorisation(operand, INVERSE_WEIGHT, assuming)
        case Cofactors(operand):
            return _factorisation(operand, COFACTOR_WEIGHT, assuming)
        case Determinant(operand, _) | Cholesky(operand, _):
            return _factorisation(operand, FACTORISATION_WEIGHT, assuming)
    return Fraction(0)


def _weight(operation: str, arguments: Sequence[Value]) -> int:
    if operation == "power":
        exponent = arguments[1]
        return power_weight(Fraction(exponent.value) if isinstance(exponent, Literal) else None)
    if operation in ARITHMETIC | COMPARISONS | CONNECTIVES or operation == "where":
        return 1
    return ROOT_WEIGHT if operation == "sqrt" else weight_of(operation)


def _multiply_adds(left: Value, right: Value, assuming: Assumptions) -> Fraction:
    return assuming.count({*left.indices, *right.indices}) * MATRIX_PRODUCT_WEIGHT


def _factorisation(matrix: Value, weight: Fraction, assuming: Assumptions) -> Fraction:
    """That part of n^3 multiply-adds, for each matrix of the batch."""
    size = assuming.size(matrix.indices[-1].axis)
    return assuming.count(matrix.indices) * size * MATRIX_PRODUCT_WEIGHT * weight
