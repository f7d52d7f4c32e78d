"""Replaying: each kind of justification, what it accounts for and what it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from symbackprop.errors import ReplayError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.arithmetic import negate
from symbackprop.notation.expressions import Axis, Element, Expression, Index
from symbackprop.rewriting.justification import Equality, Justification
from symbackprop.rewriting.registry import Registry
from symbackprop.rewriting.replacements import AdjointNames, Definition, Renaming, Substitution
from symbackprop.rewriting.replay import Beside, Composite, replay, replay_all, replays
from symbackprop.rewriting.rule import Rule, Step, Use, WholeRule, WholeUse
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation, Fact

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

    def is_unmoved(self, total: Expression) -> bool:
        return False

    def vanishes_unless(self, adjoint: Expression, conditions: Sequence[Expression]) -> bool:
        return False

    def is_zero_unless(self, element: Element, conditions: Sequence[Expression]) -> bool:
        return False

    def is_symmetric(self, tensor: str) -> bool:
        return False

    def why_symmetric(self, tensor: str) -> str:
        return ""

    def has_fact(self, fact: Fact) -> bool:
        return False

    def axes_of(self, tensor: str) -> tuple[Axis, ...] | None:
        return None

    def places_of(self, tensor: str) -> Axis | None:
        return None

    def is_open(self, tensor: str) -> bool:
        return False

    def is_positive(self, tensor: str) -> bool:
        return False

    def is_nonnegative(self, tensor: str) -> bool:
        return False

    def is_defined(self, tensor: str) -> bool:
        return False

    def is_finite(self, tensor: str) -> bool:
        return False

    def is_at_hand(self, root: Element, target: Element) -> bool:
        return False

    def are_steps(self, places: Mapping[str, int], step: Index) -> bool:
        return False


def parsed(formula: str) -> Expression:
    return parse_expression(formula, SYSTEM)


def step(rule: Justification, before: str, after: str, *place: int) -> Step:
    return Step(rule, place, parsed(before), parsed(after))


def _b_for_a(node: Expression) -> Expression | None:
    return B if node == A else None


RULE = Rule("a is b", "a = b", _b_for_a)
OF_WHOLE = WholeRule("all a is b", "a = b", _b_for_a)
A_IS_B = Use("a is b", "a = b")
REGISTRY = Registry.of(RULE, OF_WHOLE, Definition, Substitution, AdjointNames, Renaming)
HOLD = (
    step(A_IS_B, "y[i]*(a + x[i])", "y[i]*(b + x[i])", 1, 0),
    step(A_IS_B, "y[i]*(a + x[i])", "(x[i] + b)*y[i]", 1, 0),
    step(Definition.of(P), "1 + sum(i, p[i])", "sum(i, x[i]*y[i]) + 1"),
    step(Definition.of(P), "a*p[i]*p[i]", "a*x[i]^2*y[i]^2"),
    step(Substitution(((A, B), (parsed("x[i]"), A))), "a + x[i]", "b + a"),
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
    step(WholeUse("all a is b", "a = b"), "a + 1", "b + 1", 0),
    step(Definition.of(P), "sum(i, p[i])", "sum(i, x[i]*x[i])"),
    step(Definition.of(P), "sum(i, p[i])", "sum(i, x[i]*y[i])", 0),
    step(Definition.of(P), "a*a", "a^2"),
    step(Substitution(((A, B),)), "a + x[i]", "b + y[i]"),
    step(Substitution(((A, B),)), "x[i]*x[i]", "x[i]^2"),
    step(Renaming(), "sum(i, A[i,j]*x[i])", "sum(i, A[i,j]*y[i])"),
    step(Renaming(), "sum(j, A[i,j]*x[i])", "sum(j, A[i,j]*x[i]*1)"),
)


@pytest.mark.parametrize("each", HOLD, ids=lambda each: each.rule.kind)
def test_what_holds_replays(each: Step) -> None:
    assert replay(each, REGISTRY) == each.after
    assert not replays(replace(each, after=negate(each.after)), REGISTRY)


@pytest.mark.parametrize("each", FAIL, ids=lambda each: each.rule.kind)
def test_what_does_not_hold_is_refused(each: Step) -> None:
    with pytest.raises(ReplayError, match="does not replay"):
        replay(each, REGISTRY)


def test_a_renaming_captures_nothing() -> None:
    outer = parsed("sum(i, A[i,j]*sum(j, A[i,j]))")
    captured = parsed("sum(i, sum(j, A[i,j]*A[i,j]))")
    assert not replays(Step(Renaming(), (), outer, captured), REGISTRY)


def test_a_composite_step_is_its_parts_in_a_row() -> None:
    first, second = step(A_IS_B, "a + a", "b + a", 0), step(A_IS_B, "b + a", "b + b", 1)
    both = Composite.of(first.before, (first, second), second.after)
    assert replays(both, REGISTRY)
    assert replay_all([both], REGISTRY, NothingStated()) == {"composite": 1, "rewrite": 2}
    for wrong in (
        replace(both, after=first.after),
        replace(both, rule=Composite("a is b", "a = b", (second, first))),
        replace(both, rule=Composite("a is b", "a = b", (first,))),
        replace(both, rule=Composite("a is b", "a = b", (first, replace(second, rule=Definition.of(P))))),
        replace(both, rule=Composite("put in", "a = b", (first, second))),
        replace(both, rule=Composite("a is b", "b = a", (first, second))),
        replace(both, place=(0,)),
    ):
        assert not replays(wrong, REGISTRY)


def test_factors_that_stand_still_are_the_same_on_both_sides() -> None:
    inner = step(A_IS_B, "a + 1", "b + 1", 0)
    beside = Beside.of(parsed("x[i]"), inner)
    assert text(beside.before) == "x[i]*(a + 1)" and replays(beside, REGISTRY)
    assert not replays(replace(beside, after=parsed("y[i]*(b + 1)")), REGISTRY)
    assert replay_all([beside], REGISTRY, NothingStated()) == {"composite": 1, "rewrite": 1}


def test_a_definition_that_nobody_states_is_refused() -> None:
    put_in = step(Definition.of(P), "2*p[i]", "2*x[i]*y[i]")
    assert replays(put_in, REGISTRY)
    with pytest.raises(ReplayError, match="rests on what the model does not say"):
        replay_all([put_in], REGISTRY, NothingStated())


def test_a_step_in_other_names_is_the_same_step() -> None:
    named = Equation("p", P.indices, parsed("x[i] + a"))
    put_in = step(Definition.of(named), "2*p[i]", "2*(x[i] + a)")
    other = put_in.renamed({"a": "alpha", "p": "pi_", "b": "beta"})
    assert replays(other, REGISTRY)
    assert other.before.tensors.isdisjoint(("a", "p"))
    assert not replays(replace(put_in, before=other.before), REGISTRY)


def test_the_message_shows_the_step() -> None:
    with pytest.raises(ReplayError) as caught:
        replay(FAIL[0], REGISTRY)
    assert "a is b (a = b) at place [1, 1]" in str(caught.value)
    assert "before: y[i]*(a + x[i])" in str(caught.value)
