"""Differences of two that are close: of products with a common factor, of slopes of sigmoids."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.sigmoids import sigmoid_argument
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import ONE, ZERO, Add, Element, Expression, Number
from symbackprop.notation.pairs import as_power


def difference(one: Expression, other: Expression) -> Expression:
    """f - g; f*h - g*h = (f - g)*h, where f and g have terms in common."""
    common = [each for each in factors_of(one) if each in factors_of(other) and each.tensors]
    if common:
        rest = (multiply(*(each for each in factors_of(part) if each not in common)) for part in (one, other))
        first, second = rest
        left = subtract(first, second)
        if len(terms_of(left)) < len(terms_of(first)) + len(terms_of(second)):
            return multiply(left, *common)
    return subtract(one, other)


def difference_of_slopes(node: Expression, meanings: Meanings) -> Expression | None:
    """(f*(1 - f) - g*(1 - g))*h/(f - g) = (1 - f - g)*h, f and g sigmoids; f - g and h/(f - g) may be names.

    f - g may be 0 far from 0. The slope of sigmoid(-u) is that of sigmoid(u).
    """
    factors = factors_of(node)
    for place, factor in enumerate(factors):
        slopes = [slope for term in terms_of(factor) if (slope := _slope(term, meanings)) is not None]
        if not len(terms_of(factor)) == len(slopes) == 2 or slopes[0][0] != -slopes[1][0]:
            continue
        rest = [
            inner
            for each in (*factors[:place], *factors[place + 1 :])
            for inner in factors_of_quotient(each, meanings)
        ]
        for below in rest:
            sigmoids = _sigmoids_between(below, meanings)
            for sign, (f, g) in ((1, sigmoids), (-1, sigmoids[::-1])) if sigmoids else ():
                if all(_has_slope(*each, meanings) for each in zip((f, g), slopes, strict=True)):
                    others = (each for each in rest if each is not below)
                    number = Number(sign * slopes[0][0])
                    return multiply(number, *others, add(ONE, *(negate(each) for each in sigmoids)))
    return None


def _sigmoids_between(factor: Expression, meanings: Meanings) -> tuple[Expression, ...]:
    """(f, g) of 1/(f - g), also behind a name, where both are sigmoids."""
    base, exponent = as_power(factor)
    terms = terms_of(meanings.of_earlier(base)) if exponent == -1 else ()
    parts = [coefficient_and_rest(each) for each in terms]
    found = [multiply(*rest) for _, rest in sorted(parts, key=lambda part: -part[0])]
    is_difference = sorted(number for number, _ in parts) == [-1, 1]
    return tuple(found) if is_difference and all(sigmoid_argument(each, meanings) for each in found) else ()


def _has_slope(sigmoid: Expression, slope: tuple[Fraction, Expression], meanings: Meanings) -> bool:
    one, other = (sigmoid_argument(each, meanings) for each in (sigmoid, slope[1]))
    return one is not None and other is not None and other in (one, negate(one))


def factors_of_quotient(factor: Expression, meanings: Meanings) -> Sequence[Expression]:
    """The factors of what a name stands for, if one of them is the reciprocal of a whole power."""
    inside = factors_of(multiply(meanings.of_earlier(factor)))
    return inside if any(as_power(each)[1] < 0 for each in inside) else (factor,)


def _slope(term: Expression, meanings: Meanings) -> tuple[Fraction, Expression] | None:
    """(n, f) of n*f*(1 - f) for a sigmoid f."""
    number, rest = coefficient_and_rest(term)
    for one, other in (rest, rest[::-1]) if len(rest) == 2 else ():
        if other == subtract(ONE, one) and sigmoid_argument(one, meanings) is not None:
            return number, one
    return None


def is_difference_of_rows(node: Expression) -> bool:
    """Whether it is x[i] - x[j]: 0 to the last digit where both are one row, however large."""
    match [coefficient_and_rest(term) for term in terms_of(node)]:
        case [(number, [Element(tensor)]), (opposite, [Element(other)])]:
            return tensor == other and number == -opposite
    return False


def pairs_of_rows(terms: Sequence[Expression]) -> tuple[list[Expression], list[Expression]]:
    """The differences x[i] - x[j] of elements of one tensor among terms, and the terms that are left.

    Of multiples too: x[i] + x[j] - 2*x[l] = (x[i] - x[l]) + (x[j] - x[l]).
    """
    parts = [coefficient_and_rest(term) for term in terms]
    times = {rest[0]: number for number, rest in parts if len(rest) == 1 and isinstance(rest[0], Element)}
    pairs: list[Expression] = []
    for row, other in permutations(times, 2):
        count = min(times[row], -times[other])
        if row.tensor == other.tensor and count > 0:
            pairs.append(multiply(Number(count), Add((row, negate(other)))))
            times[row] -= count
            times[other] += count
    left = [
        multiply(Number(times[rest[0]]), *rest) if len(rest) == 1 and isinstance(rest[0], Element) else term
        for term, (_, rest) in zip(terms, parts, strict=True)
    ]
    return pairs, [each for each in left if each != ZERO] if pairs else list(terms)
