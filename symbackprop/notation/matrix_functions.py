"""Functions of a whole matrix: inv(X)[i,j], cofactor(X)[i,j], det(X), logdet(X), of square named tensors.

inv(S[t])[i,j]    MatrixFunction("inv", "S", axis, (t,), (i, j))
logdet(X)         MatrixFunction("logdet", "X", axis)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from symbackprop.notation.expressions import Axis, Element, Expression, Index
from symbackprop.notation.nodes import cached_property

MatrixFunctionKind: TypeAlias = Literal["inv", "cofactor", "det", "logdet"]


@dataclass(frozen=True, eq=False, repr=False)
class MatrixFunction(Expression):
    """An element of the inverse or of the cofactors, the determinant, or log|det| of a tensor's matrices.

    The tensor's last two indices run over `axis`; `batch` are the positions before them, `positions` the row
    and the column of an inverse or of the cofactors. cofactor(X)[i,j] is (-1)^(i+j) times the determinant of
    X without row i and column j: det(X)*inv(X)[j,i] where X is invertible, and finite everywhere.
    """

    kind: MatrixFunctionKind
    tensor: str
    axis: Axis
    batch: tuple[Expression, ...] = ()
    positions: tuple[Expression, ...] = ()

    @property
    def children(self) -> tuple[Expression, ...]:
        """The batch positions, then row and column."""
        return (*self.batch, *self.positions)

    def with_children(self, children: tuple[Expression, ...]) -> MatrixFunction:
        """The same function of the same tensor at other positions."""
        split = len(self.batch)
        return MatrixFunction(self.kind, self.tensor, self.axis, children[:split], children[split:])

    @cached_property
    def tensors(self) -> frozenset[str]:
        """The matrix, and the tensors that the positions read."""
        return frozenset((self.tensor,)).union(*(child.tensors for child in self.children))

    @property
    def batch_indices(self) -> tuple[Index, ...]:
        """The indices that tell one matrix from another, in reading order."""
        free = frozenset[Index]().union(*(position.free_indices for position in self.batch))
        nodes = (node for position in self.batch for node in position.walk())
        return tuple(dict.fromkeys(node for node in nodes if isinstance(node, Index) and node in free))

    def at(self, row: Expression, column: Expression) -> MatrixFunction:
        """The element of the same matrix's inverse at a row and a column."""
        return MatrixFunction("inv", self.tensor, self.axis, self.batch, (row, column))

    def cofactor(self, row: Expression, column: Expression) -> MatrixFunction:
        """The same matrix's cofactor at a row and a column."""
        return MatrixFunction("cofactor", self.tensor, self.axis, self.batch, (row, column))

    @property
    def determinant(self) -> MatrixFunction:
        """The same matrix's determinant."""
        return MatrixFunction("det", self.tensor, self.axis, self.batch)


def reading(node: Expression) -> Element | None:
    """What a node reads itself: the element that it is, or that stands for the matrix it is a function of.

    Row and column of a whole matrix are read from end to end, by indices `:` that no equation has.
    """
    match node:
        case Element():
            return node
        case MatrixFunction(_, tensor, axis, batch, _):
            return Element(tensor, (*batch, Index(":", axis), Index(":", axis)))
    return None


def readings(expression: Expression) -> Iterator[Element]:
    """All that an expression reads, as elements and as matrices, in reading order, with repetitions."""
    return (read for read in map(reading, expression.walk()) if read is not None)


def without_position(read: Element | MatrixFunction, place: int) -> Element | MatrixFunction:
    """The same reading of a tensor that lacks the index at this place."""
    positions = read.children
    rest = (*positions[:place], *positions[place + 1 :])
    if isinstance(read, MatrixFunction):
        return replace(read, batch=rest[: len(read.batch) - 1], positions=rest[len(read.batch) - 1 :])
    return Element(read.tensor, rest)


def tensor_read(node: Expression) -> str | None:
    """The tensor that a node reads itself: as an element, or as a matrix."""
    return node.tensor if isinstance(node, Element | MatrixFunction) else None
