"""Rules of inverses."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from symbackprop.notation.arithmetic import factors_of, is_sum, multiply
from symbackprop.notation.expressions import Delta, Element, Expression, Index, Reduction
from symbackprop.notation.matrices import MatrixFunction
from symbackprop.rewriting.rule import Rule


def matrix_rules(symmetric: Collection[str]) -> tuple[Rule, ...]:
    """The rules, where these tensors are symmetric in their last two indices."""
    return (
        Rule(
            "inverse times matrix",
            "sum(j, inv(X)[i,j]*X[j,k]) = delta(i,k)",
            lambda node: cancel(node, symmetric),
            "an inverse disappears",
        ),
    )


def cancel(node: Expression, symmetric: Collection[str] = ()) -> Expression | None:
    """sum(j, inv(X)[i,j]*X[j,k]) = delta(i,k), and sum(j, X[i,j]*inv(X)[j,k]) = delta(i,k)."""
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, inverse in enumerate(factors):
        for other, matrix in enumerate(factors):
            if not (isinstance(inverse, MatrixFunction) and inverse.kind == "inv"):
                continue
            if not (isinstance(matrix, Element) and matrix.positions[:-2] == inverse.batch):
                continue
            rest = multiply(*(each for number, each in enumerate(factors) if number not in (place, other)))
            for summed, left, right in _meetings(inverse, matrix, inverse.tensor in symmetric):
                elsewhere = rest.free_indices | left.free_indices | right.free_indices
                elsewhere |= frozenset(inverse.batch_indices)
                if summed in node.indices and summed not in elsewhere:
                    bound = tuple(index for index in node.indices if index != summed)
                    body = multiply(Delta(left, right), rest)
                    return Reduction("sum", bound, body) if bound else body
    return None


def _meetings(
    inverse: MatrixFunction, matrix: Element, symmetric: bool
) -> Iterator[tuple[Index, Expression, Expression]]:
    """The index in which an inverse and its matrix meet, and what stands at their other positions."""
    if matrix.tensor != inverse.tensor:
        return
    row, column = inverse.positions
    first, second = matrix.positions[-2:]
    pairs = [(column, first, row, second), (row, second, first, column)]
    if symmetric:
        pairs += [(column, second, row, first), (row, first, second, column)]
    for here, there, left, right in pairs:
        if here == there and isinstance(here, Index):
            yield here, left, right
