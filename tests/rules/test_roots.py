"""The root types of rules: nodes of other types are not shown to a rule, and no rule would rewrite one."""

from __future__ import annotations

import pytest

from symbackprop.algebra.phases import normal_form_rules
from symbackprop.derivation.result import AdjointDerivation
from symbackprop.language.model import parse_expression
from symbackprop.notation.expressions import Add, Element, Expression, Index, Multiply, Reduction, Where
from symbackprop.rewriting.rule import Rule
from symbackprop.rewriting.strategies import apply_exhaustively
from symbackprop.rules.boundaries import recurrence_rules
from symbackprop.rules.inverses import matrix_rules
from symbackprop.rules.wheres import WHERE_RULES
from symbackprop.systems.partial import Ranges
from tests.derivation.derivations import derivation_of
from tests.models.classics import NAMES
from tests.rules.test_random_rules import RULES, SYSTEM, Writer

STEP = Index("t", SYSTEM.axes[0])


def expect_no_use_outside_roots(rules: tuple[Rule, ...], nodes: set[Expression]) -> None:
    for node in nodes:
        for rule in rules:
            if rule.roots is not None and type(node) not in rule.roots:
                assert rule.apply(node) is None, f"{rule.name}: {type(node).__name__}"


def nodes_of(adjoint: AdjointDerivation) -> set[Expression]:
    further = [step for factor in adjoint.factors for step in factor.further]
    sides = [side for step in (*adjoint.steps, *further) for side in (step.before, step.after)]
    return {node for side in sides for node in side.walk()}


@pytest.mark.parametrize("name", [*NAMES, "lstm", "transformer", "a determinant by name"])
def test_no_rule_applies_outside_its_roots_in_derivations(name: str) -> None:
    derivation = derivation_of(name)
    system = derivation.system
    ranges = Ranges.of(system)
    rules = (
        *normal_form_rules(ranges),
        *matrix_rules(frozenset(system.tensors), system.definitions),
        *recurrence_rules(dict.fromkeys(system.tensors, 0), STEP, ranges),
    )
    nodes = {node for adjoint in derivation.adjoints for node in nodes_of(adjoint)}
    expect_no_use_outside_roots(rules, nodes)


@pytest.mark.parametrize("seed", range(20))
def test_no_rule_applies_outside_its_roots_to_random_expressions(seed: int) -> None:
    writer = Writer(seed)
    written = [parse_expression(writer.value(3), SYSTEM) for _ in range(10)]
    expect_no_use_outside_roots(RULES, {node for each in written for node in each.walk()})


def test_every_rule_of_the_normal_form_says_its_roots() -> None:
    assert all(rule.roots for rule in (*RULES, *matrix_rules(frozenset())))


def test_a_pattern_says_its_roots_by_itself() -> None:
    roots = {rule.name: rule.roots for rule in RULES}
    assert roots["join wheres"] == {Where}
    assert roots["join masks"] == {Multiply}
    assert roots["maximum of a constant"] == {Reduction}


def test_a_rule_is_shown_the_nodes_of_its_types_alone() -> None:
    seen: list[Expression] = []
    watching = Rule("watch", "f = f", lambda node: seen.append(node), root_types=(Add,))
    anywhere = Rule("watch all", "f = f", lambda node: seen.append(node))
    expression = parse_expression("x[i]*(y[j] + sum(j, A[i,j]))", SYSTEM)
    apply_exhaustively([watching], expression)
    assert {type(node) for node in seen} == {Add}
    apply_exhaustively([anywhere], expression)
    assert {type(node) for node in seen} >= {Add, Element, Multiply, Reduction}


def test_rules_of_wheres_are_still_reached() -> None:
    """A position deep inside, a condition and its `where` are of three types."""
    expression = parse_expression("x[i]*where(0*j + i + 1 > 0, y[j + (j2 - j)], 0)", SYSTEM)
    names = [step.rule.name for step in apply_exhaustively(WHERE_RULES, expression)]
    assert {"add up positions", "condition that holds"} <= set(names)
