"""Differences that a form multiplies out: p*a - p*b for p*(a - b) has lost digits where a and b are close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from math import prod
from typing import TypeAlias

from symbackprop.algebra.scalar_algebra import positive_first
from symbackprop.integers.bounds import conjuncts
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    is_sum,
    multiply,
    negate,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ZERO,
    Add,
    Comparison,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.rewriting.matching import match

Exponents: TypeAlias = frozenset[tuple[Expression, int]]
MOST_MONOMIALS = 64


@dataclass(frozen=True)
class _Monomial:
    """A number times powers, which may be negative; `place` is that of its term."""

    number: Fraction
    exponents: Exponents
    place: int

    @classmethod
    def of(cls, product_of_powers: Expression, place: int) -> _Monomial:
        number, factors = coefficient_and_rest(product_of_powers)
        found: Counter[Expression] = Counter()
        for factor in factors:
            match factor:
                case Power(base, Number(exponent)) if exponent.denominator == 1:
                    found[base] += int(exponent)
                case _:
                    found[factor] += 1
        return cls(number, frozenset((base, each) for base, each in found.items() if each), place)


Polynomial: TypeAlias = list[_Monomial]


def loses_a_difference(form: Expression, expression: Expression) -> bool:
    """Whether a difference that is a factor, or stated as plain terms, is none in the form."""
    return spreads_a_difference(form, expression) or splits_a_difference(form, expression)


def spreads_a_difference(form: Expression, expression: Expression) -> bool:
    """Whether a sum of the form holds every term of p*(a - b), where a - b is a factor of the expression."""
    typed = {node for node in expression.walk() if isinstance(node, Add)}
    whole = typed | {Add(tuple(map(negate, node.terms))) for node in typed}
    factors = (_polynomial(node, whole) for node in _factors(typed, expression))
    differences = [polynomial for polynomial in factors if polynomial]
    sums = [node for node in form.walk() if isinstance(node, Add) and node not in typed]
    return any(_holds(_polynomial(each, whole), difference) for each in sums for difference in differences)


def splits_a_difference(form: Expression, expression: Expression) -> bool:
    """Whether one of x and y in x - y + a*y stands beside a new sum with a number: x + y*(a - 1).

    Where a is small, what is left of x - y is lost there.
    """
    typed = {node for node in expression.walk() if isinstance(node, Add)}
    stated = [pair for node in typed if len(node.terms) > 2 for pair in _stated_differences(node)]
    beside = _beside_numbers(form, typed) if stated else {}
    return any(beside.get(one) != beside.get(other) for one, other in stated)


def _stated_differences(node: Add) -> Iterator[tuple[Expression, Expression]]:
    """The elements x and y of which a sum has n*x and -n*y among its terms."""
    parts = [(number, rest[0]) for number, rest in map(coefficient_and_rest, node.terms) if len(rest) == 1]
    elements = [(number, part) for number, part in parts if isinstance(part, Element)]
    for (number, one), (opposite, other) in combinations(elements, 2):
        if number == -opposite:
            yield one, other


def _beside_numbers(form: Expression, typed: Collection[Expression]) -> dict[Expression, set[Expression]]:
    """The sums with a number in them, but for those typed, that each factor is multiplied by."""
    found: dict[Expression, set[Expression]] = {}
    for node in form.walk():
        factors = node.factors if isinstance(node, Multiply) else ()
        sums = {each for each in factors if isinstance(each, Add) and each not in typed}
        for total in sums:
            if any(isinstance(term, Number) for term in total.children):
                for each in factors:
                    found.setdefault(each, set()).add(total)
    return found


def _factors(sums: Iterable[Add], expression: Expression) -> Iterator[Add]:
    """The differences among the sums that something is multiplied by."""
    products = [node for node in expression.walk() if isinstance(node, Multiply)]
    multiplied = {factor for product in products for factor in product.factors}
    for node in sums:
        if node in multiplied and is_difference(node):
            yield node


def is_difference(node: Expression) -> bool:
    """Whether it is a sum with terms of both signs."""
    return isinstance(node, Add) and len({coefficient_and_rest(term)[0] > 0 for term in node.terms}) == 2


def is_difference_under(indices: Collection[Index], node: Expression) -> bool:
    """Whether it is one that a sum over the indices has to keep: not if each term has places of its own."""
    return is_difference(node) and not _is_place_by_place(node, indices)


def _is_place_by_place(node: Expression, indices: Collection[Index]) -> bool:
    """Whether no two terms are at one place of the indices: where(i == 0, f, 0) - where(i == 1, g, 0)."""
    places = [_fixed_places(term, indices) for term in terms_of(node)]
    return all(
        any(one[index] != other[index] for index in one.keys() & other.keys())
        for one, other in combinations(places, 2)
    )


def _fixed_places(term: Expression, indices: Collection[Index]) -> dict[Expression, Expression]:
    """The numbers that the masks of a term compare the indices with."""
    masks = (each for each in factors_of(term) if isinstance(each, Where) and each.otherwise == ZERO)
    return {
        condition.left: condition.right
        for mask in masks
        for condition in conjuncts(mask.condition)
        if isinstance(condition, Comparison) and condition.operator == "=="
        if condition.left in indices and isinstance(condition.right, Number)
    }


def mean_taken_off(node: Expression) -> tuple[int, Expression] | None:
    """Which term of f - g - mean(i, f - g) the mean is, and the term so written.

    The sign may have gone into its sum.
    """
    for place, total, sizes, body in _own_means(node):
        if isinstance(total.body, Add):
            body = add(*positive_first([*terms_of(body)]))
            return place, multiply(MINUS_ONE, total.with_children((body,)), *sizes)
    return None


def difference_and_mean(body: Expression) -> tuple[Expression, ...]:
    """f - g and -mean(i, f - g), for f - g - mean(i, f - g): the sums of both cancel as they stand."""
    found = mean_taken_off(body)
    if found is None:
        return ()
    (place, mean), terms = found, terms_of(body)
    return add(*terms[:place], *terms[place + 1 :]), mean


def places_of_own_mean(node: Add) -> tuple[int, tuple[int, ...]] | None:
    """Which term of f - mean(i, f) the mean is, and which are f: all others, or one of them."""
    for place, total, _, body in _means(node):
        others = [other for other in range(len(node.terms)) if other != place]
        for places in (others, *([other] for other in others)):
            if _is_mean_of(total, body, add(*(node.terms[other] for other in places))):
                return place, tuple(places)
    return None


def _own_means(node: Expression) -> Iterator[tuple[int, Reduction, list[Expression], Expression]]:
    """The terms of `_means` that are means of all the others."""
    for place, total, sizes, body in _means(node):
        rest = add(*(other for number, other in enumerate(node.children) if number != place))
        if _is_mean_of(total, body, rest):
            yield place, total, sizes, body


def _means(node: Expression) -> Iterator[tuple[int, Reduction, list[Expression], Expression]]:
    """The places of means in a sum, their sums and reciprocals of sizes, and of what each is taken off."""
    if not isinstance(node, Add):
        return
    for place, term in enumerate(node.terms):
        number, factors = coefficient_and_rest(term)
        for total in filter(is_sum, factors):
            sizes = [power(Size(index.axis), MINUS_ONE) for index in total.indices]
            if abs(number) == 1 and multiply(*factors) == multiply(total, *sizes):
                yield place, total, sizes, total.body if number < 0 else negate(total.body)


def _is_mean_of(total: Reduction, body: Expression, values: Expression) -> bool:
    """Whether the values are those of the body, at the indices that the sum runs over."""
    return any(len(found) == len(total.indices) for found in match(body, values, frozenset(total.indices)))


def holds_weighted_mean(total: Reduction) -> bool:
    """Whether it is sum(i, f*(g - c*sum(i, f*g))): what is left of it is sum(i, f*g)*(1 - c*sum(i, f))."""
    factors = factors_of(total.body)
    for difference in factors:
        if not (isinstance(difference, Add) and len(difference.terms) == 2 and is_difference(difference)):
            continue
        weights = Counter(factors)
        weights[difference] -= 1
        for value, mean in (difference.terms, difference.terms[::-1]):
            weighted = _without_number(total, multiply(*weights.elements(), value))
            sums = filter(is_sum, factors_of(mean))
            if any(_without_number(each, each.body) == weighted for each in sums):
                return True
    return False


def _without_number(total: Reduction, body: Expression) -> Expression:
    """The sum of a body without its number, with canonical bound names."""
    return canonical_bound_names(total.with_children((multiply(*coefficient_and_rest(body)[1]),)))


def _polynomial(node: Add, whole: Collection[Expression]) -> Polynomial:
    """The terms of a sum, where products of sums are multiplied out: x*(1/n + 2/s) - 2*t/s^2.

    Those in `whole` are not.
    """
    summands = [[_summands(factor, whole) for factor in factors_of(term)] for term in node.terms]
    if sum(prod(map(len, each)) for each in summands) > MOST_MONOMIALS:
        summands = [[(factor,) for factor in factors_of(term)] for term in node.terms]
    return [
        _Monomial.of(multiply(*chosen), place)
        for place, each in enumerate(summands)
        for chosen in product(*each)
    ]


def _summands(factor: Expression, whole: Collection[Expression]) -> tuple[Expression, ...]:
    return (factor,) if factor in whole else terms_of(factor)


def _times(exponents: Exponents, others: Exponents, sign: int = 1) -> Exponents:
    found = Counter(dict(exponents))
    for base, exponent in others:
        found[base] += sign * exponent
    return frozenset((base, exponent) for base, exponent in found.items() if exponent)


def _holds(terms: Polynomial, difference: Polynomial) -> bool:
    """Whether all terms of the difference, times one thing that is no number, are among the terms.

    Those of one product of sums are together still. Where there is nothing else, and it has only another
    denominator, it is one still: l - x is l*(1 - x/l).
    """
    known = {each.exponents: each for each in terms}
    first, *rest = difference
    for term in terms:
        common, scale = _times(term.exponents, first.exponents, -1), term.number / first.number
        others = [(known.get(_times(common, each.exponents)), scale * each.number) for each in rest]
        found = [each for each, number in others if each is not None and each.number == number]
        is_all = len(terms) == len(difference) and any(
            _cancels(common, each.exponents) for each in difference
        )
        is_spread = len({each.place for each in (term, *found)}) > 1
        if common and len(found) == len(rest) and is_spread and not is_all:
            return True
    return False


def _cancels(exponents: Exponents, others: Exponents) -> bool:
    """Whether a base of one is a divisor in the other."""
    known = dict(others)
    return any(known.get(base, 0) * exponent < 0 for base, exponent in exponents)


def subtracts_elements(node: Expression) -> bool:
    """Whether it is a sum of x[i] - y, which may be far smaller than either, and maybe of other terms."""
    if not isinstance(node, Reduction):
        return False
    parts = [coefficient_and_rest(term) for term in terms_of(node.body)]
    elements = [
        (number, rest[0]) for number, rest in parts if len(rest) == 1 and isinstance(rest[0], Element)
    ]
    is_summed = any(element.free_indices & {*node.indices} for _, element in elements)
    return is_summed and len({number > 0 for number, _ in elements}) == 2
