"""Where an inverse meets what it is multiplied by: the sum becomes one that a solver computes.

sum(i, j, a[i]*inv(X)[i,j]*b[j]) is read as sum(i, a[i]*sum(j, inv(X)[i,j]*b[j])), in which the inner sum is
the solution of a linear system. An inverse that is multiplied by nothing stays an inverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symbackprop.cost.assumptions import PROGRAM
from symbackprop.notation.arithmetic import factors_of, is_sum, multiply
from symbackprop.notation.expressions import Expression, Index, Multiply, Reduction
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.rewriting.rule import Rule
from symbackprop.schedule.named_equations import NamedEquation, rewritten


@dataclass(frozen=True)
class LinearSystem:
    """sum(summed, inverse*right): the solution for the matrix, or its transpose, and the right-hand side."""

    inverse: MatrixFunction
    summed: Index
    right: Expression

    @property
    def free(self) -> Expression:
        """The inverse's other index, over which the solution runs."""
        row, column = self.inverse.positions
        return row if column == self.summed else column

    def with_right(self, right: Expression) -> Reduction:
        """The sum with another right-hand side."""
        return Reduction("sum", (self.summed,), Multiply((self.inverse, right)))


def linear_system(expression: Expression) -> LinearSystem | None:
    """The linear system whose solution a sum is; None for any other expression."""
    if not is_sum(expression) or len(expression.indices) != 1:
        return None
    (summed,) = expression.indices
    factors = factors_of(expression.body)
    if len(factors) < 2 or not is_inverse(factors[0]):
        return None
    inverse, right = factors[0], multiply(*factors[1:])
    assert isinstance(inverse, MatrixFunction)
    system = LinearSystem(inverse, summed, right)
    return system if _is_solvable(system) else None


def is_inverse(expression: Expression) -> bool:
    """Whether the expression is an element of an inverse."""
    return isinstance(expression, MatrixFunction) and expression.kind == "inv"


def _is_solvable(system: LinearSystem) -> bool:
    """Whether the inverse meets the right-hand side in the summed index.

    Where the right-hand side has the other index too, the solution's diagonal is meant, as in a trace of
    inv(X)*A; an inverse times an inverse is left there to be computed as such.
    """
    inverse, right = system.inverse, system.right
    row, column = inverse.positions
    return (
        all(isinstance(index, Index) and index.axis == inverse.axis for index in (row, column))
        and {row, column} <= inverse.free_indices  # a loop's counter is none
        and row != column
        and not {row, column} & set(inverse.batch_indices)
        and system.summed in (row, column)
        and system.summed in right.free_indices
        and not (system.free in right.free_indices and any(map(is_inverse, right.walk())))
    )


def with_solves(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations with every sum over an inverse and other factors as nested linear systems."""
    return tuple([rewritten(item, (SOLVE,)) for item in items])


def nested(node: Expression) -> Expression | None:
    """A sum over an inverse and other factors, with a linear system of its own for each inverse."""
    if not is_sum(node) or linear_system(node) is not None:
        return None
    bound, factors = list(node.indices), list(factors_of(node.body))
    changed = False
    while candidates := list(_candidates(bound, factors)):
        absorbed, inside, system = min(candidates, key=lambda each: _effort(each[2]))
        bound = [index for index in bound if index != system.summed and index not in absorbed]
        place = min(inside)
        factors = [factor for number, factor in enumerate(factors) if number not in inside]
        factors.insert(place, system.with_right(system.right))
        changed = True
    if not changed:
        return None
    body = multiply(*factors)
    return Reduction("sum", tuple(bound), body) if bound else body


def _candidates(
    bound: Sequence[Index], factors: Sequence[Expression]
) -> Iterator[tuple[tuple[Index, ...], set[int], LinearSystem]]:
    """Each inverse with the factors that share its summed index, and the indices that only they have."""
    for place, inverse in enumerate(factors):
        if not (isinstance(inverse, MatrixFunction) and inverse.kind == "inv"):
            continue
        for summed in inverse.positions:
            if not isinstance(summed, Index) or summed not in bound:
                continue
            met = {
                number
                for number, factor in enumerate(factors)
                if number != place and summed in factor.free_indices
            }
            outside = frozenset[Index]().union(
                *(factor.free_indices for number, factor in enumerate(factors) if number not in met)
            )
            together = [factors[number] for number in sorted(met)]
            if not together:
                continue
            within = frozenset[Index]().union(*(factor.free_indices for factor in together))
            absorbed = tuple(index for index in bound if index in within - outside and index != summed)
            right = multiply(*together)
            system = LinearSystem(inverse, summed, Reduction("sum", absorbed, right) if absorbed else right)
            if _is_solvable(system):
                yield absorbed, {place, *met}, system


def _effort(system: LinearSystem) -> tuple[int, bool]:
    """How many right-hand sides there are, beyond the batch of matrices; then, whether X is transposed."""
    others = system.right.free_indices - {system.summed, *system.inverse.batch_indices}
    return PROGRAM.count(others), system.summed == system.inverse.positions[0]


SOLVE = Rule(
    "solve",
    "sum(i, j, f*inv(X)[i,j]*g) = sum(i, f*sum(j, inv(X)[i,j]*g)), where f is independent of j",
    nested,
    where=("f is independent of j",),
    example="sum(j, j2, y[j]*inv(T)[j,j2]*y[j2])",
    near_miss="sum(j, inv(T)[j,j2]*y[j])",
)
