"""A value beside its weighted mean, f - sum(i, f*w): all of f cancels where one of a softmax's w is 1.

Two terms of a sum are such a pair if they are c*f and -c*sum(i, f*w), with a divisor of the sum or without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TypeAlias

from symbackprop.notation.arithmetic import (
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    is_sum,
    multiply,
)
from symbackprop.notation.expressions import Add, Expression, Number, Power, Reduction
from symbackprop.notation.substitution import bound_names_by_height, substitute
from symbackprop.rewriting.matching import match

Pair: TypeAlias = tuple[Expression, Expression]
MOST_DEGREE = 8


def places_of_weighted_mean(node: Add) -> tuple[int, int] | None:
    """Which term of a sum is c*f, and which -c*sum(i, f*w); None without such."""
    return next((places for places, _ in _pairs(node, {})), None)


def parts_a_weighted_mean(
    form: Expression, expression: Expression, names: Mapping[Expression, Expression]
) -> bool:
    """Whether the form holds an f and a sum(i, f*w) that the expression takes off it, and not side by side.

    a*f + a*(1 - sum(i, f*w)) for a*(f - sum(i, f*w)) + a loses the 1 where f is large. `names` are those of
    sums, with what they stand for.
    """
    sums = {name: bound_names_by_height(formula) for name, formula in names.items()}
    stated = _pairs_in(expression, sums)
    missing = stated - _pairs_in(form, sums, with_others=True) if stated else stated
    if not missing:
        return False
    nodes = {sums.get(node, node) for node in bound_names_by_height(form).walk()}
    return any(set(factors_of(value)) | {total} <= nodes for value, total in missing)


def takes_off(expression: Expression, name: Expression, total: Expression) -> bool:
    """Whether the expression takes a name, that of a sum, off a value that the sum is of."""
    return bool(_pairs_in(expression, {name: bound_names_by_height(total)}))


def _pairs_in(
    expression: Expression, names: Mapping[Expression, Expression], with_others: bool = False
) -> set[Pair]:
    """Those at the free indices of an expression: below a binder, `match` lets no index stand for another."""
    sums = (node for node in bound_names_by_height(expression).walk() if isinstance(node, Add))
    return {pair for node in sums for _, pair in _pairs(Add(tuple(_flat_terms(node))), names, with_others)}


def _flat_terms(node: Add) -> Iterator[Expression]:
    """The terms, those of a multiple of a sum one by one: f - (g + h) and f - 2*(g + h)."""
    for term in node.terms:
        number, factors = coefficient_and_rest(term)
        match factors:
            case [Add() as inner]:
                yield from (multiply(Number(number), each) for each in _flat_terms(inner))
            case _:
                yield term


def _pairs(
    node: Add, names: Mapping[Expression, Expression], with_others: bool = False
) -> Iterator[tuple[tuple[int, int], Pair]]:
    """The places of each value and its mean among the terms, and both without what multiplies them.

    `with_others` the mean is taken together with other multiples of it: f + sum(i, f*w)*(sum(i, w) - 2).
    """
    terms = [_number_and_factors(term, names) for term in node.terms]
    for mean, (number, factors) in enumerate(terms):
        for total in filter(is_sum, factors):
            assert isinstance(total, Reduction)
            around = factors - Counter([total])
            if with_others:
                around -= Counter({each: around[each] for each in around if _is_apart(each, total, names)})
            within, weighted = _number_and_factors(total.body, names)
            for place, (other, others) in enumerate(terms):
                value = _without(others, around)
                is_taken_off = with_others or other == -number * within
                if is_taken_off and value and _is_weighted(total, weighted, value):
                    yield (place, mean), (multiply(*value.elements()), total)


def _is_apart(factor: Expression, total: Expression, names: Mapping[Expression, Expression]) -> bool:
    return isinstance(factor, Add) and all(names.get(node, node) != total for node in factor.walk())


def _number_and_factors(
    term: Expression, names: Mapping[Expression, Expression]
) -> tuple[Fraction, Counter[Expression]]:
    """The number and the factors of a term, a square as two of them and a name as what it stands for."""
    number, factors = coefficient_and_rest(term)
    found: Counter[Expression] = Counter()
    for factor in factors:
        base, times = factor, 1
        match factor:
            case Power(inner, Number(exponent)) if exponent.denominator == 1 and 1 < exponent <= MOST_DEGREE:
                base, times = inner, int(exponent)
        found[names.get(base, base)] += times
    return number, found


def _without(factors: Counter[Expression], around: Counter[Expression]) -> Counter[Expression]:
    """The factors without those around a sum; of the latter a divisor need not be among them."""
    if any(times > factors[each] for each, times in around.items() if not is_reciprocal(each)):
        return Counter()
    return factors - around


def _is_weighted(total: Reduction, weighted: Counter[Expression], value: Counter[Expression]) -> bool:
    """Whether the value stands among the factors summed up, at the indices that the sum runs over."""
    first = next(iter(value))
    return any(
        found and value <= Counter([substitute(each, found) for each in weighted.elements()])
        for pattern in weighted
        for found in match(pattern, first, frozenset(total.indices))
    )
