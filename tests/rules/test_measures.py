"""What a rule decreases falls at every use, and nothing that stands above it in the order rises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.algebra import phases as algebra_phases
from symbackprop.algebra.context import Scope
from symbackprop.algebra.identity import Identity
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.rational import measure
from symbackprop.derivation.differentiation import APART
from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import AdjointDerivation, Derivation
from symbackprop.language.model import parse_expression
from symbackprop.lesson.rulebook.rule_phases import REASONS, phases
from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.replacements import Definition
from symbackprop.rewriting.replay import Beside, Composite
from symbackprop.rewriting.rule import Step, Use, node_at
from symbackprop.rewriting.strategies import apply_exhaustively
from symbackprop.rules.conditions import when
from symbackprop.rules.measures import MEASURES, Measures
from symbackprop.rules.one_index import TIED
from symbackprop.rules.stating import DIFFERENTIATED, Rewriting
from symbackprop.rules.summation import factor_out
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text
from tests.models.classics import NAMES, load_classic
from tests.rules.test_random_rules import RULES, SYSTEM, Writer

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.model"))
MEASURES_OF: dict[str, Measures] = {rule.name: phase.measures for phase in phases() for rule in phase.rules}
COST_DRIVEN = {"factor in", "split sum", "regroup sum"}  # each one step with what follows from it
OTHERS = {reason.name for reason in REASONS}
ONCE = {reason.name for reason in REASONS if reason.ends.startswith("once")}
WITHOUT_A_RULE = {"determinant", "log_determinant"}  # the derivative is in its normal form at once


def shown(step: Step, measure: str) -> str:
    """What is said where the measure does not fall."""
    return f"{step.rule.name}: {measure}\n{text(step.before)}\n{text(step.after)}"


def expect_fall(step: Step, context: MeasureContext) -> None:
    """The measures of the whole expression that the rule's record names, before and after."""
    assert isinstance(step.rule, Use)
    for name, each in MEASURES_OF[step.rule.name].items():
        before, after = each.of(step.before, context), each.of(step.after, context)
        if name == step.rule.decreases:
            assert after < before, shown(step, name)
            return
        assert not before < after, shown(step, name)
        if after < before:
            return
    raise AssertionError(f"{step.rule.name} names no measure of its phase")


@pytest.mark.parametrize("seed", range(12))
def test_random_expressions(seed: int) -> None:
    writer, context = Writer(seed), MeasureContext(Ranges.of(SYSTEM))
    for _ in range(8):
        for step in apply_exhaustively(RULES, parse_expression(writer.value(3), SYSTEM)):
            expect_fall(step, context)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Checks every use of a rule on the way to a closed form, also in forms that the search gives up.

    Gives the steps that have been checked.
    """
    seen: list[Step] = []
    settings = [MeasureContext()]
    steps, simplified = NormalForm.steps, algebra_phases._simplified

    def watched_steps(form: NormalForm, expression: Expression) -> tuple[Step, ...]:
        found = steps(form, expression)
        for step in found:
            expect_fall(step, settings[-1])
        seen.extend(found)
        return found

    def watched_simplified(expression: Expression, scope: Scope, *rest: object) -> tuple[Step, ...]:
        recurrence = frozenset(name for each in scope.own_recurrences for name in each.places)
        settings.append(MeasureContext(scope.ranges, recurrence, scope.symmetric, scope.index_names))
        found = simplified(expression, scope, *rest)  # type: ignore[arg-type]
        for step in found:
            if isinstance(step.rule, Use):
                expect_fall(step, settings[-1])
        settings.pop()
        return found

    monkeypatch.setattr(NormalForm, "steps", watched_steps)
    monkeypatch.setattr(algebra_phases, "_simplified", watched_simplified)
    return seen


def runs_of(derivation: Derivation) -> Iterator[tuple[Sequence[Step], MeasureContext]]:
    """The steps of each local factor, each adjoint and each equation that is stated anew."""
    for found in (*derivation.expansion.derivations, *derivation.adjoints):
        yield from ((factor.steps, MeasureContext()) for factor in found.factors)
        yield found.steps, _setting_of(found)
    yield from ((each.steps, MeasureContext()) for each in derivation.expansion.restated)


def _setting_of(found: AdjointDerivation) -> MeasureContext:
    above, below = found.total.children
    return replace(MeasureContext(), numerator=above.free_indices, denominator=below.free_indices)


def expect_records(derivation: Derivation) -> None:
    """Every step has a record; what the simplification does not do is measured here."""
    for steps, context in runs_of(derivation):
        names = Counter(step.rule.name for step in steps)
        assert all(names[name] <= 1 for name in ONCE)
        put_in = [step.rule.equation.tensor for step in steps if isinstance(step.rule, Definition)]
        assert len(put_in) == len(set(put_in))
        for step in steps:
            _expect_record(step, context)


def _expect_record(step: Step, context: MeasureContext) -> None:
    name = step.rule.name
    if isinstance(step.rule, Composite | Beside):
        for part in step.rule.steps:
            assert part.rule.name in MEASURES_OF or part.rule.name in OTHERS
    if isinstance(step.rule, Beside):
        _expect_record(step.rule.step, context)
    elif isinstance(step.rule, Composite):
        assert name in COST_DRIVEN
        assert measure(step.after) < measure(step.before), name
    elif isinstance(step.rule, Identity):
        assert name in OTHERS
        assert measure(node_at(step.after, step.place)) < measure(node_at(step.before, step.place)), name
    elif not isinstance(step.rule, Use):
        assert name in OTHERS
    elif step.rule.decreases in (DIFFERENTIATED, APART, TIED):
        expect_fall(step, context)


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_examples(path: Path, watched: list[Step]) -> None:
    expect_records(sb.load(path).derive().derivation)
    assert watched


@pytest.mark.parametrize("name", NAMES)
def test_classics(name: str, watched: list[Step]) -> None:
    classic = load_classic(name)
    expect_records(derive(classic.system, classic.wrt))
    assert watched or name in WITHOUT_A_RULE


@pytest.mark.parametrize(
    "formula",
    [
        "gelu(gelu(x))^x*x^3",
        "*".join(["x"] * 40),
        "*".join(["x^2", "(x^c)^2", "x^c"] * 7),
        "*".join(f"sin({n}*x)" for n in range(1, 40)),
        "*".join(f"(x^{n}*c^x)^3" for n in range(1, 20)),
        "where(x > 0, log(x), -x)^c*c^x + 2^(x*c)",
        "max(i, prod(j, w[i]*w[j] + x))",
        "logdet(P)*det(P)*x",
    ],
)
def test_calculus_of_hard_formulas(formula: str) -> None:
    names = "index i, j : I\nparam x, c, w[i], P[i,j]\n"
    expect_records(sb.loads(f"{names}loss E = {formula}\n").derive().derivation)


READS_ALL_EARLIER_STEPS = """
index s, t : T
index i, j : I
param w[t], h0[i], A[i,j]
input x[t,i]
u[t,i] = sum(s, j, where(s < t, A[i,j]*h[s,j]*w[s]*where(t > 0, w[t-1], 0), 0))
h[t,i] = where(t == 0, h0[i], tanh(x[t,i] + u[t,i]))
loss E = sum(t, i, h[t,i]^2)
"""


def test_reads_move_inwards_in_a_phase_of_their_own(watched: list[Step]) -> None:
    derivation = sb.loads(READS_ALL_EARLIER_STEPS).derive()
    expect_records(derivation.derivation)
    assert "read under the where" in {step.rule.name for step in watched}
    assert sum(derivation.replay().values()) >= len(derivation.steps)
    (phase,) = (phase for phase in phases() if "read under the where" in {rule.name for rule in phase.rules})
    names = ["deltas of a where apart", "delta as a guard", "read under the where", "read under the sum"]
    assert [rule.name for rule in phase.rules] == [*names, "guard of all terms"]
    assert phase.measures is not MEASURES


GUARDS_IN_TERMS = """
index s, t : T
param x[t], w, A[t,s], B[t,s]
u[t] = sum(s, where(s < t, A[t,s]*h[s], 0)) + sum(s, where(s < t - 1, B[t,s]*h[s], 0))
h[t] = where(t == 0, x[0], x[t] + u[t]/w)
loss E = sum(t, h[t]^2)
"""


def test_a_guard_of_all_terms_encloses_them(watched: list[Step]) -> None:
    derivation = sb.loads(GUARDS_IN_TERMS).derive()
    expect_records(derivation.derivation)
    assert "guard of all terms" in {step.rule.name for step in watched}
    assert sum(derivation.replay().values()) >= len(derivation.steps)


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
