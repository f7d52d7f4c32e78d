"""How many operations a line of a program takes, as a polynomial in the sizes of axes.

One operation is an addition, a multiplication or any other arithmetic, a comparison, or a call of a function,
on one number. A multiply-add in a matrix product counts two. What only moves numbers counts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from symbackprop.array.ir import Elementwise, Reduce
from symbackprop.array.linear_algebra import Cholesky, Cofactors, Determinant, Inverse, Solve
from symbackprop.array.lookups import Nearest, ScatterAdd
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.program import Line, Loop, Store
from symbackprop.array.slices import Conditional
from symbackprop.array.value import Value
from symbackprop.cost.assumptions import TYPICAL_SIZE
from symbackprop.cost.weights import COFACTOR_WEIGHT, FACTORISATION_WEIGHT, INVERSE_WEIGHT
from symbackprop.explanation.programs.polynomials import Polynomial, total_of
from symbackprop.indexing.counting import size_of
from symbackprop.integers.base_sizes import with_formulas
from symbackprop.notation.expressions import Index, Size
from symbackprop.schedule.kinds import Kind

MULTIPLY_ADD = 2
_PYTHON = (Kind.PYTHON, Kind.PYTHON_BOOLEAN)


def operations_of_lines(lines: Iterable[Line]) -> Polynomial:
    """The operations of statements, a loop's body as often as its axis has places."""
    return total_of(map(_operations_of_line, lines))


def _operations_of_line(line: Line) -> Polynomial:
    if isinstance(line, Loop):
        return operations_of_lines(line.body) * Polynomial.size(line.axis)
    computed = total_of(map(operations_of, line.values))
    adds = isinstance(line, Store) and line.accumulate
    return computed + Polynomial.elements(line.value.indices) if adds else computed


def operations_of(value: Value) -> Polynomial:
    """The operations of a value, its operands included; of a `where`'s branches the costlier one."""
    if isinstance(value, Conditional):
        return max(map(operations_of, (value.chosen, value.otherwise)), key=_typical)
    return _own(value) + total_of(map(operations_of, value.operands))


def _typical(operations: Polynomial) -> int:
    sizes = (size for monomial in operations.terms for size in monomial)
    named = (node.axis.name for size in sizes for node in with_formulas(size) if isinstance(node, Size))
    return operations.at(dict.fromkeys(named, TYPICAL_SIZE))


def _own(node: Value) -> Polynomial:
    match node:
        case Elementwise() if node.kind not in _PYTHON:
            return Polynomial.elements(node.indices)
        case Reduce(operand, _, _, _):
            return Polynomial.elements(operand.indices)
        case MatrixProduct(left, right) | Tensordot(left, right, _, _):
            return _multiply_adds(left.indices, right.indices)
        case ScatterAdd(_, rows, _):
            return Polynomial.elements(rows.indices)
        case Nearest(points, rows):
            return _multiply_adds(points.indices, rows.indices)
        case Solve(matrix, right):
            return _factorisation(matrix, FACTORISATION_WEIGHT) + _multiply_adds(
                matrix.indices, right.indices
            )
        case Inverse(operand):
            return _factorisation(operand, INVERSE_WEIGHT)
        case Cofactors(operand):
            return _factorisation(operand, COFACTOR_WEIGHT)
        case Determinant(operand, _) | Cholesky(operand, _):
            return _factorisation(operand, FACTORISATION_WEIGHT)
    return Polynomial()


def _multiply_adds(left: Iterable[Index], right: Iterable[Index]) -> Polynomial:
    return Polynomial.elements({*left, *right}) * MULTIPLY_ADD


def _factorisation(matrix: Value, weight: Fraction) -> Polynomial:
    """That part of n^3 multiply-adds, for each matrix of the batch."""
    size = Polynomial({(size_of(matrix.indices[-1].axis),): Fraction(1)})
    return Polynomial.elements(matrix.indices) * size * (MULTIPLY_ADD * weight)
