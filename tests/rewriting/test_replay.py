"""Replaying: each kind of justification, what it accounts for and what it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from symbackprop.errors import ReplayError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.arithmetic import negate
from symbackprop.notation.expressions import Element, Expression
from symbackprop.rewriting.justification import Equality, Justification
from symbackprop.rewriting.replacements import Definition, Renaming, Substitution
from symbackprop.rewriting.replay import Beside, Composite, replay, replay_all, replays
from symbackprop.rewriting.rule import Rule, Step, WholeRule
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation

SYSTEM = parse_system(
    """
index i : I
index j : J
param x[i], y[i], A[i,j], a, b
p[i] = x[i]*y[i]
loss E = sum(i, p[i]) + a + b + sum(i, j, A[i,j])
"""
)
P = SYSTEM.definitions["p"]
A, B = Element("a"), Element("b")


class NothingStated:
    """An anchor for steps that rest on no equation: whatever they asked of it, it would say no."""

    def states(self, equality: Equality, around: Sequence[Expression] = ()) -> bool:
        return False

    def computes(self, equality: Equality) -> bool:
        return False

    def names(self, equality: Equality) -> bool:
        return False

    def is_every_path(self, total: Expression, consumers: Sequence[str]) -> bool:
        return False

    def vanishes_unless(self, adjoint: Expression, conditions: Sequence[Expression]) -> bool:
        return False

    def is_symmetric(self, tensor: str) -> bool:
        return False


def parsed(formula: str) -> Expression:
    return parse_expression(formula, SYSTEM)


def step(rule: Justification, before: str, after: str, *place: int) -> Step:
    return Step(rule, place, parsed(before), parsed(after))


A_IS_B = Rule("a is b", "a = b", lambda node: B if node == A else None)
HOLD = (
    step(A_IS_B, "y[i]*(a + x[i])", "y[i]*(b + x[i])", 1, 0),
    step(A_IS_B, "y[i]*(a + x[i])", "(x[i] + b)*y[i]", 1, 0),
    step(Definition.of(P), "1 + sum(i, p[i])", "sum(i, x[i]*y[i]) + 1"),
    step(Definition.of(P), "a*p[i]*p[i]", "a*x[i]^2*y[i]^2"),
    step(Substitution("name", "", ((A, B), (parsed("x[i]"), A))), "a + x[i]", "b + a"),
    step(Renaming(), "sum(i, x[i])*y[i]", "sum(i', x[i'])*y[i]"),
)
FAIL = (
    step(A_IS_B, "y[i]*(a + x[i])", "y[i]*(b + x[i])", 1, 1),
    step(A_IS_B, "y[i]*(a + x[i])", "y[i]*(b + x[i])", 1),
    step(A_IS_B, "y[i]*(a + x[i])", "y[i]*(b + x[i])", 1, 0, 0),
    step(A_IS_B, "y[i]*(a + x[i])", "y[i]*(b + x[i])", 7),
    step(A_IS_B, "y[i]*(a + x[i])", "x[i]*(b + x[i])", 1, 0),
    step(A_IS_B, "y[i]*(a + x[i])", "y[i]*(a + x[i])", 1, 0),
    step(A_IS_B, "y[i]*(b + x[i])", "y[i]*(b + x[i])", 1, 0),
    step(WholeRule("a is b", "a = b", A_IS_B.apply), "a + 1", "b + 1", 0),
    step(Definition.of(P), "sum(i, p[i])", "sum(i, x[i]*x[i])"),
    step(Definition.of(P), "sum(i, p[i])", "sum(i, x[i]*y[i])", 0),
    step(Definition.of(P), "a*a", "a^2"),
    step(Substitution("name", "", ((A, B),)), "a + x[i]", "b + y[i]"),
    step(Substitution("name", "", ((A, B),)), "x[i]*x[i]", "x[i]^2"),
    step(Renaming(), "sum(i, A[i,j]*x[i])", "sum(i, A[i,j]*y[i])"),
    step(Renaming(), "sum(j, A[i,j]*x[i])", "sum(j, A[i,j]*x[i]*1)"),
)


@pytest.mark.parametrize("each", HOLD, ids=lambda each: each.rule.kind)
def test_what_holds_replays(each: Step) -> None:
    assert replay(each) == each.after
    assert not replays(replace(each, after=negate(each.after)))


@pytest.mark.parametrize("each", FAIL, ids=lambda each: each.rule.kind)
def test_what_does_not_hold_is_refused(each: Step) -> None:
    with pytest.raises(ReplayError, match="does not replay"):
        replay(each)


def test_a_renaming_captures_nothing() -> None:
    outer = parsed("sum(i, A[i,j]*sum(j, A[i,j]))")
    captured = parsed("sum(i, sum(j, A[i,j]*A[i,j]))")
    assert not replays(Step(Renaming(), (), outer, captured))


def test_a_composite_step_is_its_parts_in_a_row() -> None:
    first, second = step(A_IS_B, "a + a", "b + a", 0), step(A_IS_B, "b + a", "b + b", 1)
    both = Step(Composite("twice", "", (first, second)), (), first.before, second.after)
    assert replays(both)
    assert replay_all([both], NothingStated()) == {"composite": 1, "rewrite": 2}
    for wrong in (
        replace(both, after=first.after),
        replace(both, rule=Composite("twice", "", (second, first))),
        replace(both, rule=Composite("twice", "", (first,))),
        replace(both, rule=Composite("twice", "", (first, replace(second, rule=Definition.of(P))))),
        replace(both, place=(0,)),
    ):
        assert not replays(wrong)


def test_factors_that_stand_still_are_the_same_on_both_sides() -> None:
    inner = step(A_IS_B, "a + 1", "b + 1", 0)
    beside = Beside.of(parsed("x[i]"), inner)
    assert text(beside.before) == "x[i]*(a + 1)" and replays(beside)
    assert not replays(replace(beside, after=parsed("y[i]*(b + 1)")))
    assert replay_all([beside], NothingStated()) == {"composite": 1, "rewrite": 1}


def test_a_definition_that_nobody_states_is_refused() -> None:
    put_in = step(Definition.of(P), "2*p[i]", "2*x[i]*y[i]")
    assert replays(put_in)
    with pytest.raises(ReplayError, match="rests on what the model does not say"):
        replay_all([put_in], NothingStated())


def test_a_step_in_other_names_is_the_same_step() -> None:
    named = Equation("p", P.indices, parsed("x[i] + a"))
    put_in = step(Definition.of(named), "2*p[i]", "2*(x[i] + a)")
    for each in (step(A_IS_B, "y[i] + a", "y[i] + b", 1), put_in):
        other = each.renamed({"a": "alpha", "p": "pi_", "b": "beta"})
        assert replays(other)
        assert other.before.tensors.isdisjoint(("a", "p"))
        assert not replays(replace(each, before=other.before))


def test_the_message_shows_the_step() -> None:
    with pytest.raises(ReplayError) as caught:
        replay(FAIL[0])
    assert "a is b (a = b) at place [1, 1]" in str(caught.value)
    assert "before: y[i]*(a + x[i])" in str(caught.value)
