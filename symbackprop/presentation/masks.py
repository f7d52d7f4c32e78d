"""Masks, products and choices by a name.

y > 0 for a*x + b > 0 where y = max(0, a*x + b), t for f*g where t = f*g, and for where(c, f, 0) so defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symbackprop.integers.bounds import negated
from symbackprop.notation.arithmetic import factors_of, is_reciprocal, multiply, normalised
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Comparison,
    Element,
    Expression,
    Multiply,
    Number,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.rewriting.matching import factors_matched, match
from symbackprop.rewriting.premises import Definitions
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.compared_values import positive_part
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated
from symbackprop.systems.system import Equation


def positive_parts(equations: Iterable[Equation]) -> tuple[Equation, ...]:
    """The equations t = max(0, f) of which f has no name of its own."""
    return tuple(
        [
            equation
            for equation in equations
            if not isinstance(positive_part(equation.expression), Element | None)
        ]
    )


def named_mask(node: Expression, definitions: Sequence[Equation]) -> Expression | None:
    """(f > 0) = (t > 0) and (f <= 0) = (t <= 0), where t = max(0, f) is one of the definitions."""
    found = _named(node, definitions)
    return None if found is None else found[1]


def _named(node: Expression, definitions: Sequence[Equation]) -> tuple[Equation, Comparison] | None:
    match node:
        case Comparison(">" | "<=" as operator, value, right) if right == ZERO and definitions:
            shown = _plain(value)
            for equation in definitions:
                part = positive_part(equation.expression)
                assert part is not None
                for bindings in match(_plain(part), shown, frozenset(equation.indices)):
                    if len(bindings) == len(equation.indices):
                        name = substitute(equation.element, bindings)
                        return equation, Comparison(operator, name, ZERO)
    return None


def _plain(value: Expression) -> Expression:
    """1/2*w for w/2 as typed."""
    return canonical_bound_names(rewrite_bottom_up(value, normalised))


def mask_rules(definitions: Sequence[Equation]) -> tuple[Rule, ...]:
    """The rule, where these tensors are so defined."""

    def premise(node: Expression) -> Definitions:
        found = _named(node, definitions)
        return Definitions((found[0],) if found else ())

    return (
        stated(
            "named mask",
            "(f > 0) = (t > 0) and (f <= 0) = (t <= 0), where t = max(0, f)",
            lambda node: named_mask(node, definitions),
            where=(when("named", "max(0, f)"),),
            decreases="names and numbers",
            example="where(x[i] - c > 0, y[j], 0)",
            near_miss="where(x[i] - c >= 0, y[j], 0)",
            premise=premise,
            roots=(Comparison,),
        ),
    )


def products(equations: Iterable[Equation]) -> tuple[Equation, ...]:
    """The equations that are products of elements, or quotients of sums, at all of their indices."""
    return tuple([each for each in equations if _is_product(each.expression) and _reads_all_indices(each)])


def _is_product(expression: Expression) -> bool:
    factors = factors_of(expression)
    is_of_elements = len(factors) > 1 and all(isinstance(factor, Element) for factor in factors)
    is_of_sum = any(isinstance(factor, Add) for factor in factors) and any(map(is_reciprocal, factors))
    return is_of_elements or (is_of_sum and not any(isinstance(factor, Number) for factor in factors))


def _reads_all_indices(equation: Equation) -> bool:
    return frozenset(equation.indices) == equation.expression.free_indices


def named_product(node: Expression, definitions: Sequence[Equation]) -> Expression | None:
    """f*g*h = t*h, where t = f*g is one of the definitions."""
    found = _named_part(node, definitions)
    return None if found is None else found[1]


def _named_part(node: Expression, definitions: Sequence[Equation]) -> tuple[Equation, Expression] | None:
    if not isinstance(node, Multiply):
        return None
    for equation in definitions:
        if equation.expression.tensors <= node.tensors:
            patterns = [(_plain(factor),) for factor in factors_of(equation.expression)]
            shown = [_plain(factor) for factor in node.factors]
            for bindings, used in factors_matched(patterns, shown, frozenset(equation.indices)):
                others = [each for place, each in enumerate(node.factors) if place not in used]
                name = substitute(equation.element, bindings)
                return equation, multiply(*node.factors[: min(used)], name, *others[min(used) :])
    return None


def product_rules(definitions: Sequence[Equation]) -> tuple[Rule, ...]:
    """The rule, where these tensors are so defined."""

    def premise(node: Expression) -> Definitions:
        found = _named_part(node, definitions)
        return Definitions((found[0],) if found else ())

    return (
        stated(
            "named product",
            "f*g*h = t*h with t = f*g",
            lambda node: named_product(node, definitions),
            where=(when("named", "f*g"),),
            decreases="names and numbers",
            example="y[j]*x[i]*A[i,j]",
            near_miss="y[j]*x[i]",
            premise=premise,
            roots=(Multiply,),
        ),
    )


def choices(equations: Iterable[Equation]) -> tuple[Equation, ...]:
    """The equations t = where(c, f, 0), at all of their indices."""
    return tuple([each for each in equations if _choice(each.expression) and _reads_all_indices(each)])


def _choice(expression: Expression) -> Where | None:
    """where(c, f, 0), also of where(not c, 0, f) for a condition on indices, which compares no nan."""
    match expression:
        case Where(_, chosen, otherwise) if otherwise == ZERO != chosen:
            return expression
        case Where(condition, chosen, otherwise) if chosen == ZERO != otherwise and not condition.tensors:
            return Where(negated(condition), otherwise, ZERO)
    return None


def named_choice(node: Expression, definitions: Sequence[Equation]) -> Expression | None:
    """where(c, f, 0) = t, where t = where(c, f, 0) is one of the definitions."""
    found = _named_where(node, definitions)
    return None if found is None else found[1]


def _named_where(node: Expression, definitions: Sequence[Equation]) -> tuple[Equation, Expression] | None:
    if not isinstance(node, Where) or node.otherwise != ZERO:
        return None
    for equation in definitions:
        pattern = _choice(equation.expression)
        if pattern is not None and pattern.tensors == node.tensors:
            for bindings in match(_plain(pattern), _plain(node), frozenset(equation.indices)):
                if len(bindings) == len(equation.indices):
                    return equation, substitute(equation.element, bindings)
    return None


def choice_rules(definitions: Sequence[Equation]) -> tuple[Rule, ...]:
    """The rule, where these tensors are so defined."""

    def premise(node: Expression) -> Definitions:
        found = _named_where(node, definitions)
        return Definitions((found[0],) if found else ())

    return (
        stated(
            "named choice",
            "where(c, f, 0) = t with t = where(c, f, 0)",
            lambda node: named_choice(node, definitions),
            where=(when("named", "where(c, f, 0)"),),
            decreases="names and numbers",
            example="c*where(t > 0, a[t - 1], 0)",
            near_miss="c*where(t > 0, w[t - 1], 0)",
            premise=premise,
            roots=(Where,),
        ),
    )
