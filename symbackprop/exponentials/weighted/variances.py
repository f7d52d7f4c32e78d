"""A variance by the weights of a mean, which is what a mean's derivative by their temperature is.

In sum(i, p*(f - m)*f) the roundings of f - m are multiplied by f, which may be large and vary little; as
sum(i, p*(f - m)) is 0, it is sum(i, p*(f - m)^2) as well. Of sum(i, p*f^2) - m^2 there is nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, permutations

from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.weighted.means import are_alike, is_weighted_mean, opened, without
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    divide,
    factors_of,
    is_sum,
    multiply,
    negate,
    power,
    subtract,
)
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Element,
    Expression,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import fresh_index, substitute

SQUARE = Number(2)


def less_weighted_mean(node: Expression, meanings: Meanings) -> Expression | None:
    """sum(i, g*(f - m)*f) = sum(i, g*(f - m)*(f - m)), m = sum(i, w*f)/sum(i, w), where g/w has no i."""
    if not is_sum(node):
        return None
    assert isinstance(node, Reduction)
    factors = factors_of(node.body)
    pieces = [_pieces(each, meanings) for each in factors]
    parts = [[part for each in inside for part in opened(each, meanings)] for inside in pieces]
    for place, inside in enumerate(pieces):
        others = [part for number, each in enumerate(parts) if number != place for part in each]
        for value in inside:
            left = without(inside, value)
            for difference in others:
                mean = _subtracted(difference, value)
                beside = [part for each in left for part in opened(each, meanings)]
                beside += without(others, difference)
                if mean is not None and _varies_by(node, mean, value, beside, meanings):
                    less = _as_part_of(factors[place], multiply(*left, subtract(value, mean)))
                    body = multiply(*factors[:place], less, *factors[place + 1 :])
                    return Reduction("sum", node.indices, body)
    return None


def _pieces(factor: Expression, meanings: Meanings) -> list[Expression]:
    """The factors that it is of, of where(c, f, 0) those of f if one of them is 0 where c does not hold."""
    if isinstance(factor, Where) and factor.otherwise == ZERO:
        inside = [part for each in factors_of(factor.chosen) for part in opened(each, meanings)]
        masks = (each for each in map(meanings.of_earlier, inside) if isinstance(each, Where))
        if any((each.condition, each.otherwise) == (factor.condition, ZERO) for each in masks):
            return list(factors_of(factor.chosen))
    return opened(factor, meanings)


def _as_part_of(factor: Expression, product: Expression) -> Expression:
    """The product under the condition of the factor that it was in."""
    return replace(factor, chosen=product) if isinstance(factor, Where) else product


def _subtracted(difference: Expression, value: Expression) -> Expression | None:
    """m of value - m, or of m - value."""
    if isinstance(difference, Add) and len(difference.terms) == 2:
        for one, other in (difference.terms, difference.terms[::-1]):
            if one == value:
                return negate(other)
            if one == negate(value):
                return other
    return None


def _varies_by(
    total: Reduction, mean: Expression, value: Expression, beside: list[Expression], meanings: Meanings
) -> bool:
    """Whether it is the value's mean over those indices of a sum that it does not have itself."""
    over = [each for each in total.indices if each not in mean.free_indices]
    return bool(over) and is_weighted_mean(mean, value, beside, over, meanings)


def variance_by_mean(node: Expression, meanings: Meanings) -> Expression | None:
    """g*sum(i, w*f^2) - g*m*sum(i, w*f) = g*sum(i, w*(f - m)^2), m = sum(i, w*f)/sum(i, w).

    A term with one sum as a factor is multiplied out for that; of two sums over indices it is one.
    """
    if not isinstance(node, Add):
        return None
    return _of_products(node, meanings) or _of_sums(node, meanings)


def _of_sums(node: Add, meanings: Meanings) -> Expression | None:
    for one, other in combinations(node.terms, 2):
        (number, first), (times, second) = map(coefficient_and_rest, (one, other))
        match first, second:
            case [Reduction("sum", indices, body)], [Reduction("sum", others, opposite)]:
                if [each.axis for each in indices] == [each.axis for each in others]:
                    moved = substitute(opposite, dict(zip(others, indices, strict=True)))
                    inside = add(multiply(Number(number), body), multiply(Number(times), moved))
                    found = variance_by_mean(inside, meanings)
                    if found is not None:
                        return add(
                            *without(without(node.terms, one), other), Reduction("sum", indices, found)
                        )
    return None


def _of_products(node: Add, meanings: Meanings) -> Expression | None:
    products = [each for place, term in enumerate(node.terms) for each in _products(place, term)]
    for square, other in permutations(products, 2):
        for total in filter(is_sum, square.factors):
            variance = _variance(total, square, other, meanings)
            if variance is not None:
                taken = {square.place, other.place}
                beside = [each for each in products if each.place in taken and each not in (square, other)]
                kept = [term for place, term in enumerate(node.terms) if place not in taken]
                return add(*kept, *(multiply(*each.factors) for each in beside), variance)
    return None


@dataclass(frozen=True)
class _Product:
    """The factors of a term of a sum, or of one of those that this is where it is multiplied out."""

    place: int
    factors: tuple[Expression, ...]


def _products(place: int, term: Expression) -> Iterator[_Product]:
    factors = factors_of(term)
    sums = [each for each in factors if isinstance(each, Add)]
    if len(sums) == 1:
        for each in sums[0].terms:
            yield _Product(place, (*factors_of(each), *without(factors, sums[0])))
    else:
        yield _Product(place, tuple(factors))


def _variance(total: Expression, square: _Product, other: _Product, meanings: Meanings) -> Expression | None:
    """The difference of two products by the mean of what stands squared in the sum of the first."""
    assert isinstance(total, Reduction)
    around, factors = without(square.factors, total), factors_of(total.body)
    for value in [base for base, exponent in map(base_and_exponent, factors) if exponent == SQUARE]:
        weight = without(factors, power(value, SQUARE))
        first, whole = (Reduction("sum", total.indices, multiply(*weight, *each)) for each in ([value], []))
        wanted = [part for each in (*around, first) for part in opened(each, meanings)]
        beside = [part for each in weight for part in opened(each, meanings)]
        names = [base for base, _ in map(base_and_exponent, other.factors) if isinstance(base, Element)]
        for mean in (*dict.fromkeys(names), divide(*map(_renamed, (first, whole)))):
            left = factors_of(divide(negate(multiply(*other.factors)), mean))
            found = [part for each in left for part in opened(each, meanings)]
            if are_alike(wanted, found) and is_weighted_mean(mean, value, beside, total.indices, meanings):
                less = multiply(*weight, power(subtract(value, mean), SQUARE))
                return multiply(*around, Reduction("sum", total.indices, less))
    return None


def _renamed(total: Reduction) -> Reduction:
    """The same sum over other indices, as it is to stand in a sum over its own."""
    bound = {each: fresh_index(each, total.free_indices | {*total.indices}) for each in total.indices}
    return Reduction("sum", tuple(bound.values()), substitute(total.body, bound))
