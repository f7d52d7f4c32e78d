"""Builders that do the bookkeeping of sums, products and powers, keeping the order they are given.

They flatten nested sums and products, fold numbers, drop 0 and 1, and collect equal factors into powers and
equal terms into multiples. They never multiply out and never reorder.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeGuard

from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
)
from symbackprop.notation.nodes import multiset

MOST_WORKED_OUT = 1000  # the exponent of a number up to which its power is a number
SWALLOWED = 4  # how many times greater a number is that takes digits of another
_EXACT = 2**24  # below it a whole number, over a power of 2, is a number of float32
_ONCE = Fraction(1)


def coefficient_and_rest(term: Expression) -> tuple[Fraction, tuple[Expression, ...]]:
    """Split a term into its number in front and its other factors."""
    if isinstance(term, Number):
        return term.value, ()
    if not isinstance(term, Multiply):
        return _ONCE, (term,)
    number = _ONCE
    rest = []
    for factor in term.factors:
        if isinstance(factor, Number):
            number = factor.value if number is _ONCE else number * factor.value
        else:
            rest.append(factor)
    return number, tuple(rest)


def base_and_exponent(factor: Expression) -> tuple[Expression, Expression]:
    """Read a factor as a power; x is x^1."""
    return (factor.base, factor.exponent) if isinstance(factor, Power) else (factor, ONE)


def power(base: Expression, exponent: Expression) -> Expression:
    """base ^ exponent, with x^0, x^1, powers of numbers and powers of powers worked out.

    (x^a)^b is x^(a*b) only where that holds for every real x: for an integer b.
    """
    if exponent == ONE:
        return base
    if exponent == ZERO:
        return ONE
    if isinstance(exponent, Number) and exponent.value.denominator == 1:
        whole = exponent.value.numerator
        if isinstance(base, Number) and abs(whole) <= MOST_WORKED_OUT and (base.value or whole > 0):
            return Number(base.value**whole)
        if isinstance(base, Power) and isinstance(base.exponent, Number):
            return power(base.base, Number(base.exponent.value * whole))
        if isinstance(base, Multiply):
            return multiply(*(power(factor, exponent) for factor in base.factors))
    if isinstance(exponent, Number) and base == ONE:
        return ONE
    return Power(base, exponent)


def _worked_out(node: Power) -> Expression:
    """The power as `power` has it; the node itself, which remembers its hash, where that is the same."""
    found = power(node.base, node.exponent)
    is_itself = isinstance(found, Power) and found.base is node.base and found.exponent is node.exponent
    return node if is_itself else found


def multiply(*factors: Expression) -> Expression:
    """The product: flat, its number in front, equal bases collected (x^a * x^b is x^(a+b))."""
    number = _ONCE
    exponents: dict[Expression, Expression] = {}
    standing: dict[Expression, Expression | None] = {}  # by its base, a factor that none is collected with
    pending = list(reversed(factors))
    while pending:
        factor = pending.pop()
        if isinstance(factor, Power):
            factor = _worked_out(factor)
        if isinstance(factor, Multiply):
            pending.extend(reversed(factor.factors))
        elif isinstance(factor, Number):
            number = factor.value if number is _ONCE else number * factor.value
        else:
            base, exponent = base_and_exponent(factor)
            if base in exponents:
                exponents[base], standing[base] = add(exponents[base], exponent), None
            else:
                exponents[base], standing[base] = exponent, factor
    if number == 0:
        return ZERO
    rest: list[Expression] = []
    for base, exponent in exponents.items():
        factor = standing[base] or power(base, exponent)
        if isinstance(factor, Number):
            number *= factor.value
        else:
            rest.append(factor)
    if not rest or number != 1:
        rest.insert(0, Number(number))
    return rest[0] if len(rest) == 1 else Multiply(tuple(rest))


def add(*terms: Expression) -> Expression:
    """The sum: flat, equal terms collected, in order of first appearance.

    Numbers are folded; those that another would swallow beside further terms come last: 1 - x + 1e-9.
    """
    numbers: list[Fraction] = []
    place = 0  # of the first of them
    multiples: dict[frozenset[tuple[Expression, int]], tuple[Fraction, tuple[Expression, ...]]] = {}
    pending = list(reversed(terms))
    while pending:
        term = pending.pop()
        if isinstance(term, Add):
            pending.extend(reversed(term.terms))
            continue
        number, rest = coefficient_and_rest(term)
        if not rest:
            if number:
                place = place if numbers else len(multiples)
                numbers.append(number)
            continue
        key = multiset(rest)
        before = multiples.get(key)
        multiples[key] = (number, rest) if before is None else (before[0] + number, before[1])
    collected = [multiply(Number(number), *rest) for number, rest in multiples.values() if number]
    if numbers:
        values = _folded(numbers) if collected else [sum(numbers, Fraction(0))]
        collected[place:place] = [Number(each) for each in values[:1] if each]
        collected.extend([Number(each) for each in values[1:]])
    if not collected:
        return ZERO
    return collected[0] if len(collected) == 1 else Add(tuple(collected))


def add_small_last(*terms: Expression) -> Expression:
    """The sum, where multiples stay apart as numbers do: f - g + 1e-9*f, not (1 + 1e-9)*f - g."""
    parts = [coefficient_and_rest(term) for term in terms]
    small = [
        multiply(Number(number), *rest)
        for number, rest in parts
        if any(rest == beside and _is_swallowed(number, other) for other, beside in parts)
    ]
    large = add(*(term for term in terms if term not in small))
    return Add((*large.terms, *small)) if small and isinstance(large, Add) else add(*terms)


def _folded(numbers: Sequence[Fraction]) -> Sequence[Fraction]:
    """The numbers of a sum, the greatest first, those added that lose nothing by it."""
    if len(numbers) == 1:
        return numbers
    folded: list[Fraction] = []
    for number in sorted(numbers, key=abs, reverse=True):
        for at, total in enumerate(folded):
            if not _is_swallowed(number, total):
                folded[at] = total + number
                break
        else:
            folded.append(number)
    return [number for number in folded if number]


def _is_swallowed(number: Fraction, by: Fraction) -> bool:
    """Whether a rounded sum has fewer digits of a number than it has itself: 1e-9 by 1, not 1/2 by 1.

    Beside x, which may be near -1, what is left of 1 + x + 1e-9 is the small number.
    """
    total = number + by
    is_exact = total.denominator & (total.denominator - 1) == 0 and abs(total.numerator) < _EXACT
    return SWALLOWED * abs(number) < abs(by) and not is_exact


def negate(expression: Expression) -> Expression:
    """-x, term by term where x is a sum."""
    if isinstance(expression, Add):
        return add(*(negate(term) for term in expression.terms))
    return multiply(MINUS_ONE, expression)


def subtract(left: Expression, right: Expression) -> Expression:
    """left - right."""
    return add(left, negate(right))


def divide(numerator: Expression, denominator: Expression) -> Expression:
    """numerator / denominator."""
    return multiply(numerator, power(denominator, MINUS_ONE))


def without_factor(product: Expression, factor: Expression) -> Expression:
    """The product without a factor that is one of its own, else divided by it: y of x^p*y without x^p."""
    factors = list(factors_of(product))
    if factor in factors:
        factors.remove(factor)
        return multiply(*factors)
    base, exponent = base_and_exponent(factor)
    return multiply(product, power(base, negate(exponent)))


def terms_of(expression: Expression) -> tuple[Expression, ...]:
    """The terms of a sum; anything else is its own single term."""
    return expression.terms if isinstance(expression, Add) else (expression,)


def factors_of(expression: Expression) -> tuple[Expression, ...]:
    """The factors of a product; anything else is its own single factor."""
    return expression.factors if isinstance(expression, Multiply) else (expression,)


def reciprocals_last(node: Expression) -> Expression:
    """(p - d)/s for 1/s*(p - d)."""
    if not isinstance(node, Multiply):
        return node
    number, factors = coefficient_and_rest(node)
    below = [factor for factor in factors if is_reciprocal(factor)]
    above = [factor for factor in factors if not is_reciprocal(factor)]
    return multiply(Number(number), *above, *below)


def is_sum(node: Expression) -> TypeGuard[Reduction]:
    """Whether the node is a sum over indices."""
    return isinstance(node, Reduction) and node.kind == "sum"


def is_reciprocal(factor: Expression) -> TypeGuard[Power]:
    """Whether the factor is a power with a negative number as its exponent."""
    return isinstance(factor, Power) and isinstance(factor.exponent, Number) and factor.exponent.value < 0


def is_root(node: Expression) -> TypeGuard[Power]:
    """Whether it is f^(n/2), or a like power, for a number that is not whole."""
    return (
        isinstance(node, Power) and isinstance(node.exponent, Number) and node.exponent.value.denominator > 1
    )


def divisor_of(factor: Expression) -> Expression | None:
    """The divisor, x^n for x^-n; None where the factor is no reciprocal."""
    if isinstance(factor, Power) and isinstance(factor.exponent, Number) and factor.exponent.value < 0:
        exponent = -factor.exponent.value
        return factor.base if exponent == 1 else Power(factor.base, type(factor.exponent)(exponent))
    return None


def normalised(node: Expression) -> Expression:
    """A sum, product or power put together again by its builder; other nodes as they are."""
    match node:
        case Add(terms):
            return add(*terms)
        case Multiply(factors):
            return multiply(*factors)
        case Power(base, exponent):
            return power(base, exponent)
    return node
