"""The rules of calculus in index notation, each a rewriting of d f / d t[q].

A tensor read at the positions p and differentiated at q gives the deltas of p and q, one an axis; sums,
products, powers and functions follow the school rules.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from symbackprop.derivation.calculus_of_arrays import (
    cofactor,
    deltas_of,
    determinant,
    element_rule,
    first_maximum,
    inverse,
    log_determinant,
    product_over_index,
    under_the_sum,
    unused_index,
)
from symbackprop.derivation.calculus_of_scalars import (
    by_formula,
    chain_rule,
    constant_factor,
    elementary_function,
    equal_factors,
    exponential_rule,
    general_power_rule,
    power_rule,
    product_rule,
    sum_rule,
    where_rule,
)
from symbackprop.notation.derivatives import PartialDerivative
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Element,
    Expression,
    Multiply,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.rewriting.rule import Rule

Node = TypeVar("Node", bound=Expression)
ENDS = "what is differentiated gets smaller"


class CalculusRule(Rule):
    """A rule that leaves derivatives of smaller parts, or none."""


def _rule(
    name: str, statement: str, of_node: type[Node], apply: Callable[[Node, Element], Expression | None]
) -> CalculusRule:
    """A rule for the derivative of a certain kind of node."""

    def differentiate(node: Expression) -> Expression | None:
        if isinstance(node, PartialDerivative) and isinstance(node.expression, of_node):
            return apply(node.expression, node.denominator)
        return None

    return CalculusRule(name, statement, differentiate, ENDS)


ELEMENT = CalculusRule("element", "da[p]/da[q] = delta(p,q)", element_rule, ENDS)
# What goes without saying on a printed page.
UNMENTIONED = (
    _rule("scalar", "da/da = 1", Element, deltas_of),
    _rule("constant factor", "(c*f)' = c*f'", Multiply, constant_factor),
    _rule("equal factors", "f*f = f^2", Multiply, equal_factors),
    _rule(
        "function by its formula",
        "f(g)' is the derivative of what f(g) stands for",
        Apply,
        by_formula,
    ),
    _rule("function", "df(a)/da = f'(a)", Apply, elementary_function),
    _rule("unused index of a maximum", "max(i, f) = f where f does not depend on i", Reduction, unused_index),
)
# Those of one kind of node stand in the order in which they are tried.
CALCULUS_RULES = (
    ELEMENT,
    *UNMENTIONED,
    _rule("sum rule", "(f + g)' = f' + g'", Add, sum_rule),
    _rule("product rule", "(f*g)' = f'*g + f*g'", Multiply, product_rule),
    _rule("power rule", "(f^n)' = n*f^(n-1)*f'", Power, partial(power_rule, is_safe=True)),
    _rule(
        "guarded power rule",
        "(f^n)' = n*f^(n-1)*f', and 0 where n = 0",
        Power,
        partial(power_rule, is_safe=False),
    ),
    _rule("exponential rule", "(a^f)' = a^f*log(a)*f'", Power, partial(exponential_rule, is_safe=True)),
    _rule(
        "guarded exponential rule",
        "(a^f)' = a^f*log(a)*f', and 0 where a = 0",
        Power,
        partial(exponential_rule, is_safe=False),
    ),
    _rule(
        "power and exponential rule",
        "(f^g)' = g*f^(g-1)*f' + f^g*log(f)*g', without the first where g = 0 and the second where f = 0",
        Power,
        general_power_rule,
    ),
    _rule("chain rule in one variable", "f(g)' = f'(g)*g'", Apply, chain_rule),
    _rule("where", "where(c, f, g)' = where(c, f', g')", Where, where_rule),
    _rule("derivative under the sum", "(sum(i, f))' = sum(i, f')", Reduction, under_the_sum),
    _rule(
        "product over an index",
        "(prod(i, f))' = sum(i, f'*product of the others)",
        Reduction,
        product_over_index,
    ),
    _rule("inverse", "d inv(X)[i,j]/dX[p,q] = -inv(X)[i,p]*inv(X)[q,j]", MatrixFunction, inverse),
    _rule("determinant", "d det(X)/dX[p,q] = cofactor(X)[p,q]", MatrixFunction, determinant),
    _rule(
        "cofactor",
        "d cofactor(X)[i,j]/dX[p,q] = "
        "det(X)*(inv(X)[j,i]*inv(X)[q,p] - inv(X)[j,p]*inv(X)[q,i]), X invertible",
        MatrixFunction,
        cofactor,
    ),
    _rule(
        "logarithm of the determinant", "d logdet(X)/dX[p,q] = inv(X)[q,p]", MatrixFunction, log_determinant
    ),
    _rule("first maximum", "(max(i, f))' = f' at the first maximum", Reduction, first_maximum),
)
MENTIONED = frozenset(CALCULUS_RULES) - frozenset(UNMENTIONED)
