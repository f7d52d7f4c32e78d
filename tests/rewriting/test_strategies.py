"""Strategies: order, recorded steps, and rules that do not come to rest."""

from __future__ import annotations

import itertools

import pytest

from symbackprop.errors import RewritingError
from symbackprop.notation.expressions import Add, Element, Expression, Number
from symbackprop.rewriting.rule import Rule, node_at, replace_at
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.systems.printing import text

A, B, C = Element("a"), Element("b"), Element("c")
A_TO_B = Rule("a is b", "a = b", lambda node: B if node == A else None)
B_TO_C = Rule("b is c", "b = c", lambda node: C if node == B else None)


def test_steps_lead_from_start_to_normal_form() -> None:
    start = Add((A, Add((B, Number(1)))))
    steps = apply_exhaustively([A_TO_B, B_TO_C], start)
    assert [step.rule.name for step in steps] == ["a is b", "b is c", "b is c"]
    assert steps[0].before == start
    for earlier, later in itertools.pairwise(steps):
        assert earlier.after == later.before
    assert text(result_of(steps, start)) == "c + (c + 1)"
    assert node_at(start, steps[0].place) == A


def test_no_rule_no_step() -> None:
    assert apply_exhaustively([A_TO_B], C) == ()
    assert result_of((), C) == C


def test_a_rule_that_loops_is_named() -> None:
    def grow(node: Expression) -> Expression | None:
        return Add((node, Number(1))) if isinstance(node, Element) else None

    with pytest.raises(RewritingError, match="'grow' did not come to rest within 20"):
        apply_exhaustively([Rule("grow", "x = x + 1", grow)], A, budget=20)


def test_replace_at_leaves_the_rest() -> None:
    start = Add((A, Add((B, C))))
    assert text(replace_at(start, (1, 0), A)) == "a + (a + c)"
