"""Rules at the ends of an axis: where they apply, where they must not, and that the values agree."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Expression
from symbackprop.rules.boundaries import (
    fixed_position,
    guard_of_all_terms,
    read_under_sum,
    read_under_where,
)
from symbackprop.rules.wheres import WHERE_RULES
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text

HEAD = "index s, t : T\nindex k : K\ninput f[t,k], g[t,k], c[t]\n"
JOIN_WHERES = next(rule for rule in WHERE_RULES if rule.name == "join wheres")
STEP = parse_system(HEAD).tensors["c"].indices[0]


def parsed(formula: str, indices: str = "") -> Expression:
    return parse_system(f"{HEAD}y{indices} = {formula}\n").equations[0].expression


def agree(before: Expression, after: Expression) -> bool:
    rng = np.random.default_rng(0)
    for size in (0, 1, 3):
        sizes = {"T": size, "K": 2}
        values = {"f": rng.random((size, 2)), "g": rng.random((size, 2)), "c": rng.random(size)}
        evaluator = NaiveEvaluator(values, sizes)
        free = tuple(sorted(before.free_indices, key=lambda index: index.name))
        arrays = [evaluator.array(expression, free) for expression in (before, after)]
        if not np.allclose(*arrays):
            return False
    return True


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        (
            "sum(t, k, where(t == 0, f[t,k], 0)*g[t,k])",
            "sum(k, where(0 < size(t), f[0,k], 0)*where(0 < size(t), g[0,k], 0))",
        ),
        ("sum(t, where(t == size(t) - 1, c[t], 0))", None),
        ("sum(t, where(t == 0 and c[t] > 1, c[t], 0))", None),
    ],
)
def test_a_fixed_position(formula: str, result: str | None) -> None:
    before = parsed(formula)
    after = fixed_position(before)
    assert after is not None
    assert agree(before, after)
    assert not any(index.name == "t" for index in after.free_indices)
    assert "t ==" not in text(after)


@pytest.mark.parametrize(
    "formula",
    [
        "sum(t, where(t == 0, c[t], 1))",  # not 0 elsewhere
        "sum(t, where(t >= 0, c[t], 0))",  # no single place
        "sum(t, where(c[t] == 0, c[t], 0))",  # a condition on values
        "max(t, where(t == 0, c[t], 0))",  # no sum
    ],
)
def test_no_fixed_position(formula: str) -> None:
    assert fixed_position(parsed(formula)) is None


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("c[t]*where(t < s, g[s,k], 0)*f[s,k]", "c[t]*where(t < s, g[s,k]*f[s,k], 0)"),
        ("where(t < s, c[s]*c[t], 0)*f[s,k]", "c[t]*where(t < s, c[s]*f[s,k], 0)"),
        ("where(c[s] > 1/2 and t < s, c[s], 0)*f[s,k]", "where(c[s] > 1/2 and t < s, c[s]*f[s,k], 0)"),
        ("delta(s,t)*where(t < s, 1, 0)*f[s,k]", "delta(s,t)*where(t < s, f[s,k], 0)"),
        (  # what is chosen lies before s, where the condition holds
            "where(s > 0, c[s], 0)*delta(where(g[s,k] > 1/2, s - 1, 0),t)*f[s,k]",
            "delta(where(g[s,k] > 1/2, s - 1, 0),t)*where(t < s, c[s]*f[s,k], 0)",
        ),
        (  # and what the delta does not tell stays
            "where(s > 1, c[s]*delta(where(g[s,k] > 1/2, s - 1, 0),t), 0)*f[s,k]",
            "delta(where(g[s,k] > 1/2, s - 1, 0),t)*where(t < s and s > 1, c[s]*f[s,k], 0)",
        ),
        (
            "where(s < size(s) - 1, c[s], 0)*delta(where(g[s,k] > 1/2, s + 1, size(s) - 1),t)*f[s,k]",
            "delta(where(g[s,k] > 1/2, s + 1, size(s) - 1),t)*where(t > s, c[s]*f[s,k], 0)",
        ),
        ("where(t < s and t > 0, c[t-1], 0)*f[s,k]", "where(t < s and t > 0, c[t-1]*f[s,k], 0)"),
        ("where(t < s and t > 0, 1/c[t], 0)*f[s,k]", "where(t < s and t > 0, f[s,k]/c[t], 0)"),
    ],
)
def test_a_member_of_a_recurrence_is_read_under_the_where(formula: str, result: str) -> None:
    before = parsed(formula, "[t,s,k]")
    after = read_under_where(before, {"f": 0}, STEP, Ranges())
    assert after == parsed(result, "[t,s,k]")
    assert agree(before, after)


@pytest.mark.parametrize(
    "formula",
    [
        "where(t < s, c[s], 0)*g[s,k]",  # no member
        "where(t < s, c[s], 1)*f[s,k]",  # not 0 elsewhere
        "where(c[s] > 0, c[s], 0)*f[s,k]",  # a condition on values
        "where(t > 0, c[t], 0)*f[s,k]",  # the condition says nothing of the step that is read
        "c[t]*where(s > 0, c[s], 0)*f[s,k]",  # nor of the step at hand
        "where(t < s, f[s,k], 0)*c[s]",  # stands inside already
        "where(s > 0, c[s], 0)*delta(where(g[s,k] > 1/2, s, 0),t)*f[s,k]",  # s itself may be chosen
        "where(t < s, c[t], 0)*f[t,k]",  # read at the same step
    ],
)
def test_a_reading_that_stays_where_it_is(formula: str) -> None:
    free = "[t,s,k]" if "t" in formula.replace("where", "") else "[s,k]"
    assert read_under_where(parsed(formula, free), {"f": 0}, STEP, Ranges()) is None


def test_a_member_of_a_recurrence_is_read_under_the_sum() -> None:
    chosen = "delta(where(g[s,k] > 1/2, s - 1, 0),t)"
    before = parsed(f"where(s > 0, sum(k, {chosen}*g[s,k]), 0)*c[s]", "[t,s]")
    after = read_under_sum(before, {"c": 0}, STEP, Ranges())
    assert after == parsed(f"sum(k, {chosen}*where(t < s, g[s,k]*c[s], 0))", "[t,s]")
    assert agree(before, after)


@pytest.mark.parametrize(
    "formula",
    [
        "where(s > 0, sum(k, delta(where(g[s,k] > 1/2, s - 1, 0),t)), 0)*f[s,k]",  # of another k
        "where(s > 0, sum(k, delta(where(g[s,k] > 1/2, s, 0),t)), 0)*f[s,0]",  # s itself may be chosen
        "where(s > 0, prod(k, delta(where(g[s,k] > 1/2, s - 1, 0),t)), 0)*f[s,0]",  # no sum
        "where(s > 0, sum(k, delta(where(g[s,k] > 1/2, s - 1, 0),t)), 0)*g[s,0]",  # no member
    ],
)
def test_a_reading_that_stays_beside_a_sum(formula: str) -> None:
    assert (
        read_under_sum(
            parsed(formula, "[t,s,k]" if "f[s,k]" in formula else "[t,s]"), {"f": 0}, STEP, Ranges()
        )
        is None
    )


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        (
            "(c[t]*where(t < s, g[s,k], 0) - where(t < s, c[s], 0))*f[s,k]",
            "where(t < s, (c[t]*g[s,k] - c[s])*f[s,k], 0)",
        ),
        (
            "(where(t < s - 1, g[s,k], 0) + where(t < s, c[s], 0))*f[s,k]",  # the weaker one
            "where(t < s, (where(t < s - 1, g[s,k], 0) + c[s])*f[s,k], 0)",
        ),
        (
            "(where(c[s] > 0 and t < s, g[s,k], 0) + where(t < s, c[s], 0))*f[s,k]*c[t]",
            "c[t]*where(t < s, (where(c[s] > 0, g[s,k], 0) + c[s])*f[s,k], 0)",
        ),
    ],
)
def test_a_guard_of_all_terms_encloses_what_is_read_beside_them(formula: str, result: str) -> None:
    before = parsed(formula, "[t,s,k]")
    after = guard_of_all_terms(before, {"f": 0}, STEP, Ranges())
    assert after == parsed(result, "[t,s,k]")
    assert agree(before, after)


@pytest.mark.parametrize(
    "formula",
    [
        "(where(t < s, g[s,k], 0) + c[s])*f[s,k]",  # a term without a guard
        "(where(t < s, g[s,k], 0) + where(t > s, c[s], 0))*f[s,k]",  # no guard of both
        "(where(t < s, g[s,k], 0) + where(t < s, c[s], 1))*f[s,k]",  # not 0 elsewhere
        "(where(c[s] > c[t], g[s,k], 0) + where(c[s] > c[t], c[s], 0))*f[s,k]",  # a condition on values
        "(where(t < s, g[s,k], 0) + where(t < s, c[s], 0))*f[t,k]",  # read at the same step
        "(where(t < s, g[s,k], 0) + where(t < s, c[s], 0))*c[s]",  # no member
    ],
)
def test_terms_that_have_no_guard_in_common(formula: str) -> None:
    assert guard_of_all_terms(parsed(formula, "[t,s,k]"), {"f": 0}, STEP, Ranges()) is None


@pytest.mark.parametrize(
    "formula",
    [
        "where(t > 0, c[t]*where(f[t,k] > 0, g[t,k], 0), 0)",  # a mask of values
        "where(t > 0, c[t]*where(k > 0, g[t,k], 1), 0)",  # not 0 elsewhere
        "where(t > 0, where(k > 0, g[t,k], 0)*where(k > 1, g[t,k], 0), 0)",  # not one `where`
    ],
)
def test_wheres_that_stay_within_one_another(formula: str) -> None:
    assert JOIN_WHERES.apply(parsed(formula, "[t,k]")) is None


def test_an_adjoint_is_not_folded_into_what_is_computed_in_a_later_step() -> None:
    """delta_q[t] is delta_p[t+1]*c[t]; nothing of delta_p at step t may read delta_q at t - 1."""
    model = """
index t : T
input c[t]
param a
p[t] = where(t == 0, a, c[t-1]*q[t-1])
q[t] = c[t]*p[t]*p[t]
loss E = sum(t, q[t])
"""
    for equation in derive(parse_system(model)).equations:
        if equation.tensor.startswith("delta"):
            assert "t - 1]" not in text(equation.expression)
