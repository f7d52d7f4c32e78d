"""What a solution in a symbol's place brings into a quotient of polynomials."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.deferred_imports import sympy
from symbackprop.polynomials.quotient import Monomial, quotient, ratios_of_opposites


def brings_in_difference(solution: sympy.Expr, replaced: sympy.Expr, before: sympy.Expr) -> bool:
    """Whether terms that a solution takes off each other are left beside one another, and were not before.

    With y = r + b, r is no y - b, which is nothing where b is far larger, nor y - 2 where b is 2; a*r + a*b
    is a*y all the same. (1 - z)/z, which is what a sigmoid leaves, takes a name off a number.
    """
    is_quotient = not quotient(solution).denominator.is_ground
    apart = {each for each in _differences(solution) if len(each) > is_quotient}
    return bool(apart) and not apart.isdisjoint(_differences(replaced) - _differences(before))


def _differences(expression: sympy.Expr) -> frozenset[Monomial]:
    """f/g and g/f of all f - c*g in the numerator and the denominator, multiplied out."""
    found = quotient(expression)
    return ratios_of_opposites(found.numerator) | ratios_of_opposites(found.denominator)


def squares_a_divisor(symbols: Iterable[sympy.Symbol], replaced: sympy.Expr, before: sympy.Expr) -> bool:
    """Whether one of the symbols, a divisor before, is a divisor twice after it: g/r, where g is e*sqrt(r).

    e/sqrt(r) is what a person writes.
    """
    return any(
        before.has(symbol) and _times_below(before, symbol) == 1 and _times_below(replaced, symbol) == 2
        for symbol in symbols
    )


def _times_below(expression: sympy.Expr, symbol: sympy.Symbol) -> int:
    """The degree of the denominator in a symbol."""
    denominator = quotient(expression).denominator
    names = denominator.ring.symbols
    return denominator.degree(names.index(symbol)) if symbol in names else 0
