"""Derivatives of sums, products, powers, functions and `where`s: the school rules."""

from __future__ import annotations

from collections import Counter

from symbackprop.derivation.elementary_derivatives import at_arguments, derivative, elementary_derivative
from symbackprop.functions.table import definition_of
from symbackprop.notation.arithmetic import multiply, normalised, power, subtract
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
from symbackprop.rules.conditions import has_many_factors, is_never_zero
from symbackprop.systems.dependence import moves
from symbackprop.systems.partial import is_positive


def sum_rule(node: Add, by: Element) -> Expression:
    """Term by term; those that stand still are gone."""
    terms = [PartialDerivative(term, by) for term in node.terms if moves(term, by.tensor)]
    return terms[0] if len(terms) == 1 else Add(tuple(terms))


def constant_factor(node: Multiply, by: Element) -> Expression | None:
    """(c*f)' = c*f'."""
    dependent = [factor for factor in node.factors if moves(factor, by.tensor)]
    if len(dependent) > 1:
        return None
    factors = [PartialDerivative(each, by) if each is dependent[0] else each for each in node.factors]
    return Multiply(tuple(factors))


def equal_factors(node: Multiply, by: Element) -> Expression | None:
    """Equal ones of many factors as powers."""
    if not has_many_factors(node):
        return None
    counts = Counter(factor for factor in node.factors if moves(factor, by.tensor))
    if all(count == 1 for count in counts.values()):
        return None
    powers = [Power(each, Number(count)) if count > 1 else each for each, count in counts.items()]
    still = [factor for factor in node.factors if factor not in counts]
    factors = (*still, *powers)
    return PartialDerivative(factors[0] if len(factors) == 1 else Multiply(factors), by)


def product_rule(node: Multiply, by: Element) -> Expression | None:
    """Each factor's derivative times the others.

    Of many factors (f*g)' of the two halves, n*log(n) nodes where n terms have n^2.
    """
    if sum(moves(factor, by.tensor) for factor in node.factors) < 2:
        return None
    factors = node.factors
    if has_many_factors(node):
        middle = len(factors) // 2
        factors = (Multiply(factors[:middle]), Multiply(factors[middle:]))
    terms = [
        Multiply((*factors[:place], PartialDerivative(factor, by), *factors[place + 1 :]))
        for place, factor in enumerate(factors)
        if moves(factor, by.tensor)
    ]
    return terms[0] if len(terms) == 1 else Add(tuple(terms))


def root_of_square(node: Power, by: Element) -> Expression | None:
    """sqrt(f^2)' = sign(f)*f', which is 0 where f is 0."""
    match (normalised(node.base), node.exponent):  # f*f is f^2
        case (Power(base, Number(square)), Number(root)) if square == 2 and 2 * root == 1:
            return Multiply((Apply("sign", (base,)), PartialDerivative(base, by)))
    return None


def power_rule(node: Power, by: Element) -> Expression | None:
    """n*f^(n-1)*f' where that is a number."""
    return None if moves(node.exponent, by.tensor) or not _is_safe(node) else _through_base(node, by)


def guarded_power_rule(node: Power, by: Element) -> Expression | None:
    """n*f^(n-1)*f' where n may be 0: the derivative is 0 then, and 0*f^(-1) not; a `where` says so."""
    return None if moves(node.exponent, by.tensor) or _is_safe(node) else _through_base(node, by)


def exponential_rule(node: Power, by: Element) -> Expression | None:
    """a^f*log(a)*f' where that is a number."""
    return None if moves(node.base, by.tensor) or not is_positive(node.base) else _through_exponent(node, by)


def guarded_exponential_rule(node: Power, by: Element) -> Expression | None:
    """a^f*log(a)*f' where a may be 0: a `where` says so, for 0^f*log(0) is no number.

    The derivative is 0 there for f > 0, and by convention elsewhere.
    """
    return None if moves(node.base, by.tensor) or is_positive(node.base) else _through_exponent(node, by)


def _through_base(node: Power, by: Element) -> Expression:
    return Multiply((_slope_of_base(node), PartialDerivative(node.base, by)))


def _through_exponent(node: Power, by: Element) -> Expression:
    return Multiply((_slope_of_exponent(node), PartialDerivative(node.exponent, by)))


def general_power_rule(node: Power, by: Element) -> Expression | None:
    """(f^g)' where both move."""
    if not (moves(node.base, by.tensor) and moves(node.exponent, by.tensor)):
        return None
    return Add((_through_base(node, by), _through_exponent(node, by)))


def _is_safe(node: Power) -> bool:
    return is_positive(node.base) or is_never_zero(node.exponent)


def _slope_of_base(node: Power) -> Expression:
    slope = multiply(node.exponent, power(node.base, subtract(node.exponent, ONE)))
    return slope if _is_safe(node) else _unless_zero(node.exponent, slope)


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


def _unless_zero(expression: Expression, slope: Expression) -> Expression:
    return Where(Comparison("!=", expression, ZERO), slope, ZERO)
