"""Which positions of a sum's indices contribute: a Kronecker delta of the whole body leaves one.

sum(a, r, f*delta(2*a + r, i))                 visits all a, and of the r only i - 2*a
sum(k', f*(delta(k',k) - p[k']*delta(k',k)))   visits of the k' only k, as each term is 0 elsewhere
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from symbackprop.integers.linear import linear_form
from symbackprop.integers.recognition import is_rounded_of_indices
from symbackprop.notation.arithmetic import is_sum, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Delta,
    Expression,
    Index,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import rename_bound


@dataclass(frozen=True)
class TiedSum:
    """sum(visited, body), in which each index of `tied` stands where its expression says.

    The expressions read no tied index. The deltas stay in the body: where a position leaves its axis, they
    are 0 at every position inside.
    """

    visited: tuple[Index, ...]
    tied: Mapping[Index, Expression]
    body: Expression


@lru_cache(maxsize=10_000)
def tied_sum(node: Reduction) -> TiedSum:
    """A sum with as many of its indices tied as its deltas allow; asked again at every evaluation."""
    node = _joined(node)
    tied: dict[Index, Expression] = {}
    for delta in deltas_of(node.body):
        for index in node.indices:
            place = _solved(delta, index)
            if place is None or index in tied or not place.free_indices.isdisjoint(tied):
                continue
            if not any(index in other.free_indices for other in tied.values()):
                tied[index] = place
                break
    visited = tuple(index for index in node.indices if index not in tied)
    return TiedSum(visited, tied, node.body)


def _joined(node: Reduction) -> Reduction:
    """sum(a, f*sum(r, g)) as sum(a, r, f*g), where deltas of g tie an index of the outer sum."""
    if not isinstance(node.body, Multiply):
        return node
    for place, factor in enumerate(node.body.factors):
        if not is_sum(factor):
            continue
        others = (*node.body.factors[:place], *node.body.factors[place + 1 :])
        around = frozenset(node.indices).union(*(other.free_indices for other in others))
        inner = rename_bound(factor, around)
        ties = [delta for delta in deltas_of(inner.body) if _solves_both(delta, node, inner)]
        if ties:
            body = Multiply((*others, inner.body))
            return _joined(Reduction("sum", (*node.indices, *inner.indices), body))
    return node


def _solves_both(delta: Delta, outer: Reduction, inner: Reduction) -> bool:
    """Whether a delta holds indices of both sums, and can be solved for one of the outer's."""
    free = delta.free_indices
    return not free.isdisjoint(inner.indices) and any(
        _solved(delta, index) is not None for index in outer.indices
    )


def deltas_of(expression: Expression) -> list[Delta]:
    """The deltas without each of which the whole expression is 0, whatever the conditions."""
    match expression:
        case Delta() if not expression.tensors and not any(map(is_rounded_of_indices, expression.children)):
            return [expression]  # floor(log(s - t)) is one where a condition says so
        case Multiply(factors):
            return [delta for factor in factors for delta in deltas_of(factor)]
        case Add((first, *others)):
            among = [deltas_of(other) for other in others]
            return [delta for delta in deltas_of(first) if all(delta in each for each in among)]
        case Reduction("sum", indices, body):
            bound = frozenset(indices)
            return [delta for delta in deltas_of(body) if not delta.free_indices & bound]
        case Where(_, chosen, otherwise) if ZERO in (chosen, otherwise):
            return deltas_of(otherwise if chosen == ZERO else chosen)
    return []


def _solved(delta: Delta, index: Index) -> Expression | None:
    """Where the index stands if the delta is 1; None where it is not in it exactly once, times 1 or -1."""
    if index not in delta.free_indices:
        return None
    if isinstance(delta.left, Index) and isinstance(delta.right, Index) and delta.left != delta.right:
        return delta.right if index == delta.left else delta.left  # most deltas: no need of a linear form
    form = linear_form(subtract(delta.left, delta.right))
    factor = form.coefficient(index)
    if abs(factor) != 1:
        return None
    place = form.without(index).scaled(-factor).expression()
    return None if index in place.free_indices else place
