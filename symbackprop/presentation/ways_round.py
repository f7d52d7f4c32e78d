"""Differences that stand both ways round in one product: (y - x)*sum(j, g[j]*(x - y)), (y - x)/abs(x - y)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TypeAlias

from symbackprop.notation.arithmetic import (
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
)
from symbackprop.notation.expressions import Add, Expression, Index, Number, Reduction
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.rewriting.matching import match

# The number in front of each term of a difference, its tensors and its size; indices may have other names.
_Difference: TypeAlias = frozenset[tuple[Fraction, frozenset[str], int]]


def meets_its_opposite(factor: Expression, others: Sequence[Expression]) -> bool:
    """Whether the factor has a difference in it, and another of the factors the same the other way round."""
    found = {terms for each in others for terms in _differences_in(each)}
    return any(_opposite(terms) in found for terms in _differences_in(factor)) or (
        isinstance(factor, Add) and divides_its_opposite(factor, others)
    )


def divides_its_opposite(difference: Add, others: Sequence[Expression]) -> bool:
    """Whether one of the factors divides by what is of y - x, for x - y; under sums at other indices."""
    if not _is_difference(difference):
        return False
    below = [node for each in others for node in each.walk() if is_reciprocal(node)]
    if not any(difference.tensors <= node.tensors for node in below):
        return False
    opposite = canonical_bound_names(negate(difference))
    found = dict.fromkeys(pair for node in below for pair in _sums_in(node, frozenset()))
    stated = [_is_image(total, opposite, bound) for total, bound in found if _is_difference(total)]
    as_it_is = canonical_bound_names(difference)
    return any(stated) and not any(_is_image(total, as_it_is, bound) for total, bound in found)


def _sums_in(node: Expression, bound: frozenset[Index]) -> Iterator[tuple[Add, frozenset[Index]]]:
    """Each sum of terms in an expression, with the indices that are bound around it."""
    if isinstance(node, Add):
        yield node, bound
    inner = bound | {*node.indices} if isinstance(node, Reduction) else bound
    for child in node.children:
        yield from _sums_in(child, inner)


def _is_image(total: Add, difference: Expression, bound: frozenset[Index]) -> bool:
    """Whether the sum is the difference, at other indices for those that are bound around it."""
    return any(True for _ in match(canonical_bound_names(total), difference, bound & total.free_indices))


def _is_difference(total: Add) -> bool:
    return len({coefficient_and_rest(term)[0] > 0 for term in total.terms}) == 2


def _differences_in(factor: Expression) -> Iterator[_Difference]:
    """The differences among a factor, or among those that it sums; x[i] - x[j] has no way round."""
    for part in factors_of(factor.body) if isinstance(factor, Reduction) else (factor,):
        if isinstance(part, Add) and _is_difference(part):
            numbers = [coefficient_and_rest(term) for term in part.terms]
            found = frozenset(
                (number, multiply(*rest).tensors, multiply(*rest).node_count) for number, rest in numbers
            )
            if found != _opposite(found):
                yield found


def _opposite(terms: _Difference) -> _Difference:
    return frozenset((-number, tensors, size) for number, tensors, size in terms)


def is_something_less_number(factor: Expression) -> bool:
    """Whether the factor is z^2 - 1 or its like, which reads better the other way round."""
    return isinstance(factor, Add) and any(
        isinstance(term, Number) and term.value < 0 for term in factor.terms
    )
