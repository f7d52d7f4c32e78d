"""Inverses, determinants and linear systems to operations of `np.linalg`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from symbackprop.errors import ProgramError
from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.notation.matrices import MatrixFunction
from symbackprop.notation.printing import text
from symbackprop.notation.substitution import fresh_index, substitute
from symbackprop.program.ir import Diagonal, Elementwise, Expand, Literal, Reduce, Reshape
from symbackprop.program.layout import layout_of
from symbackprop.program.linear_algebra import Cholesky, Determinant, Inverse, Solve
from symbackprop.program.solves import LinearSystem
from symbackprop.program.terms import Indices
from symbackprop.program.value import Value
from symbackprop.program.views import as_real, filled, grouped, ordered

Lowering = Callable[[Expression, Indices], Value]


def matrix_function(
    node: MatrixFunction, order: Indices, positive_definite: Collection[str], value: Lowering
) -> Value:
    """The operation, its axes in the given order; `value` lowers expressions.

    log det P = 2 sum log diag L for a positive definite P = L L', which raises LinAlgError where P is not.
    Systems are solved by LU all the same: NumPy has no solver for triangular matrices, and two general solves
    on L take twice the time of one on P (measured for n from 50 to 1000).
    """
    rows, columns = _distinct(node)
    if node.kind == "inv":
        result: Value = Inverse(_matrix(node, (columns, rows), value))
        return ordered(_with_diagonals(result, (rows, columns), node.positions), order)
    matrix = _matrix(node, (rows, columns), value)
    if node.kind == "det":
        return ordered(Determinant(matrix), order)
    if node.tensor in positive_definite:
        place = len(matrix.layout) - 2
        diagonal = Elementwise("log", (Diagonal(Cholesky(matrix), place, place + 1, rows),))
        total = Reduce(diagonal, "sum", (place,))
        return ordered(Elementwise("multiply", (Literal(2.0), total)), order)
    return ordered(Determinant(matrix, logarithm=True), order)


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


def _distinct(node: MatrixFunction) -> Indices:
    """A name of its own for row and column each; that which stands at its position, where it can."""
    row, column = node.positions or (Index(node.axis.label, node.axis),) * 2
    if not (isinstance(row, Index) and isinstance(column, Index)):
        raise ProgramError(
            f"{text(node)}: an inverse is read at plain indices alone",
            remedy="name the inverse by an equation, Y[i,j] = inv(X)[i,j]",
        )
    taken = [*node.batch_indices, row, column]
    own: list[Index] = []
    for index in (row, column):
        clashes = index in (*node.batch_indices, *own) or not node.positions
        own.append(fresh_index(index, taken) if clashes else index)
        taken.append(own[-1])
    return tuple(own)


def _matrix(node: MatrixFunction, names: Indices, value: Lowering) -> Value:
    return value(Element(node.tensor, (*node.batch, *names)), (*node.batch_indices, *names))


def _with_diagonals(value: Value, names: Sequence[Index], positions: Sequence[Expression]) -> Value:
    """The elements where a name of its own agrees with the index that stands at its position."""
    for name, position in zip(names, positions, strict=True):
        if name != position:
            assert isinstance(position, Index)
            own = value.indices
            value = Diagonal(value, own.index(position), own.index(name), position)
    return value
