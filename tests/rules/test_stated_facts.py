"""A fact leads from the side with the larger measure to the other, so that its uses come to an end."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.algebra.phases import normal_form_rules
from symbackprop.cli.main import run
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.rewriting.rule import Rule
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.rules.measures import MEASURES, first_change
from symbackprop.rules.stated_facts import fact_rules, undirected
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text
from symbackprop.systems.system import System

NAMES = """\
index i, i2 : I
index j, j2 : J
param x[i], y[j], z[j], A[i,j], S[i,i2], T[j,j2], c
"""


def stating(fact: str, loss: str = "c") -> System:
    return parse_system(f"{NAMES}fact {fact}\nloss E = {loss}\n")


# The fact, an expression with the larger side, and what becomes of it.
ORIENTED = [
    ("2*y[j]*size(i) == sum(i, A[i,j])", "c*sum(i2, A[i2,j2])", "2*c*y[j2]*size(i)"),
    ("sum(i, A[i,j]) == 2*y[j]*size(i)", "c*sum(i, A[i,j])", "2*c*y[j]*size(i)"),
    ("sum(i, x[i])*y[j] == c^2*z[j]*y[j]*x[0]*A[0,j]", "sum(i, x[i])*y[j]", "c^2*z[j]*y[j]*x[0]*A[0,j]"),
    ("1 == sum(j, A[i,j])", "x[i]*sum(j, A[i,j])", "x[i]"),
    ("sum(j, A[i,j]*c) == c", "c*sum(j, A[i,j])", "c"),
    ("sum(i, sum(j, A[i,j])) == 1", "sum(i, j, A[i,j])", "1"),
    ("y[j]^2 == y[j]", "y[j]^2*c", "y[j]*c"),
    ("where(j > 0, y[j], 0) == y[j]", "where(j > 0, y[j], 0)", "y[j]"),
    ("max(i, A[i,j]) == sum(i, j2, A[i,j2])*y[j]", "sum(i, j2, A[i,j2])*y[j]", "max(i, A[i,j])"),
]

NO_RULE = [
    # what the rules say, in either direction
    "size(i)*y[j] == sum(i, y[j])",
    "sum(i, y[j]) == size(i)*y[j]",
    "c*sum(i, x[i]) == sum(i, c*x[i])",
    "sum(i, j, A[i,j]) == sum(i, sum(j, A[i,j]))",
    "y[j] == sum(j2, delta(j2,j)*y[j2])",
    "2*y[j] == y[j] + y[j]",
    # no side is the smaller one
    "y[j] == z[j]",
    "c*y[j] == c*z[j]",
    # the smaller side does not say which index it means
    "sum(i, x[i]) == y[j]",
]


def rules_of(system: System) -> tuple[list[str], tuple[Rule, ...]]:
    rules = normal_form_rules(Ranges.of(system))
    facts = [each.rule for each in fact_rules(system.facts, rules)]
    return [rule.decreases for rule in facts], (*rules, *facts)


@pytest.mark.parametrize(("fact", "before", "after"), ORIENTED)
def test_a_fact_makes_its_measure_fall(fact: str, before: str, after: str) -> None:
    system = stating(fact)
    (decreases,), rules = rules_of(system)
    start = parse_expression(before, system)
    steps = apply_exhaustively(rules, start)
    assert text(result_of(steps, start)) == after
    use = next(step for step in steps if step.rule.name == "fact")
    assert first_change(use.before, use.after)[0] == decreases
    assert first_change(use.before, use.after)[1] < 0


@pytest.mark.parametrize("fact", NO_RULE)
def test_what_no_measure_orients_gives_no_rule(fact: str) -> None:
    assert rules_of(stating(fact))[0] == []


LOSSES = ("sum(i, j, c*y[j])", "sum(i, j, A[i,j]*y[j])^2", "sum(j, z[j]*sum(i, x[i]*A[i,j])*sum(i, A[i,j]))")


@pytest.mark.parametrize("fact", [*(fact for fact, _, _ in ORIENTED), *NO_RULE])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_derivation_comes_to_rest(fact: str, loss: str) -> None:
    system = stating(fact, loss)
    assert sb.loads(f"{NAMES}fact {fact}\nloss E = {loss}\n").derive() is not None
    _, rules = rules_of(system)
    expression = parse_expression(loss, system)
    normal = result_of(apply_exhaustively(rules, expression), expression)
    assert apply_exhaustively(rules, normal) == ()


# Facts without a rule, what their smaller side has more of, and where that makes an earlier measure rise.
UNDIRECTED = [
    ("sum(i, A[i,j]) == y[j] + z[j]", "terms", "sum(j, c*({}))"),
    ("sum(i, A[i,j]) == y[j] + z[j] + c", "terms", "max(i, {} + x[i])*sum(i, x[i])"),
    ("tanh((y[j] + z[j])^2) == y[j]*z[j]", "factors", "sum(j, {})"),
    ("tanh((y[j] + z[j])^2) == delta(j,1)", "deltas", "where(c > 0, {}, 0)*z[j]"),
]
SURROUNDINGS = (
    "c*({})", "sum(j, z[j]*({}))", "sum(j, {})", "where(c > 0, {}, 0)*x[i]", "where(c > 0, x[i], {})",
    "sum(j2, delta(j2,j)*({}))", "tanh({})", "({})^2*z[j]", "x[i]*(c + ({}))", "max(j, {})",
    "1/(1 + ({})^2)", "sum(j, max(i2, x[i2]*({})))", "sum(i, sum(j, {})*x[i])", "delta(j,j2)*({})*T[j,j2]",
)  # fmt: skip


@pytest.mark.parametrize(("fact", "more", "around"), UNDIRECTED)
def test_a_fact_whose_uses_need_not_come_to_an_end_gives_no_rule(fact: str, more: str, around: str) -> None:
    system = stating(fact)
    assert rules_of(system)[0] == []
    assert undirected(system.facts[0], normal_form_rules(Ranges.of(system))) == more
    sides = [parse_expression(around.format(side), system) for side in fact.split(" == ")]
    assert first_change(*sides)[1] > 0


@pytest.mark.parametrize("fact", [fact for fact, _, _ in ORIENTED] + ["y[j]^2*z[j]^2 == z[j]", "y[j]^2 == c"])
def test_the_measure_of_a_fact_falls_wherever_it_is_used(fact: str) -> None:
    system = stating(fact)
    (decreases,), rules = rules_of(system)
    used = 0
    for around in SURROUNDINGS:
        for side in fact.split(" == "):
            for step in apply_exhaustively(rules, parse_expression(around.format(side), system)):
                if step.rule.name == "fact":
                    used += 1
                    first, rise = first_change(step.before, step.after)
                    assert rise < 0, f"{first} rises: {text(step.before)} = {text(step.after)}"
                    assert list(MEASURES).index(first) <= list(MEASURES).index(decreases)
    assert used


def test_the_user_hears_of_a_fact_without_a_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "known.model"
    for fact, is_used in (("sum(i, A[i,j]) == y[j] + z[j]", False), ("sum(i, A[i,j]) == y[j]", True)):
        model.write_text(f"{NAMES}fact {fact}\nloss E = sum(j, z[j]*sum(i, A[i,j]))\n", encoding="utf-8")
        assert run(["derive", str(model)]) == 0
        said = capsys.readouterr().err
        assert (f"note: the fact {fact} is not used to simplify" in said) is not is_used
