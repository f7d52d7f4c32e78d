"""Powers that nearly cancel: f^g - exp(h)^g, exp(h) a term of f, where both must be rounded alike.

exp(g*h) has the digits of g*h, and differs from exp(h)^g by g*h roundings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symbackprop.exponentials.hyperbolic import FAR_BELOW
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import exp, scaled
from symbackprop.notation.arithmetic import add, factors_of, multiply, negate, power, terms_of
from symbackprop.notation.expressions import ONE, Add, Comparison, Expression, Number, Power, Where
from symbackprop.notation.pairs import argument_of
from symbackprop.notation.substitution import rewrite_bottom_up


@dataclass(frozen=True)
class _PowerOfTerm:
    """f^g and exp(h)^g: `term` is exp(h), or a name of it, `exponent` is h and `merged` g*h."""

    total: Power
    term: Expression
    exponent: Expression
    merged: Expression

    @property
    def typed(self) -> Expression:
        """exp(h)^g; where g may be negative, not where exp(h) may be 0."""
        found = Power(self.term, self.total.exponent)
        is_near = Comparison(">", self.exponent, FAR_BELOW)
        return Where(is_near, found, exp(self.merged)) if self.is_of_derivative else found

    @property
    def is_of_derivative(self) -> bool:
        """Whether the exponent is g - 1."""
        terms = terms_of(self.total.exponent)
        return any(isinstance(each, Number) and each.value < 0 for each in terms)

    @property
    def is_1_more(self) -> Expression:
        """exp(g*h) beside exp((g - 1)*h)."""
        return exp(add(self.merged, self.exponent))


def powers_alike(node: Expression, meanings: Meanings) -> Expression | None:
    """f^g - exp(g*h) = f^g - exp(h)^g, where exp(h) is one of several terms of f.

    exp(h)*f^(g - 1) - exp(g*h), as a derivative has it, is exp(h)*(f^(g - 1) - exp(h)^(g - 1)).
    """
    if not isinstance(node, Add) or not any(argument_of("exp", each) is not None for each in node.walk()):
        return None
    powers = {each for each in node.walk() if isinstance(each, Power)}
    found = [each for total in powers for each in _powers_of_terms(total, meanings)]
    alike: dict[Expression, Expression] = {}
    for each in found:
        if not each.is_of_derivative:
            alike[exp(each.merged)] = each.typed
        elif Power(each.term, each.total.exponent) not in powers:  # nor in such a `where`
            joined = _factor_out(node, each)
            if joined is not None:
                return joined
            alike[exp(each.merged)] = each.typed
            alike[each.is_1_more] = power(each.term, add(each.total.exponent, ONE))
    rewritten = rewrite_bottom_up(node, lambda part: alike.get(part, part))
    return None if rewritten == node else rewritten


def _powers_of_terms(total: Power, meanings: Meanings) -> Iterator[_PowerOfTerm]:
    """Of each exponential among the terms of f, where this is f^g."""
    meant = meanings.of(total.base)
    if isinstance(total.exponent, Number) or not isinstance(meant, Add):
        return
    for term in meant.terms:
        inner = scaled(term, meanings)
        if not inner.is_plain and inner.value == ONE:
            merged = scaled(Power(term, total.exponent), meanings).exponent
            yield _PowerOfTerm(total, term, inner.exponent, merged)


def _factor_out(node: Add, found: _PowerOfTerm) -> Expression | None:
    """exp(h)*k*(f^(g - 1) - exp(h)^(g - 1)) for exp(h)*k*f^(g - 1) - k*exp(g*h), beside other terms."""
    spelled = (found.term, exp(found.exponent))
    beside = [_without(term, (spelled, (found.total,))) for term in node.terms]
    alone = [_without(term, ((found.is_1_more,),)) for term in node.terms]
    for first, factor in enumerate(beside):
        for second, other in enumerate(alone):
            if factor is not None and other is not None and factor == negate(other):
                difference = multiply(found.term, factor, add(found.total, negate(found.typed)))
                rest = [term for place, term in enumerate(node.terms) if place not in (first, second)]
                return add(*rest, difference)
    return None


def _without(product: Expression, parts: Sequence[tuple[Expression, ...]]) -> Expression | None:
    """The other factors of a product that has one of each of these."""
    factors = list(factors_of(product))
    for spelled in parts:
        there = next((each for each in spelled if each in factors), None)
        if there is None:
            return None
        factors.remove(there)
    return multiply(*factors)
