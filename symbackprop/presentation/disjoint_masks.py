"""Masks that exclude each other as one: where(i < j, f, 0) + where(j < i, f, 0) is where(i != j, f, 0)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import combinations

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import coefficient_and_rest, is_sum, multiply
from symbackprop.notation.expressions import (
    MIRRORED,
    ZERO,
    Add,
    Comparison,
    ComparisonOperator,
    Expression,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import in_the_names_of, rename_bound
from symbackprop.presentation.gathering import as_one_term, signed
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated

UNIONS: Mapping[frozenset[ComparisonOperator], ComparisonOperator] = {
    frozenset(("<", ">")): "!=",
    frozenset(("<", "==")): "<=",
    frozenset((">", "==")): ">=",
}


def joined_masks(node: Expression) -> Expression | None:
    """n*where(i < j, f, 0) + n*where(j < i, f, 0) = n*where(i != j, f, 0), the first two such terms.

    The masks may stand under sums over like indices, and beside factors that both terms have; y - x and x - y
    differ in the sign.
    """
    if not isinstance(node, Add):
        return None
    masked = [place for place, term in enumerate(node.terms) if _holds_mask(term)]
    terms = {place: coefficient_and_rest(signed(node.terms[place])) for place in masked if len(masked) > 1}
    for here, there in combinations(terms, 2):
        (one, first), (other, second) = terms[here], terms[there]
        joined = _joined(multiply(*first), multiply(*second)) if one == other else None
        if joined is not None:
            return as_one_term(node, here, there, multiply(Number(one), joined))
    return None


def _holds_mask(term: Expression) -> bool:
    return any(isinstance(node, Where) for node in term.walk())


def _joined(one: Expression, other: Expression) -> Expression | None:
    """The sum of the two as one of them, with another mask; None where they differ in more."""
    match one, other:
        case Where(first, chosen, left), Where(second, same, right) if chosen == same:
            union = _union(first, second) if left == right == ZERO else None
            return None if union is None else Where(union, chosen, ZERO)
        case Reduction(), Reduction() if is_sum(one) and is_sum(other):
            bodies = in_the_names_of(one.indices, rename_bound(other, one.free_indices))
            joined = (_joined(one.body, body) for body in bodies)
            return next((one.with_children((each,)) for each in joined if each is not None), None)
        case Multiply(), Multiply():
            return _joined_factor(one, other)
    return None


def _joined_factor(one: Multiply, other: Multiply) -> Expression | None:
    """Two products that differ in one factor."""
    mine, theirs = (
        Counter(one.factors) - Counter(other.factors),
        Counter(other.factors) - Counter(one.factors),
    )
    if mine.total() != 1 or theirs.total() != 1:
        return None
    (own,), (own_of_other,) = mine, theirs
    joined = _joined(own, own_of_other)
    place = one.factors.index(own)
    return None if joined is None else multiply(*one.factors[:place], joined, *one.factors[place + 1 :])


def _union(one: Expression, other: Expression) -> Expression | None:
    """One comparison of positions for two that exclude each other, beside conditions that both have."""
    shared = [each for each in conjuncts(one) if each in conjuncts(other)]
    mine, theirs = ([each for each in conjuncts(side) if each not in shared] for side in (one, other))
    match mine, theirs:
        case [Comparison(operator, left, right) as condition], [Comparison(against, of, to)]:
            if (of, to) == (right, left):
                against, of, to = MIRRORED[against], to, of
            joined = UNIONS.get(frozenset((operator, against)))
            if (of, to) == (left, right) and joined is not None and not condition.tensors:
                return conjunction((*shared, Comparison(joined, left, right)))
    return None


JOINED_MASKS = stated(
    "masks that exclude each other",
    "where(i < j, f, 0) + where(j < i, f, 0) = where(i != j, f, 0), "
    "where(i < j, f, 0) + where(i == j, f, 0) = where(i <= j, f, 0)",
    joined_masks,
    where=(when("about indices", "i < j"),),
    decreases="wheres",
    example="2*c*sum(j, where(j < j3, y[j], 0)) + 2*c*sum(j2, where(j3 < j2, y[j2], 0))",
    near_miss="c*sum(j, where(j < j3, y[j], 0)) + 2*c*sum(j2, where(j3 < j2, y[j2], 0))",
    roots=(Add,),
)
