"""Differences that a form multiplies out: p*a - p*b for p*(a - b) has lost digits where a and b are close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TypeAlias

from symbackprop.notation.arithmetic import coefficient_and_rest
from symbackprop.notation.expressions import Add, Expression, Multiply, Number, Power

Monomial: TypeAlias = Counter[Expression]
Polynomial: TypeAlias = list[tuple[Monomial, Fraction]]


def spreads_a_difference(form: Expression, expression: Expression) -> bool:
    """Whether a sum of the form holds every term of p*(a - b), where a - b is a factor of the expression."""
    typed = {node for node in expression.walk() if isinstance(node, Add)}
    differences = [polynomial for polynomial in map(_polynomial, _factors(typed, expression)) if polynomial]
    sums = [node for node in form.walk() if isinstance(node, Add) and node not in typed]
    return any(_holds(_polynomial(each), difference) for each in sums for difference in differences)


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


def _polynomial(node: Add) -> Polynomial:
    return [(_monomial(rest), number) for number, rest in map(coefficient_and_rest, node.terms)]


def _monomial(factors: Iterable[Expression]) -> Monomial:
    found: Monomial = Counter()
    for factor in factors:
        match factor:
            case Power(base, Number(exponent)) if exponent.denominator == 1 and exponent > 0:
                found[base] += int(exponent)
            case _:
                found[factor] += 1
    return found


def _holds(terms: Polynomial, difference: Polynomial) -> bool:
    """Whether all terms of the difference, times one thing that is no number, are among the terms."""
    coefficients = {frozenset(monomial.items()): number for monomial, number in terms}
    (first, leading), *rest = difference
    for monomial, number in terms:
        common = monomial - first
        if not first <= monomial or not common:
            continue
        scale = number / leading
        if all(
            coefficients.get(frozenset((common + each).items())) == scale * factor for each, factor in rest
        ):
            return True
    return False
