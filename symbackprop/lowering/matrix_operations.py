"""Inverses, determinants and linear systems to operations on matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symbackprop.array.ir import Elementwise, Expand, Literal, Reduce, Reshape
from symbackprop.array.layout import layout_of
from symbackprop.array.linear_algebra import Cholesky, Cofactors, Determinant, Diagonal, Inverse, Solve
from symbackprop.array.value import Value
from symbackprop.array.views import as_real, filled, grouped, ordered
from symbackprop.lowering.reading import Source
from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import fresh_index, substitute
from symbackprop.schedule.solves import LinearSystem
from symbackprop.schedule.terms import Indices

Lowering = Callable[[Expression, Indices], Value]
Part = Callable[[Source, Indices, Element, Indices], Value]


def matrix_function(
    node: MatrixFunction, order: Indices, positive_definite: Mapping[str, str], value: Lowering, part_of: Part
) -> Value:
    """The operation, its axes in the given order; `value` lowers expressions, `part_of` reads what they give.

    log det P = 2 sum log diag L for a positive definite P = L L', which raises LinAlgError where P is not.
    Systems are solved by LU all the same: NumPy has no solver for triangular matrices, and two general solves
    on L take twice the time of one on P (measured for n from 50 to 1000).
    """
    if node.positions:
        return _element(node, order, value, part_of)
    rows = fresh_index(Index(node.axis.label, node.axis), node.batch_indices)
    columns = fresh_index(rows, (*node.batch_indices, rows))
    matrix = _matrix(node, (*node.batch_indices, rows, columns), value)
    if node.kind == "det":
        return ordered(Determinant(matrix), order)
    definite = positive_definite.get(node.tensor)
    if definite is not None:
        place = len(matrix.layout) - 2
        diagonal = Elementwise("log", (Diagonal(Cholesky(matrix, definite), place, place + 1, rows),))
        total = Reduce(diagonal, "sum", (place,))
        return ordered(Elementwise("multiply", (Literal(2.0), total)), order)
    return ordered(Determinant(matrix, logarithm=True), order)


def _element(node: MatrixFunction, order: Indices, value: Lowering, part_of: Part) -> Value:
    """An element of the inverse or a cofactor: the whole matrix is read as a tensor is."""
    own = (*node.batch_indices, *(Index(node.axis.label, node.axis) for _ in range(2)))

    def whole(names: Indices) -> Value:
        *batch, row, column = names
        if node.kind == "inv":
            return Inverse(_matrix(node, (*batch, column, row), value))
        return Cofactors(_matrix(node, names, value))

    element = Element(node.tensor, (*node.batch_indices, *node.positions))
    return ordered(part_of(whole, own, element, order), order)


def solution(system: LinearSystem, order: Indices, value: Lowering) -> Value:
    """The solution of a linear system, all right-hand sides at once, its axes in the given order."""
    inverse, summed, free = system.inverse, system.summed, system.free
    row, column = inverse.positions
    assert isinstance(free, Index) and isinstance(row, Index) and isinstance(column, Index)
    batch = inverse.batch_indices
    read = value(Element(inverse.tensor, (*inverse.batch, column, row)), (*batch, summed, free))
    if free in system.right.free_indices:
        apart = fresh_index(free, system.right.free_indices)
        off_diagonal = LinearSystem(inverse, summed, substitute(system.right, {free: apart}))
        whole = solution(off_diagonal, (*order, apart), value)
        own = whole.indices
        return ordered(Diagonal(whole, own.index(free), own.index(apart), free), order)
    right = as_real(_right_hand_side(system, batch, order, value))
    columns = tuple(index for index in right.indices if index not in (*batch, summed))
    if not batch and not columns:
        return Solve(read, right)
    shared = tuple(index for index in batch if index in right.indices)
    right = grouped(right, (*layout_of(shared), (summed,), *((columns,) if columns else ())))
    if not columns:
        right = Expand(right, (len(right.layout),))
    solved = Solve(read, right)
    target = layout_of((*batch, free, *columns))
    return ordered(Reshape(solved, target) if solved.layout != target else solved, order)


def _right_hand_side(system: LinearSystem, batch: Indices, order: Indices, value: Lowering) -> Value:
    """The right-hand side; one that has a part of the batch gets all of it."""
    right = value(system.right, (*order, system.summed))
    present = [index for index in batch if index in right.indices]
    if not present or len(present) == len(batch):
        return right
    missing = tuple(index for index in batch if index not in present)
    return filled(right, (*missing, *right.indices))


def _matrix(node: MatrixFunction, names: Indices, value: Lowering) -> Value:
    """The matrices over these names: the batch's indices, row and column."""
    return value(Element(node.tensor, (*node.batch, *names[-2:])), names)
