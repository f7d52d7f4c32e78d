"""A value beside its weighted mean, f - sum(i, f*w): all of f cancels where one of a softmax's w is 1.

Two terms of a sum are such a pair if they are c*f and -c*sum(i, f*w), with a divisor of the sum or without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

from symbackprop.notation.arithmetic import (
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    is_sum,
    multiply,
    terms_of,
)
from symbackprop.notation.expressions import Add, Element, Expression, Multiply, Number, Power, Reduction
from symbackprop.notation.substitution import bound_names_by_height, substitute
from symbackprop.rewriting.justification import Equality
from symbackprop.rewriting.matching import match

Product: TypeAlias = tuple[Fraction, Counter[Expression]]
Pair: TypeAlias = tuple[Expression, Expression]
MOST_DEGREE = 8


def weighted_sum(formula: Expression) -> Reduction | None:
    """sum(i, w*f) of a formula that is that, with divisors or without."""
    match [each for each in factors_of(formula) if not is_reciprocal(each)]:
        case [Reduction("sum", _, Multiply()) as total]:
            return total
    return None


def places_of_weighted_mean(
    node: Add, names: Mapping[Element, Expression] = MappingProxyType({})
) -> tuple[int, int] | None:
    """Which term of a sum is c*f, and which -c*sum(i, f*w), by its name or not; None without such."""
    sums: dict[Expression, Expression] = {
        name: bound_names_by_height(formula) for name, formula in names.items()
    }
    whole = bound_names_by_height(node) if names else node
    return next((places for places, _ in _pairs(whole, sums)), None) if isinstance(whole, Add) else None


def shared_factors(value: Expression, mean: Expression) -> Expression:
    """The product of what both have as factors, squares twice; numbers are not looked at."""
    (_, one), (_, other) = (number_and_factors(each, {}) for each in (value, mean))
    return multiply(*(one & other).elements())


def parts_a_weighted_mean(
    form: Expression, expression: Expression, names: Mapping[Expression, Expression]
) -> bool:
    """Whether the form holds an f and a sum(i, f*w) that the expression takes off it, and not side by side.

    a*f + a*(1 - sum(i, f*w)) for a*(f - sum(i, f*w)) + a loses the 1 where f is large. `names` are those of
    sums and of multiples of such names, with what they stand for.
    """
    sums = _followed(names)
    stated = _pairs_in(expression, sums)
    if not stated:
        return False
    found = bound_names_by_height(form)
    held = {node for each in found.walk() for node in (each, *factors_of(sums.get(each, each)))}
    flat = [[number_and_factors(each, sums) for each in _flat_terms(node)] for node in _sums_in(found)]
    return any(
        _atoms(value) | {total} <= held and not any(_are_beside(value, total, terms) for terms in flat)
        for value, total in stated
    )


def _followed(names: Mapping[Expression, Expression]) -> dict[Expression, Expression]:
    """What names stand for, a multiple of another name as one of what that stands for."""
    found = {name: bound_names_by_height(formula) for name, formula in names.items() if is_sum(formula)}
    for name, formula in names.items():
        match coefficient_and_rest(formula):
            case number, [Element() as other] if other in found:
                found[name] = multiply(Number(number), found[other])
    return found


def is_sum_or_multiple(formula: Expression) -> bool:
    """Whether it is a sum, or a number times an element, which may be the name of one."""
    return is_sum(formula) or isinstance(multiply(*coefficient_and_rest(formula)[1]), Element)


def _atoms(value: Expression) -> set[Expression]:
    """The factors, of a sum those of its terms."""
    return {
        factor for term in terms_of(value) for factor in factors_of(term) if not isinstance(factor, Number)
    }


def _are_beside(value: Expression, total: Expression, terms: Sequence[Product]) -> bool:
    """Whether a sum has all terms of c*f beside one of c*total, in whatever numbers."""
    wanted = [number_and_factors(each, {})[1] for each in terms_of(value)]
    for _, factors in terms:
        if total in factors:
            around = factors - Counter([total])
            around -= Counter({each: around[each] for each in around if isinstance(each, Add)})
            if all(any(_without(others, around) == each for _, others in terms) for each in wanted):
                return True
    return False


def takes_off(expression: Expression, name: Expression, equalities: Iterable[Equality]) -> bool:
    """Whether the expression takes a name, that of a sum by these, off a value that the sum is of."""
    sums = _followed(dict(equalities))
    return name in sums and bool(_pairs_in(expression, {name: sums[name]}))


def _pairs_in(expression: Expression, names: Mapping[Expression, Expression]) -> set[Pair]:
    """Those at the free indices of an expression: below a binder, `match` lets no index stand for another."""
    sums = _sums_in(bound_names_by_height(expression))
    return {pair for node in sums for _, pair in _pairs(Add(tuple(_flat_terms(node))), names)}


def _sums_in(expression: Expression) -> Iterator[Add]:
    return (node for node in expression.walk() if isinstance(node, Add))


def _flat_terms(node: Add) -> Iterator[Expression]:
    """The terms, those of a multiple of a sum one by one: f - (g + h) and f - 2*(g + h)."""
    for term in node.terms:
        number, factors = coefficient_and_rest(term)
        match factors:
            case [Add() as inner]:
                yield from (multiply(Number(number), each) for each in _flat_terms(inner))
            case _:
                yield term


def _pairs(node: Add, names: Mapping[Expression, Expression]) -> Iterator[tuple[tuple[int, int], Pair]]:
    """The places of each value and its mean among the terms, and both without what multiplies them."""
    terms = [number_and_factors(term, names) for term in node.terms]
    for mean, (number, factors) in enumerate(terms):
        for total in filter(is_sum, factors):
            assert isinstance(total, Reduction)
            around = factors - Counter([total])
            within, weighted = number_and_factors(total.body, names)
            for place, (other, others) in enumerate(terms):
                value = _without(others, around)
                if other == -number * within and value and is_weighted(total, weighted, value):
                    yield (place, mean), (multiply(*value.elements()), total)


def number_and_factors(term: Expression, names: Mapping[Expression, Expression]) -> Product:
    """The number and the factors of a term, a square as two of them and a name as what it stands for."""
    number, factors = coefficient_and_rest(term)
    found: Counter[Expression] = Counter()
    for factor in factors:
        base, times = factor, 1
        match factor:
            case Power(inner, Number(exponent)) if exponent.denominator == 1 and 1 < exponent <= MOST_DEGREE:
                base, times = inner, int(exponent)
        multiple, parts = coefficient_and_rest(names.get(base, base))
        number *= multiple**times
        found.update({part: times for part in parts})
    return number, found


def _without(factors: Counter[Expression], around: Counter[Expression]) -> Counter[Expression]:
    """The factors without those around a sum; of the latter a divisor need not be among them."""
    if any(times > factors[each] for each, times in around.items() if not is_reciprocal(each)):
        return Counter()
    return factors - around


def is_weighted(total: Reduction, weighted: Counter[Expression], value: Counter[Expression]) -> bool:
    """Whether the value stands among the factors summed up, at the indices that the sum runs over."""
    first = next(iter(value))
    return any(
        found and value <= Counter([substitute(each, found) for each in weighted.elements()])
        for pattern in weighted
        for found in match(pattern, first, frozenset(total.indices))
    )
