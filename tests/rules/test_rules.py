"""Every rule of the normal form: where it applies, a near-miss, and agreement with the naive evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.algebra.phases import normal_form_rules
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import ONE, ZERO, Expression, Where
from symbackprop.rewriting.rule import Rule
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.rules.stated_facts import fact_rules
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text

SYSTEM = parse_system(
    """
index i, i2 : I
index j, j2 : J
index k : K
index d : D = 2
index q : Q = 8
input ids[k] in I
input x[i], y[j], A[i,j], B[j,k], S[i,i2], T[j,j2], z[q]
param c
fact sum(k, B[j,k]) == 1
loss E = c
"""
)
SIZES = {"I": 2, "J": 3, "K": 4, "D": 2, "Q": 8}

# rule, where it applies, what it gives, where it must not apply
CASES = [
    (
        "join sums",
        "sum(j, y[j]*sum(k, B[j,k]*delta(j+k,q)))",
        "sum(j, k, y[j]*B[j,k]*delta(j + k,q))",
        "sum(j, y[j]*sum(k, B[j,k]*delta(2*k,q)))",
    ),
    ("arithmetic", "0 + 1*x[i]", "x[i]", "x[i] + y[j]"),
    ("add up positions", "z[q + (i - q)]", "z[i]", "z[i + j]"),
    ("condition that holds", "where(i + 1 > 0 and j > i, c, 0)", "where(j > i, c, 0)", "where(j > i, c, 0)"),
    (
        "join wheres",
        "where(i > 0, x[i]*where(j < 2, c, 0), 0)",
        "where(i > 0 and j < 2, x[i]*c, 0)",
        "where(i > 0, x[i]*where(j < 2, c, 1), 0)",
    ),
    (
        "join masks",
        "where(i > 0, 1, 0)*where(c > 0, x[i], 0)",
        "where(i > 0 and c > 0, x[i], 0)",
        "where(c > 1, 1, 0)*where(c > 0, x[i], 0)",
    ),
    (
        "join wheres alike",
        "where(c > 0, x[i], 0)*y[j]*where(c > 0, 1/c, 0)",
        "where(c > 0, x[i]/c, 0)*y[j]",
        "where(c > 0, x[i], 0)*where(c > 1, 1/c, 0)",
    ),
    (
        "strict comparison",
        "where(i <= j and c > 0 and j - i != 0, c, 0)",
        "i < j and c > 0",
        "where(i <= j and j - i != 1, c, 0)",
    ),
    (
        "where out of sum",
        "sum(j, where(i > 0, c, 0)*y[j])",
        "where(i > 0, sum(j, c*y[j]), 0)",
        "sum(j, where(j > 0, c, 0)*y[j])",
    ),
    (
        "split into digits",
        "sum(j, delta(size(d)*j+d,q)*y[j])",
        "sum(j, delta(j,floor(q/2))*delta(d,mod(q, 2))*y[j])",
        "sum(j, delta(3*j+d,q)*y[j])",
    ),
    (
        "join digits",
        "sum(q, z[q]*delta(floor(q/2),j)*delta(mod(q,2),d))",
        "sum(q, z[q]*delta(q,2*j + d))",
        "sum(q, z[q]*delta(floor(q/3),j)*delta(mod(q,2),d))",
    ),
    (
        "delta substitutes",
        "delta(ids[k],i)*A[ids[k],j]",
        "delta(ids[k],i)*A[i,j]",
        "delta(ids[k],i)*A[i2,j]",
    ),
    (
        "cancel under delta",
        "x[i]*(delta(ids[k],i)/x[ids[k]] - c)",
        "x[i]*delta(ids[k],i)/x[ids[k]] - x[i]*c",
        "x[i]*(delta(ids[k],i2)/x[ids[k]] - c)",
    ),
    ("delta of one index", "delta(i,i)", "1", "delta(i,i2)"),
    ("delta is 0 or 1", "delta(i,i2)^2", "delta(i,i2)", "A[i,j]^2"),
    ("contract delta", "sum(i2, delta(i2,i)*x[i2]*A[i2,j])", "x[i]*A[i,j]", "sum(i2, delta(j,j2)*x[i2])"),
    (
        "delta out of where",
        "where(c > 0, delta(i,i2)*c, 0)",
        "delta(i,i2)*where(c > 0, c, 0)",
        "where(c > 0, c, 0)",
    ),
    (
        "split where",
        "where(c > 0, delta(i,i2), delta(j,j2))",
        "where(c > 0, delta(i,i2), 0) + where(c > 0, 0, delta(j,j2))",
        "where(c > 0, x[i], y[j])",
    ),
    (
        "multiply out",
        "(delta(i,i2) + x[i])*y[j]",
        "delta(i,i2)*y[j] + x[i]*y[j]",
        "(x[i] + c)*y[j]",
    ),
    (
        "separate sum",
        "sum(i2, delta(i2,i) + x[i2])",
        "sum(i2, delta(i2,i)) + sum(i2, x[i2])",
        "sum(i2, x[i2] + c)",
    ),
    ("sum of zeros", "sum(i, 0)", "0", "sum(i, x[i])"),
    ("merge sums", "sum(i, sum(j, A[i,j]))", "sum(i, j, A[i,j])", "sum(i, x[i]*sum(j, A[i,j]))"),
    ("factor out", "sum(i, c*x[i]*y[j])", "c*sum(i, x[i])*y[j]", "sum(i, x[i]*A[i,j])"),
    ("unused index", "sum(i, j, y[j])", "size(i)*sum(j, y[j])", "sum(i, j, A[i,j])"),
    ("maximum of a constant", "max(i, y[j])", "y[j]", "max(i, A[i,j])"),
    ("number out of where", "where(c > 0, 2*c, 0)", "2*where(c > 0, c, 0)", "where(c > 0, 2*c, 3)"),
    ("turn where", "where(c > 0, 0, c)", "where(c <= 0, c, 0)", "where(c > 0, c, 0)"),
    ("opposite comparison", "where(not i < 2, x[i], 0)", "i >= 2", "where(not c > 0, x[i], 0)"),
    ("turn comparison", "where(0 < c, c, 0)", "c > 0", "where(c > 0, c, 0)"),
    ("no where", "where(c > 0, x[i], x[i])", "x[i]", "where(c > 0, x[i], c)"),
    (
        "fixed position",
        "sum(i, where(i == 0, x[i], 0))",
        "pad(x[0])",
        "sum(i, where(i > 0, x[i], 0))",
    ),
    (
        "add wheres",
        "where(i > 0, c, 0) + where(i > 0, x[i], 0)",
        "where(i > 0, c + x[i], 0)",
        "where(i > 0, c, 0) + where(j > 0, y[j], 0)",
    ),
    (
        "solve delta",
        "sum(i, j, delta(i+2*j,q)*x[i]*y[j])",
        "sum(j, y[j]*pad(x[q - 2*j]))",
        "sum(k, delta(ids[k],i)*x[i2])",
    ),
]
RULES = normal_form_rules(Ranges.of(SYSTEM))
BY_NAME = {rule.name: rule for rule in RULES}


def parsed(formula: str) -> Expression:
    return parse_expression(formula, SYSTEM)


def node_for(rule: Rule, expression: Expression) -> Expression:
    """The node of the expression that the rule looks at: the first it rewrites, or the root."""
    return next((node for node in expression.walk() if rule.apply(node) is not None), expression)


def test_every_rule_has_a_case() -> None:
    assert [rule.name for rule in RULES] == [name for name, *_ in CASES]


@pytest.mark.parametrize(("name", "before", "after", "near_miss"), CASES, ids=[case[0] for case in CASES])
def test_rule(name: str, before: str, after: str, near_miss: str) -> None:
    rule = BY_NAME[name]
    node = node_for(rule, parsed(before))
    result = rule.apply(node)
    assert result is not None
    assert text(result) == after
    assert all(rule.apply(each) is None for each in parsed(near_miss).walk())
    assert rule.statement and rule.decreases


@pytest.mark.parametrize(("name", "before", "after", "near_miss"), CASES, ids=[case[0] for case in CASES])
def test_rule_keeps_the_value(name: str, before: str, after: str, near_miss: str) -> None:
    rule = BY_NAME[name]
    node = node_for(rule, parsed(before))
    result = rule.apply(node)
    assert result is not None
    if name in ("turn comparison", "opposite comparison", "strict comparison"):
        node, result = (Where(each, ONE, ZERO) for each in (node, result))
    rng = np.random.default_rng(1)
    for _ in range(3):
        values = {
            tensor.name: rng.normal(size=[SIZES[index.axis.name] for index in tensor.indices])
            for tensor in SYSTEM.tensors.values()
        }
        values["ids"] = rng.integers(0, SIZES["I"], SIZES["K"])
        indices = tuple(sorted(node.free_indices | result.free_indices, key=lambda index: index.name))
        evaluator = NaiveEvaluator(values, SIZES)
        np.testing.assert_allclose(
            evaluator.array(result, indices), evaluator.array(node, indices), rtol=1e-12
        )


def test_fact_applies_up_to_names_and_not_to_another_tensor() -> None:
    rule = fact_rules(SYSTEM.facts)[0].rule
    applied = rule.apply(parsed("sum(k', B[j2,k'])"))
    assert applied is not None
    assert text(applied) == "1"
    assert rule.apply(parsed("sum(j, B[j,k])")) is None
    assert rule.apply(parsed("sum(j, A[i,j])")) is None
    assert rule.apply(parsed("sum(k, B[j,k]^2)")) is None


def test_no_capture_when_a_delta_is_contracted_under_a_binder() -> None:
    # j is bound inside: putting it in the place of j2 must rename the inner one.
    node = parsed("sum(j2, delta(j2,j)*y[j2]*sum(j, A[i,j]*y[j2]))")
    result = BY_NAME["contract delta"].apply(node)
    assert result is not None
    assert text(result) == "y[j]*sum(j', A[i,j']*y[j])"


# A product with a delta, where the other factor may be undefined where the delta is 0
PARTIAL = [
    ("delta(ids[k],i)/x[ids[k]]", "delta(ids[k],i)/x[ids[k]]"),
    ("delta(ids[k],i)/x[i]", "delta(ids[k],i)/x[ids[k]]"),
    ("delta(ids[k],i)*x[i]*y[j]/x[ids[k]]", "delta(ids[k],i)*y[j]"),
    ("delta(ids[k],i)*A[i,j]*log(x[i])", "delta(ids[k],i)*A[i,j]*log(x[ids[k]])"),
    ("delta(size(i) - 1,i)*sqrt(x[i])", "delta(size(i) - 1,i)*sqrt(x[size(i) - 1])"),
    ("delta(i,i2)/(x[i] - x[i2])", "delta(i,i2)/(x[i] - x[i2])"),
    ("delta(i,i2)/(x[i] + x[i2])", "1/2*delta(i,i2)/x[i]"),
    ("delta(i,i2)/x[i2]", "delta(i,i2)/x[i2]"),
    ("delta(ids[k],i)*log(1 + x[ids[k]]^2)", "delta(ids[k],i)*log(1 + x[i]^2)"),
    ("delta(2*i,q)/z[2*i]", "delta(2*i,q)/z[2*i]"),
    ("sum(i, delta(2*i,q)/z[2*i])", "where(mod(q, 2) == 0 and floor(q/2) < size(i), 1/z[q], 0)"),
    (
        "sum(i, delta(3*i,q)*log(i - c))",
        "where(mod(q, 3) == 0 and floor(q/3) < size(i), log(floor(q/3) - c), 0)",
    ),
    ("sum(i, delta(3*i,q)*(i - c))", "(floor(q/3) - c)*where(mod(q, 3) == 0 and floor(q/3) < size(i), 1, 0)"),
]


@pytest.mark.parametrize(("before", "after"), PARTIAL)
def test_what_may_be_undefined_is_read_only_where_the_delta_is_not_zero(before: str, after: str) -> None:
    deltas = [rule for rule in RULES if rule.name in ("arithmetic", "delta substitutes", "solve delta")]
    node = parsed(before)
    assert text(result_of(apply_exhaustively(deltas, node), node)) == after
