"""How many operations a line of a program takes, as a polynomial in the sizes of axes.

One operation is an addition, a multiplication or any other arithmetic, a comparison, or a call of a function,
on one number. A multiply-add in a matrix product counts two. What only moves numbers counts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import prod

from symbackprop.array.ir import Elementwise, Reduce
from symbackprop.array.linear_algebra import Cholesky, Cofactors, Determinant, Inverse, Solve
from symbackprop.array.lookups import Nearest, Scan, ScatterAdd, ScatterExtremum
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.program import Line, Loop, Store
from symbackprop.array.slices import Conditional, Count
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


def operations_of_lines(lines: Iterable[Line], loops: tuple[Loop, ...] = ()) -> Polynomial:
    """The operations of lines within `loops`, which repeat them as often as their axes have places."""
    return total_of(_operations_of_line(line, loops) for line in lines)


def _operations_of_line(line: Line, loops: tuple[Loop, ...]) -> Polynomial:
    if isinstance(line, Loop):
        return operations_of_lines(line.body, (*loops, line))
    computed = total_of(_operations_of(value, loops) for value in line.values)
    adds = isinstance(line, Store) and line.accumulate
    return computed + Polynomial.elements(line.value.indices) * _times(loops) if adds else computed


def _times(loops: Iterable[Loop]) -> Polynomial:
    return prod((Polynomial.size(loop.axis) for loop in loops), start=Polynomial.of(1))


def _operations_of(value: Value, loops: tuple[Loop, ...]) -> Polynomial:
    """The operations of a value, its operands included; of a `where`'s branches the costlier one.

    A branch that one step of a loop takes alone is computed in that step.
    """
    if not isinstance(value, Conditional):
        return _own(value) * _times(loops) + total_of(_operations_of(each, loops) for each in value.operands)
    others = tuple(loop for loop in loops if not _is_one_step(value.condition, loop))
    chosen, otherwise = _operations_of(value.chosen, others), _operations_of(value.otherwise, loops)
    return chosen + otherwise if len(others) < len(loops) else max(chosen, otherwise, key=_typical)


def _is_one_step(condition: Value, loop: Loop) -> bool:
    """Whether it says of a loop's counter alone which place it is at: t == T - 1."""
    counter = Count(loop.counter, loop.axis)
    return (
        isinstance(condition, Elementwise)
        and condition.operation == "=="
        and counter in condition.arguments
        and sum(node == counter for node in condition.walk()) == 1
    )


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
        case Scan(operand):
            return Polynomial.elements(operand.indices)
        case ScatterAdd(rows=rows) | ScatterExtremum(rows=rows):
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
