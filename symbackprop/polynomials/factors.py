"""The irreducible factors of polynomials with whole coefficients."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from symbackprop.deferred_imports import sympy
from symbackprop.polynomials.quotient import (
    MOST_REMEMBERED,
    Polynomial,
    Quotient,
    in_lowest_terms,
    quotient,
    ratios_of_opposites,
)

_Powers: TypeAlias = "tuple[tuple[Polynomial, int], ...]"


def as_product(expression: sympy.Expr) -> sympy.Expr:
    """A number times powers of irreducible polynomials, written as `sympy.factor` writes them."""
    found = quotient(expression)
    if not found.numerator:
        return sympy.Integer(0)
    above, below = _content_and_factors(found.numerator), _content_and_factors(found.denominator)
    powers = [factor.as_expr() ** power for factor, power in above[1]]
    powers += [factor.as_expr() ** -power for factor, power in below[1]]
    number, product = sympy.Rational(above[0], below[0]), sympy.Mul(*powers)
    if product.is_Add and abs(number) != 1:
        return sympy.Mul(number, product, evaluate=False)  # 2*(x + y) stays a product
    return sympy.Mul(number, product)


def root_of_linear(polynomial: Polynomial, symbol: sympy.Symbol) -> Quotient | None:
    """-c/s for a polynomial s*symbol + c; None for another one, and where s and c have a factor in common."""
    place = polynomial.ring.symbols.index(symbol)
    if polynomial.degrees()[place] != 1:
        return None
    rising = _terms_with(polynomial, place)
    constant, slope = polynomial - rising, rising.quo(polynomial.ring.gens[place])
    return in_lowest_terms(-constant, slope) if slope.gcd(constant).is_ground else None


@lru_cache(MOST_REMEMBERED)
def irreducible_factors(polynomial: Polynomial) -> frozenset[sympy.Expr]:
    """Those that are no numbers."""
    return frozenset(factor.as_expr() for factor, _ in _content_and_factors(polynomial)[1])


@lru_cache(MOST_REMEMBERED)
def _content_and_factors(polynomial: Polynomial) -> tuple[int, _Powers]:
    """The number in front, and the factors, each with a positive first coefficient, with their exponents."""
    if polynomial.is_ground:
        return int(polynomial.LC), ()
    number, rest = polynomial.primitive()
    number, rest = (number, rest) if rest.LC > 0 else (-number, -rest)
    symbols, rest = _without_monomial(rest)
    return int(number), (*symbols, *_factors(rest))


def _without_monomial(polynomial: Polynomial) -> tuple[_Powers, Polynomial]:
    """The powers of symbols that divide every term, and what is left."""
    ring, exponents = polynomial.ring, tuple(map(min, zip(*polynomial.itermonoms(), strict=True)))
    if not any(exponents):
        return (), polynomial
    powers = tuple([each for each in zip(ring.gens, exponents, strict=True) if each[1]])
    return powers, polynomial.quo(ring.from_dict({exponents: 1}))


def _factors(polynomial: Polynomial) -> _Powers:
    """Those of a polynomial that neither a number nor a symbol divides.

    s*a + c is irreducible where s and c have no factor in common: of two factors one would be free of a, and
    divide both. That is found in no time, and most polynomials are of degree 1 in some symbol.
    """
    if polynomial.is_ground:
        return ()
    linear = [place for place, degree in enumerate(polynomial.degrees()) if degree == 1]
    if not linear:
        return tuple(polynomial.factor_list()[1])
    slope = min((_terms_with(polynomial, place) for place in linear), key=len)
    common = slope.gcd(polynomial - slope)
    if common.is_ground:
        return ((polynomial, 1),)
    common = common if common.LC > 0 else -common
    return ((polynomial.quo(common), 1), *_factors(common))


def _terms_with(polynomial: Polynomial, place: int) -> Polynomial:
    """The terms in which one symbol stands."""
    found = {exponents: number for exponents, number in polynomial.terms() if exponents[place]}
    return polynomial.ring.from_dict(found)


def forget_polynomials() -> None:
    """Empty the memory of quotients and factors."""
    for remembered in (quotient, ratios_of_opposites, irreducible_factors, _content_and_factors):
        remembered.cache_clear()
