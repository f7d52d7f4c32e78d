"""The rules of calculus in index notation, each a rewriting of d f / d t[q].

A tensor read at the positions p and differentiated at q gives the deltas of p and q, one an axis; sums,
products, powers and functions follow the school rules. In their statements f' is the derivative of f by t.
"""

from __future__ import annotations

from symbackprop.derivation.calculus_of_arrays import ARRAY_RULES, UNUSED_INDEX, element_rule, scalar_rule
from symbackprop.derivation.calculus_of_scalars import (
    by_formula,
    chain_rule,
    constant_factor,
    elementary_function,
    equal_factors,
    exponential_rule,
    general_power_rule,
    guarded_exponential_rule,
    guarded_power_rule,
    power_rule,
    product_rule,
    root_of_square,
    sum_rule,
    where_rule,
)
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Element,
    Multiply,
    Power,
    Where,
)
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import DIFFERENTIATED, CalculusRule, calculus_rule

ELEMENT = CalculusRule(
    "element",
    "da[p]/da[q] = delta(p,q)",
    element_rule,
    DIFFERENTIATED,
    example="d(x[i])/dx[i2]",
    near_miss="d(c)/dc",
)
CONSTANT_FACTOR = calculus_rule(
    "constant factor",
    "(c*f)' = c*f'",
    Multiply,
    constant_factor,
    when("constant", "c", "t"),
    example="d(c*x[i]^2)/dx[i2]",
    near_miss="d(x[i]*x[i2])/dx[i]",
)
FUNCTION = calculus_rule(
    "function",
    "df(a)/da = f'(a)",
    Apply,
    elementary_function,
    when("no formula", "f(a)"),
    example="d(tanh(c))/dc",
    near_miss="d(tanh(2*c))/dc",
)
# They are tried before the others.
_FIRST = (
    calculus_rule("scalar", "da/da = 1", Element, scalar_rule, example="d(c)/dc", near_miss="d(x[i])/dx[i2]"),
    CONSTANT_FACTOR,
    calculus_rule(
        "equal factors",
        "f*f = f^2",
        Multiply,
        equal_factors,
        when("many factors", "the product"),
        example="d(c*c*c*c*c*c*c*c*c*c*c*c*c*c*c*c*c)/dc",
        near_miss="d(c*c)/dc",
    ),
    calculus_rule(
        "function by its formula",
        "f(g)' is the derivative of what f(g) stands for",
        Apply,
        by_formula,
        when("formula", "f(g)"),
        example="d(softplus(c))/dc",
        near_miss="d(tanh(c))/dc",
    ),
    FUNCTION,
    UNUSED_INDEX,
)
# Those of one kind of node stand in the order in which they are tried.
CALCULUS_RULES = (
    ELEMENT,
    *_FIRST,
    calculus_rule(
        "sum rule",
        "(f + g)' = f' + g'",
        Add,
        sum_rule,
        example="d(x[i] + c*x[i2])/dx[i]",
        near_miss="d(c*x[i2])/dx[i]",
    ),
    calculus_rule(
        "product rule",
        "(f*g)' = f'*g + f*g'",
        Multiply,
        product_rule,
        when("dependent", "f", "t"),
        when("dependent", "g", "t"),
        example="d(x[i]*x[i2])/dx[i]",
        near_miss="d(c*x[i2])/dx[i]",
    ),
    calculus_rule(
        "root of a square",
        "sqrt(f^2)' = sign(f)*f', for sqrt(f^2) = abs(f)",
        Power,
        root_of_square,
        example="d(sqrt(x[i]^2))/dx[i2]",
        near_miss="d(sqrt(x[i]))/dx[i2]",
    ),
    calculus_rule(
        "power rule",
        "(f^n)' = n*f^(n-1)*f'",
        Power,
        power_rule,
        when("constant", "n", "t"),
        when("positive or never zero", "f", "n"),
        example="d(x[i]^2)/dx[i2]",
        near_miss="d(x[i]^x[i])/dx[i2]",
    ),
    calculus_rule(
        "guarded power rule",
        "(f^n)' = n*f^(n-1)*f', and 0 where n = 0",
        Power,
        guarded_power_rule,
        when("constant", "n", "t"),
        when("not positive", "f"),
        when("maybe zero", "n"),
        example="d(x[i]^c)/dx[i2]",
        near_miss="d(x[i]^2)/dx[i2]",
    ),
    calculus_rule(
        "exponential rule",
        "(a^f)' = a^f*log(a)*f'",
        Power,
        exponential_rule,
        when("constant", "a", "t"),
        when("positive", "a"),
        example="d(2^x[i])/dx[i2]",
        near_miss="d(c^x[i])/dx[i2]",
    ),
    calculus_rule(
        "guarded exponential rule",
        "(a^f)' = a^f*log(a)*f', and 0 where a = 0",
        Power,
        guarded_exponential_rule,
        when("constant", "a", "t"),
        when("not positive", "a"),
        example="d(c^x[i])/dx[i2]",
        near_miss="d(2^x[i])/dx[i2]",
    ),
    calculus_rule(
        "power and exponential rule",
        "(f^g)' = g*f^(g-1)*f' + f^g*log(f)*g', without the first where g = 0 and the second where f = 0",
        Power,
        general_power_rule,
        when("dependent", "f", "t"),
        when("dependent", "g", "t"),
        example="d(x[i]^x[i])/dx[i2]",
        near_miss="d(2^x[i])/dx[i2]",
    ),
    calculus_rule(
        "chain rule in one variable",
        "f(g)' = f'(g)*g'",
        Apply,
        chain_rule,
        when("no formula", "f(g)"),
        example="d(tanh(2*c))/dc",
        near_miss="d(tanh(c))/dc",
    ),
    calculus_rule(
        "where",
        "where(c, f, g)' = where(c, f', g')",
        Where,
        where_rule,
        example="d(where(x[i] > 0, x[i], c))/dx[i2]",
        near_miss="d(x[i]*c)/dx[i2]",
    ),
    *ARRAY_RULES,
)
# What else is tried first goes without saying on a printed page.
MENTIONED = frozenset(CALCULUS_RULES) - frozenset(_FIRST) | {CONSTANT_FACTOR, FUNCTION}
