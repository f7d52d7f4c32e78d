"""Sums with a difference in common as one: c*sum(i, x[i] - m) + c*sum(i, x[i] - m) is 2*c*sum(i, x[i] - m).

One name for each would hide that, and sum(i, x[i]) - size(i)*m has lost digits where x is close to m.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations

from symbackprop.notation.arithmetic import add, coefficient_and_rest, is_sum, multiply, terms_of
from symbackprop.notation.expressions import Add, Expression, Number, Reduction
from symbackprop.notation.substitution import in_the_names_of, rename_bound
from symbackprop.rules.conditions import contains_delta, when
from symbackprop.rules.stating import stated


def gather_differences(node: Expression) -> Expression | None:
    """The first two terms of a sum that are sums with a difference in common as one."""
    if not isinstance(node, Add):
        return None
    places = [place for place, term in enumerate(node.terms) if _total(term) is not None]
    for here, there in combinations(places, 2):
        joined = _joined(node.terms[here], node.terms[there])
        if joined is not None:
            return add(*node.terms[:here], joined, *node.terms[here + 1 : there], *node.terms[there + 1 :])
    return None


def _total(term: Expression) -> Reduction | None:
    """The only sum among the factors of a term, where it is one of several terms without a delta."""
    totals = [factor for factor in coefficient_and_rest(term)[1] if is_sum(factor)]
    if len(totals) != 1 or not isinstance(totals[0].body, Add) or contains_delta(totals[0].body):
        return None
    return totals[0]


def _joined(one: Expression, other: Expression) -> Expression | None:
    (number, factors), (second, others) = coefficient_and_rest(one), coefficient_and_rest(other)
    total, added = _total(one), _total(other)
    if total is None or added is None:
        return None
    outer = [factor for factor in factors if factor is not total]
    if Counter(outer) != Counter([factor for factor in others if factor is not added]):
        return None
    renamed = rename_bound(added, total.free_indices | {*total.indices})
    for body in in_the_names_of(total.indices, renamed):
        gathered = _gathered(number, total.body, second, body)
        if gathered is not None:
            return multiply(*outer, _sum_of(total, gathered))
    return None


def _gathered(number: Fraction, one: Expression, second: Fraction, other: Expression) -> Expression | None:
    """number*one + second*other; a multiple of the one as it stands, where the other is one."""
    own, added = _numbers(one), _numbers(other)
    scales = {added[rest] / own[rest] for rest in own if rest in added}
    for scale in sorted(scales):
        if len({number > 0 for rest, number in own.items() if added.get(rest) == scale * number}) == 2:
            if added == {rest: scale * each for rest, each in own.items()}:
                return multiply(Number(number + scale * second), one)
            rests = dict.fromkeys((*own, *added))
            return add(
                *(multiply(Number(number * own.get(r, 0) + second * added.get(r, 0)), r) for r in rests)
            )
    return None


def _numbers(total: Expression) -> dict[Expression, Fraction]:
    """The number of each term, those of -(y - z) among them."""
    found: dict[Expression, Fraction] = {}
    for term in terms_of(total):
        number, rest = coefficient_and_rest(term)
        for each in terms_of(multiply(*rest)):
            own, factors = coefficient_and_rest(each)
            bare = multiply(*factors)
            found[bare] = found.get(bare, Fraction(0)) + number * own
    return {rest: number for rest, number in found.items() if number}


def _sum_of(total: Reduction, body: Expression) -> Expression:
    """The sum over the same indices of another body, whose common number goes before it."""
    number, rest = coefficient_and_rest(body)
    inside = multiply(*rest)
    common = _common_number(inside)
    terms = add(*(multiply(Number(1 / common), term) for term in terms_of(inside)))
    return multiply(Number(number * common), total.with_children((terms,)))


def _common_number(total: Expression) -> Fraction:
    """What all terms are multiplied by, whatever their signs; 1 without such."""
    sizes = {abs(coefficient_and_rest(term)[0]) for term in terms_of(total)}
    return max(sizes) if len(sizes) == 1 and 0 not in sizes else Fraction(1)


GATHER_DIFFERENCES = stated(
    "gather differences",
    "n*c*sum(i, f + g) + m*c*sum(i, f + h) = c*sum(i, (n + m)*f + n*g + m*h)",
    gather_differences,
    where=(when("difference", "f"),),
    decreases="bound indices",
    example="c*sum(i, x[i] - c - 1) + c*sum(i2, x[i2] - c)",
    near_miss="sum(i, x[i] - c) + sum(i, x[i] + 2*c)",
    roots=(Add,),
)
