"""Certified identities: what is equal passes, what is equal here and there only does not."""

from __future__ import annotations

import pytest

from symbackprop.algebra.certificate import is_certified
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression

SYSTEM = parse_system(
    """
index i, k : I
index j : J
param x[i], y[i], A[i,j], B[i,k], a, b, c
p[i] = exp(x[i])/sum(j, exp(A[i,j]))
s[i] = sqrt(x[i]^2 + y[i]^2)
t[i] = x[i] - log(y[i])
loss E = a + b + c + sum(i, p[i] + s[i] + t[i])
"""
)
DEFINITIONS = [(equation.element, equation.expression) for equation in SYSTEM.equations]


def parsed(formula: str) -> Expression:
    return parse_expression(formula, SYSTEM)


EQUAL = (
    ("(a + b)*(a - b)", "a^2 - b^2"),
    ("1/(a - b) - 1/(a + b)", "2*b/(a^2 - b^2)"),
    ("a*a/a", "a"),
    ("(a^2 - b^2)/(a - b)", "a + b"),
    ("exp(a + b)", "exp(b)*exp(a)"),
    ("exp(2*a)", "exp(a)^2"),
    ("exp(-a)", "1/exp(a)"),
    ("exp(a/2)*exp(a/2)", "exp(a)"),
    ("exp(a - b)", "1/exp(b - a)"),
    ("exp(2*(a - b))", "exp(2*a)/exp(b)^2"),
    ("exp(a*(b - c))", "1/exp(a*(c - b))"),
    ("exp(log(a) + b)", "a*exp(b)"),
    ("exp(-a)/(1 + exp(-a))^2", "sigmoid(a)*(1 - sigmoid(a))"),
    ("sqrt(a)^3", "a*sqrt(a)"),
    ("(1 - sqrt(a))/(1 - a)", "1/(1 + sqrt(a))"),
    ("(sqrt(a) - sqrt(b))/(a - b)", "1/(sqrt(a) + sqrt(b))"),
    ("a^(1/4)*a^(1/4)", "sqrt(a)"),
    ("sqrt((a - b)*(c - 1))^3", "(b - a)*(1 - c)*sqrt((b - a)*(1 - c))"),
    ("sqrt(a + sqrt(b))^4", "a^2 + 2*a*sqrt(b) + b"),
    ("a^b*a^2", "a^(b + 2)"),
    ("sum(j, A[i,j]*(a + b))", "sum(j, b*A[i,j] + a*A[i,j])"),
    ("sum(j, sum(i, A[i,j]) + 1)", "sum(j, 1 + sum(i, A[i,j]))"),
    ("c - sum(j, A[i,j]*(a - b))", "sum(j, (b - a)*A[i,j]) + c"),
    ("-exp(sum(j, sum(i, a - b)))", "-1/exp(sum(j, sum(i, b - a)))"),
    ("sum(j, a - a)", "-sum(j, b - b)"),
    ("1/sqrt(1 + (b/c)^2)", "1/sqrt(1 + b^2/c^2)"),
    (
        "exp(-x[i]*where(a > b, a, b))/(1 + exp(-x[i]*where(a > b, a, b)))",
        "1 - sigmoid(x[i]*where(a > b, a, b))",
    ),
    ("where(a > b, a + a, b)", "where(a > b, 2*a, b)"),
    ("where(i - 1 >= 0, a + a, 0)", "where(i >= 1, 2*a, 0)"),
    ("delta(i,k)*a + delta(k,i)*b", "(a + b)*delta(i,k)"),
    ("log(a)", "log(a)*a/exp(log(a))"),
    ("b + log(a*b + a*c)", "b + log(a*(b + c))*sqrt(1 + a^2)/(1 + a^2)^(1/2)"),
    ("b", "exp(log(1 + a^2))*b/(1 + a^2)"),
    ("1/sqrt(a)", "sqrt(a)/a"),
    ("where(a > 0, log(a), 0)/a", "where(a > 0, a*log(a)/a, 0)/a"),
    ("where(a > 0, log(a)/a, 0)", "where(a > 0, log(a)*(b + 1)/a - log(a)*b/a, 0)"),
)
UNDER_DEFINITIONS = (
    ("exp(x[i])/sum(j, exp(A[i,j]))", "p[i]"),
    ("x[i]/sqrt(x[i]^2 + y[i]^2)", "x[i]/s[i]"),
    ("s[i]^2 - y[i]^2", "x[i]^2"),
    ("1/sqrt(x[i]^2*(1 + y[i]^2/x[i]^2))", "1/s[i]"),
    ("exp(t[i])*y[i]", "exp(x[i])"),
)
# What only looks equal, or is so but for a sign, at some points, or where it is defined.
NEAR_MISSES = (
    ("exp(2*a)", "exp(a)"),
    ("exp(2*a)", "2*exp(a)"),
    ("exp(a + b)", "exp(a) + exp(b)"),
    ("exp(a*b)", "exp(a)*exp(b)"),
    ("exp(a)", "a"),
    ("sqrt(a^2)", "a"),
    ("sqrt(a^2 - 2*a*b + b^2)", "a - b"),
    ("sqrt(a)*sqrt(b)", "sqrt(b) + sqrt(a)"),
    ("sqrt(a + b)", "sqrt(a) + sqrt(b)"),
    ("sqrt(a)", "-sqrt(a)"),
    ("a^(1/3)", "a^(1/2)"),
    ("1", "a/a"),
    ("a", "a^2/a"),
    ("1/a", "(1 + exp(b))*b/(a*b + a*b*exp(b))"),
    ("sqrt(a)/b", "sqrt(a)*(a - c)/(b*(a - c))"),
    ("1/(a - a)", "1/(a - a)"),
    ("1/(1 + sqrt(a))", "(1 - sqrt(a))/(1 - a)"),
    ("1/(sqrt(a) + sqrt(b))", "(sqrt(a) - sqrt(b))/(a - b)"),
    ("a", "exp(log(a))"),
    ("b", "b*a^c*a^(-c)"),
    ("b", "b + log(a) - log(a)"),
    ("b", "b + sqrt(a) - sqrt(a)"),
    ("sqrt(a)", "sqrt(a) + log(a) - log(a)"),
    ("where(a > 0, log(a), 0)", "where(a > 0, log(a), 0) + log(a) - log(a)"),
    ("where(a > 0, 1/a, 0)", "where(a > 0, 1/a, 0)*a/a"),
    ("where(a > 0, 1/a, b)", "where(a > 0, 1/a, b*a/a)"),
    ("a - b", "b - a"),
    ("(a + b)^2", "a^2 + b^2"),
    ("A[i,j]", "A[j',i']"),
    ("x[i]", "y[i]"),
    ("sum(j, A[i,j])", "sum(i, A[i,j])"),
    ("sum(i, x[i])*sum(i, y[i])", "sum(i, x[i]*y[i])"),
    ("sum(i, sum(j, A[i,j]*x[i]))", "sum(i, sum(j, A[i,j]*y[i]))"),
    ("sum(j, a)", "a"),
    ("sum(j, A[i,j]*(a - b))", "sum(j, A[i,j]*(b - a))"),
    ("max(j, -A[i,j])", "-max(j, A[i,j])"),
    ("prod(j, -A[i,j])", "-prod(j, A[i,j])"),
    ("1/sqrt(a - b)", "1/sqrt(b - a)"),
    ("sqrt(a^2 + b^2)", "sqrt(a^2 + b^2)*sqrt(a^2 - b^2)/sqrt(a^2 - b^2)"),
    ("where(a > b, a, b)", "where(a >= b, a, b)"),
    ("where(i - 1 >= 0, a, 0)", "where(i > 1, a, 0)"),
    ("where(a > b, a, b)", "where(a > b, b, a)"),
    ("delta(i,k)^2", "delta(i,k)"),
    ("size(i)", "size(j)"),
    ("log(a*b)", "log(a)*log(b)"),
    ("max(i, x[i])", "min(i, x[i])"),
    ("tanh(a)", "tanh(b)"),
    ("x[i]*p[i]", "x[i]*exp(x[i])"),
)


@pytest.mark.parametrize(("before", "after"), EQUAL)
def test_what_is_equal_passes(before: str, after: str) -> None:
    assert is_certified(parsed(before), parsed(after))


@pytest.mark.parametrize(("before", "after"), UNDER_DEFINITIONS)
def test_what_is_equal_under_definitions_passes_with_them_alone(before: str, after: str) -> None:
    assert is_certified(parsed(before), parsed(after), DEFINITIONS)
    assert not is_certified(parsed(before), parsed(after))


@pytest.mark.parametrize(("before", "after"), NEAR_MISSES)
def test_a_near_miss_is_refused(before: str, after: str) -> None:
    assert not is_certified(_at_any_index(before), _at_any_index(after), DEFINITIONS[:1])


def _at_any_index(formula: str) -> Expression:
    return parsed(formula.replace("A[j',i']", "A[i,j] + 1"))


def test_an_element_that_is_defined_by_itself_says_nothing() -> None:
    a, b = parsed("a"), parsed("b")
    assert not is_certified(a, b, [(a, parsed("b*(a/b)"))])
    assert not is_certified(a, parsed("a + 1"), [(a, parsed("a + 1"))])


def test_a_formula_licenses_a_division_only_where_its_name_leads_to_it() -> None:
    total = "sum(j, exp(A[i,j]))"
    assert not is_certified(parsed("a"), parsed(f"a*{total}/{total}"), DEFINITIONS)
    assert is_certified(parsed("a*p[i]"), parsed(f"a*p[i]*{total}/{total}"), DEFINITIONS)
    assert is_certified(parsed("a*p[i]"), parsed(f"a*exp(x[i])/{total}"), DEFINITIONS)
    assert is_certified(parsed("a*x[i]"), parsed("a*(t[i] + log(y[i]))"), DEFINITIONS)
    assert not is_certified(parsed("a*x[i]"), parsed("a*(x[i] + log(y[i]) - log(y[i]))"), DEFINITIONS)
    assert is_certified(parsed("a + t[i]"), parsed("a + t[i] + b*log(y[i]) - log(y[i])*b"), DEFINITIONS)
    assert not is_certified(parsed("a + s[i]"), parsed("a + s[i] + b*log(y[i]) - log(y[i])*b"), DEFINITIONS)


def test_deep_powers_and_many_roots_are_not_waited_for() -> None:
    deep = parsed("a + 1")
    for _ in range(12):
        deep = parsed("a^30").with_children((deep, parsed("30")))
    assert is_certified(deep, deep)
    roots = parsed("1/(" + " + ".join(f"sqrt(a + {number})" for number in range(12)) + ")")
    assert not is_certified(roots, parsed("b"))
