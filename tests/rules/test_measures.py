"""What a rule decreases falls at every use, and nothing that stands above it in the order rises."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.algebra import phases
from symbackprop.algebra.context import Scope
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_expression
from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.strategies import apply_exhaustively
from symbackprop.rules.conditions import when
from symbackprop.rules.measures import MEASURES, first_change
from symbackprop.rules.setting import Setting
from symbackprop.rules.stating import Rewriting
from symbackprop.rules.summation import factor_out
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text
from tests.models.classics import NAMES, load_classic
from tests.rules.test_random_rules import RULES, SYSTEM, Writer

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.model"))
ORDER = list(MEASURES)
WITHOUT_A_RULE = {"determinant", "log_determinant"}  # the derivative is in its normal form at once


def expect_fall(step: Step, setting: Setting) -> None:
    message = f"{step.rule.name}\n{text(step.before)}\n{text(step.after)}"
    measure = MEASURES[step.rule.decreases]
    assert measure.of(step.after, setting) < measure.of(step.before, setting), message
    first, rise = first_change(step.before, step.after, setting)
    assert rise < 0 and ORDER.index(first) <= ORDER.index(step.rule.decreases), f"{first} rises: {message}"


@pytest.mark.parametrize("seed", range(12))
def test_random_expressions(seed: int) -> None:
    writer, setting = Writer(seed), Setting(Ranges.of(SYSTEM))
    for _ in range(8):
        for step in apply_exhaustively(RULES, parse_expression(writer.value(3), SYSTEM)):
            expect_fall(step, setting)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Checks every use of a rule on the way to a normal form; gives those that have been checked."""
    seen: list[Step] = []
    settings = [Setting()]
    steps, simplified = NormalForm.steps, phases._simplified

    def watched_steps(form: NormalForm, expression: Expression) -> tuple[Step, ...]:
        found = steps(form, expression)
        for step in found:
            expect_fall(step, settings[-1])
        seen.extend(found)
        return found

    def watched_simplified(expression: Expression, scope: Scope, *rest: object) -> tuple[Step, ...]:
        settings.append(Setting(scope.ranges, frozenset(scope.own_recurrence[0])))
        return simplified(expression, scope, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(NormalForm, "steps", watched_steps)
    monkeypatch.setattr(phases, "_simplified", watched_simplified)
    return seen


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_examples(path: Path, watched: list[Step]) -> None:
    sb.load(path).derive()
    assert watched


@pytest.mark.parametrize("name", NAMES)
def test_classics(name: str, watched: list[Step]) -> None:
    classic = load_classic(name)
    derive(classic.system, classic.wrt)
    assert watched or name in WITHOUT_A_RULE


def test_no_rule_of_a_normal_form_moves_factors_into_sums() -> None:
    names = {rule.name for rule in RULES}
    assert "factor out" in names and not names & {"factor in", "regroup sum", "split sum"}


@pytest.mark.parametrize("seed", range(10))
def test_factor_out_is_what_its_pattern_says(seed: int) -> None:
    pattern = Rewriting((("sum(i, f*g)", "f*sum(i, g)"),), (when("independent", "f", "i"),))
    writer = Writer(seed)
    for _ in range(20):
        for node in parse_expression(writer.value(3), SYSTEM).walk():
            one, other = factor_out(node), pattern(node)
            assert (one and text(one)) == (other and text(other)), text(node)
