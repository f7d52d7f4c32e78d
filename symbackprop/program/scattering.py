"""Sums with a delta between a looked-up place and an index of the result: scatter-adds.

grad_C[v,e] = sum(n, t, delta_y[n,t,e]*delta(ids[n,t], v))
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.notation.arithmetic import factors_of, multiply
from symbackprop.notation.expressions import Delta, Element, Expression, Index, Reduction

Indices = tuple[Index, ...]


@dataclass(frozen=True)
class Scatter:
    """sum(along, rows*delta(place, index))*rest; the place depends on all of `along`, and on nothing else."""

    place: Expression
    index: Index
    along: Indices
    rows: Expression
    rest: Expression


def scattered(reduction: Reduction, order: Indices) -> Scatter | None:
    """The sum as a scatter-add; None where it is none."""
    factors = factors_of(reduction.body)
    for number, factor in enumerate(factors):
        for place, index in _sides(factor):
            others = (*factors[:number], *factors[number + 1 :])
            along = tuple(each for each in reduction.indices if each in place.free_indices)
            rows = [other for other in others if index not in other.free_indices]
            rest = [other for other in others if index in other.free_indices]
            apart = not any(set(reduction.indices) & other.free_indices for other in rest)
            if index in order and along and apart and place.free_indices == set(along):
                inner = tuple(each for each in reduction.indices if each not in along)
                body = multiply(*rows)
                summed = Reduction("sum", inner, body) if inner else body
                return Scatter(place, index, along, summed, multiply(*rest))
    return None


def _sides(factor: Expression) -> list[tuple[Expression, Index]]:
    """(place, index) of a delta between a looked-up place and an index."""
    if not isinstance(factor, Delta):
        return []
    pairs = ((factor.left, factor.right), (factor.right, factor.left))
    return [
        (place, index) for place, index in pairs if isinstance(place, Element) and isinstance(index, Index)
    ]
