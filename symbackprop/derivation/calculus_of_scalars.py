"""Derivatives of sums, products, powers, functions and `where`s: the school rules."""

from __future__ import annotations

from symbackprop.derivation.elementary import at_arguments, elementary_derivative
from symbackprop.derivation.moving import derivative, moves
from symbackprop.functions.elementary import definition_of
from symbackprop.integers.bounds import Knowledge
from symbackprop.notation.arithmetic import factors_of, multiply, power, subtract
from symbackprop.notation.derivatives import PartialDerivative
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
    Where,
)
from symbackprop.systems.partial import is_positive

MOST_FACTORS = 16  # of a product that is differentiated factor by factor


def sum_rule(node: Add, by: Element) -> Expression:
    """Term by term; those that stand still are gone."""
    terms = [PartialDerivative(term, by) for term in node.terms if moves(term, by.tensor)]
    return terms[0] if len(terms) == 1 else Add(tuple(terms))


def constant_factor(node: Multiply, by: Element) -> Expression | None:
    """(c*f)' = c*f'."""
    moving = [factor for factor in node.factors if moves(factor, by.tensor)]
    if len(moving) > 1:
        return None
    factors = [PartialDerivative(each, by) if each is moving[0] else each for each in node.factors]
    return Multiply(tuple(factors))


def equal_factors(node: Multiply, by: Element) -> Expression | None:
    """Equal ones of many factors as powers."""
    if len(node.factors) <= MOST_FACTORS:
        return None
    collected = multiply(*node.factors)
    return PartialDerivative(collected, by) if len(factors_of(collected)) < len(node.factors) else None


def product_rule(node: Multiply, by: Element) -> Expression | None:
    """Each factor's derivative times the others.

    Of many factors (f*g)' of the two halves, n*log(n) nodes where n terms have n^2.
    """
    if sum(moves(factor, by.tensor) for factor in node.factors) < 2:
        return None
    factors = node.factors
    if len(factors) > MOST_FACTORS:
        middle = len(factors) // 2
        factors = (multiply(*factors[:middle]), multiply(*factors[middle:]))
    terms = [
        Multiply((*factors[:place], PartialDerivative(factor, by), *factors[place + 1 :]))
        for place, factor in enumerate(factors)
        if moves(factor, by.tensor)
    ]
    return terms[0] if len(terms) == 1 else Add(tuple(terms))


def power_rule(node: Power, by: Element, is_safe: bool) -> Expression | None:
    """n*f^(n-1)*f'; where n may be 0 a `where` says so: the derivative is 0 then, and 0*f^(-1) not."""
    if moves(node.exponent, by.tensor) or is_safe != _is_safe_base(node):
        return None
    return Multiply((_slope_of_base(node), PartialDerivative(node.base, by)))


def exponential_rule(node: Power, by: Element, is_safe: bool) -> Expression | None:
    """a^f*log(a)*f'; where a may be 0 a `where` says so, for 0^f*log(0) is no number.

    The derivative is 0 there for f > 0, and by convention elsewhere.
    """
    if moves(node.base, by.tensor) or is_safe != is_positive(node.base):
        return None
    return Multiply((_slope_of_exponent(node), PartialDerivative(node.exponent, by)))


def general_power_rule(node: Power, by: Element) -> Expression | None:
    """(f^g)' where both move."""
    if not (moves(node.base, by.tensor) and moves(node.exponent, by.tensor)):
        return None
    slopes = _slope_of_base(node), _slope_of_exponent(node)
    parts = zip(slopes, node.children, strict=True)
    return Add(tuple([Multiply((slope, PartialDerivative(part, by))) for slope, part in parts]))


def _is_safe_base(node: Power) -> bool:
    return is_positive(node.base) or _is_never_zero(node.exponent)


def _slope_of_base(node: Power) -> Expression:
    slope = multiply(node.exponent, power(node.base, subtract(node.exponent, ONE)))
    return slope if _is_safe_base(node) else _unless_zero(node.exponent, slope)


def _slope_of_exponent(node: Power) -> Expression:
    slope = multiply(node, Apply("log", (node.base,)))
    return slope if is_positive(node.base) else _unless_zero(node.base, slope)


def by_formula(node: Apply, by: Element) -> Expression | None:
    """f(g)' where f(g) stands for a formula."""
    definition = definition_of(node)
    return None if definition is None else PartialDerivative(definition, by)


def elementary_function(node: Apply, by: Element) -> Expression | None:
    """df(a)/da = f'(a)."""
    return _through(node, by) if node.arguments[0] == by else None


def chain_rule(node: Apply, by: Element) -> Expression | None:
    """f(g)' = f'(g)*g'."""
    return _through(node, by) if node.arguments[0] != by else None


def _through(node: Apply, by: Element) -> Expression | None:
    if definition_of(node) is not None:
        return None
    outer = at_arguments(elementary_derivative(node.function), node.arguments)
    return Multiply((outer, derivative(node.arguments[0], by)))


def where_rule(node: Where, by: Element) -> Expression:
    """The branches' derivatives; the condition is constant between its jumps."""
    return Where(node.condition, derivative(node.chosen, by), derivative(node.otherwise, by))


def _is_never_zero(exponent: Expression) -> bool:
    condition = Comparison("!=", exponent, ZERO)
    return isinstance(exponent, Number) or (
        not exponent.tensors and Knowledge.of((exponent,), ()).proves(condition)
    )


def _unless_zero(expression: Expression, slope: Expression) -> Expression:
    return Where(Comparison("!=", expression, ZERO), slope, ZERO)
