"""Differences of sums that agree at one place as sums of differences: there the terms cancel, large or not.

sum(j, p[j]*w[i,j]) - p[i]*sum(j, w[i,j]), for the pull of j on i less that of i on j, has lost digits to
w[i,i], which is no part of the result: 1/(d[i,j] + eps) is largest where d[i,i] = 0.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from symbackprop.notation.arithmetic import factors_of, multiply, subtract
from symbackprop.notation.expressions import Add, Expression, Index, Number, Reduction
from symbackprop.notation.substitution import canonical_bound_names, in_the_names_of, rename_bound, substitute
from symbackprop.presentation.gathering import Term, as_one_term, term_of
from symbackprop.rules.conditions import contains_delta, when
from symbackprop.rules.stating import stated


def gather_where_they_meet(node: Expression) -> Expression | None:
    """f*sum(j, g) - sum(j, h) = sum(j, f*g - h), where f*g is h at j = i."""
    if not isinstance(node, Add):
        return None
    terms = [(place, found) for place, term in enumerate(node.terms) if (found := term_of(term)) is not None]
    for (here, one), (there, other) in combinations(terms, 2):
        gathered = _gathered(one, other) if one.number == -other.number else None
        if gathered is not None:
            return as_one_term(node, here, there, gathered)
    return None


def _gathered(one: Term, other: Term) -> Expression | None:
    if contains_delta(one.total.body) or contains_delta(other.total.body):
        return None
    outside = frozenset[Index]().union(*(each.free_indices for each in (*one.outer, *other.outer)))
    total = rename_bound(one.total, outside | other.total.free_indices)
    added = rename_bound(other.total, outside | total.free_indices | {*total.indices})
    for body in in_the_names_of(total.indices, added):
        first, second = multiply(*one.outer, total.body), multiply(*other.outer, body)
        if _meet(total, first, second):
            shared = Counter(factors_of(first)) & Counter(factors_of(second))
            rests = [multiply(*(Counter(factors_of(each)) - shared).elements()) for each in (first, second)]
            inside = multiply(*shared.elements(), subtract(*rests))
            return multiply(Number(one.number), total.with_children((inside,)))
    return None


def _meet(total: Reduction, first: Expression, second: Expression) -> bool:
    """Whether both are the same where a bound index is one outside, and not everywhere."""
    free = (first.free_indices | second.free_indices) - {*total.indices}
    pairs = [(bound, index) for bound in total.indices for index in free if index.axis == bound.axis]
    return any(
        _factors(substitute(first, {bound: index})) == _factors(substitute(second, {bound: index}))
        for bound, index in pairs
    )


def _factors(product: Expression) -> Counter[Expression]:
    return Counter(factors_of(canonical_bound_names(product)))


GATHER_WHERE_THEY_MEET = stated(
    "gather where they meet",
    "n*f*sum(j, g) - n*sum(j, h) = n*sum(j, f*g - h)",
    gather_where_they_meet,
    where=(when("same at one place", "f*g", "h"),),
    decreases="sums",
    example="y[j3]*sum(j, T[j3,j]) - sum(j2, T[j3,j2]*y[j2])",
    near_miss="y[j3]*sum(j, T[j3,j]) - 2*sum(j2, T[j3,j2]*y[j2])",
    roots=(Add,),
)
