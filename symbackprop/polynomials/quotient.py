"""Rational functions of symbols as one polynomial over another, with whole coefficients and in lowest terms.

SymPy's `cancel` gives the same and takes eight times as long: it looks for common factors in the expression
first, and for what its symbols may be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import permutations
from typing import TypeAlias

from symbackprop.deferred_imports import sympy

MOST_REMEMBERED = 4096

Polynomial: TypeAlias = "sympy.polys.rings.PolyElement"
Monomial: TypeAlias = "frozenset[tuple[sympy.Symbol, int]]"  # each symbol with its exponent
_Powers: TypeAlias = "dict[Polynomial, int]"


@dataclass(frozen=True)
class Quotient:
    """Two polynomials without common factors; that of the first symbols is positive in front, below."""

    numerator: Polynomial
    denominator: Polynomial

    @cached_property
    def expression(self) -> sympy.Expr:
        """The quotient as an expression."""
        return self.numerator.as_expr() / self.denominator.as_expr()


@lru_cache(MOST_REMEMBERED)
def quotient(expression: sympy.Expr) -> Quotient:
    """The rational function in lowest terms."""
    return quotients((expression,))[0]


def quotients(expressions: Collection[sympy.Expr]) -> list[Quotient]:
    """Rational functions in lowest terms, all in the symbols of all of them."""
    symbols = frozenset[sympy.Symbol]().union(*(each.free_symbols for each in expressions))
    ring = _ring(tuple(sorted(symbols, key=_by_number)))
    generators = dict(zip(ring.symbols, ring.gens, strict=True))
    parts = [_parts(each, ring, generators) for each in expressions]
    return [in_lowest_terms(above, _product(ring.one, below.items())) for above, below in parts]


def in_lowest_terms(numerator: Polynomial, denominator: Polynomial) -> Quotient:
    """The quotient of two polynomials."""
    return Quotient(*numerator.cancel(denominator))


@lru_cache(MOST_REMEMBERED)
def ratios_of_opposites(polynomial: Polynomial) -> frozenset[Monomial]:
    """f/g for all terms a*f and -b*g, where a and b have one sign."""
    symbols = polynomial.ring.symbols
    return frozenset(
        frozenset((each, n - m) for each, n, m in zip(symbols, one, other, strict=True) if n != m)
        for (one, number), (other, taken) in permutations(polynomial.terms(), 2)
        if number * taken < 0
    )


def _by_number(symbol: sympy.Symbol) -> tuple[int, str]:
    """a2 before a10."""
    return len(symbol.name), symbol.name


@lru_cache(MOST_REMEMBERED)
def _ring(symbols: tuple[sympy.Symbol, ...]) -> sympy.polys.rings.PolyRing:
    return sympy.ring(symbols, sympy.ZZ, sympy.lex)[0]


def _parts(
    expression: sympy.Expr, ring: sympy.polys.rings.PolyRing, generators: dict[sympy.Symbol, Polynomial]
) -> tuple[Polynomial, _Powers]:
    """A numerator, and the factors of a denominator with their exponents."""
    if expression.is_Symbol:
        return generators[expression], {}
    if expression.is_Rational:
        return ring(expression.p), ({ring(expression.q): 1} if expression.q != 1 else {})
    if expression is sympy.zoo or expression is sympy.nan:
        return ring.one, {ring.zero: 1}  # as undefined as it was
    parts = [_parts(each, ring, generators) for each in expression.args]
    if expression.is_Add:
        common: _Powers = {}
        for _, below in parts:
            common |= {factor: max(power, common.get(factor, 0)) for factor, power in below.items()}
        lacking = [{each: common[each] - below.get(each, 0) for each in common} for _, below in parts]
        pairs = zip(parts, lacking, strict=True)
        return sum((_product(above, lack.items()) for (above, _), lack in pairs), ring.zero), common
    if expression.is_Mul:
        all_below: _Powers = {}
        for _, below in parts:
            all_below |= {factor: power + all_below.get(factor, 0) for factor, power in below.items()}
        return _product(ring.one, ((above, 1) for above, _ in parts)), all_below
    if expression.is_Pow and expression.exp.is_Integer:
        (above, below), exponent = parts[0], int(expression.exp)
        if exponent > 0:
            return above**exponent, {factor: power * exponent for factor, power in below.items()}
        return _product(ring.one, below.items()) ** -exponent, {above: -exponent}
    raise TypeError(f"{type(expression).__name__} is no rational function")


def _product(start: Polynomial, powers: Iterable[tuple[Polynomial, int]]) -> Polynomial:
    for factor, power in powers:
        if power:
            start = start * (factor if power == 1 else factor**power)
    return start
