"""The names that the rules' examples and near-misses are written in, and where a rule applies in one."""

from __future__ import annotations

from functools import cache

from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.derivatives import Derivative, PartialDerivative
from symbackprop.notation.expressions import Element, Expression
from symbackprop.rewriting.rule import Rule
from symbackprop.systems.system import Fact, System

NAMES = """\
index i, i2 : I
index j, j2, j3 : J
index k, k2 : K
index d : D = 2
index q : Q = 8
index p : P = I*D
index g : G = I*J*K
index s, t : S
input ids[k2] in I
input x[i], y[j], A[i,j], B[j,k], T[j,j2], z[q], r[p], n[g], w[t], v[t], u[i2,j3,s,d]
param c, h0
m[i] = max(0, x[i] - c)
a[t] = where(t == 0, h0, w[t]*a[t-1])
o[t] = where(t > 0, a[t-1], 0)
l[i,j] = A[i,j]*y[j]
rho[j] = y[j]/c
loss E = c*sum(t, a[t])
"""


SYMMETRIC = {"T": "fact T[j,j2] == T[j2,j]"}


@cache
def example_system() -> System:
    """The system of those names."""
    return parse_system(NAMES, "rules")


def parsed(formula: str) -> Expression:
    """An expression over those names; d(f)/dx[i] is the derivative of f by x[i], dE/dc the loss's by c."""
    if formula.startswith("d("):
        above, _, below = formula.removeprefix("d(").rpartition(")/d")
        element = parsed(below)
        assert isinstance(element, Element)
        return PartialDerivative(parsed(above), element)
    if formula.startswith("dE/d"):
        element = parsed(formula.removeprefix("dE/d"))
        assert isinstance(element, Element)
        return Derivative(Element("E"), element, total=True)
    return parse_expression(formula, example_system())


def example_fact() -> Fact:
    """A fact over those names."""
    return Fact(parsed("sum(k, B[j,k])"), parsed("1"))


def place_of_use(rule: Rule, expression: Expression) -> tuple[Expression, Expression] | None:
    """The first node that the rule rewrites, parents first, and what it becomes; None where there is none."""
    for node in expression.walk():
        rewritten = rule.apply(node)
        if rewritten is not None:
            return node, rewritten
    return None
