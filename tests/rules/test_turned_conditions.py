"""not (x > 0) is x <= 0 unless x is nan: a rule that turns a comparison of values round has to say so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from symbackprop.integers.bounds import negated
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lesson.rulebook.examples import NAMES, example_system, parsed, place_of_use
from symbackprop.lesson.rulebook.rule_phases import phases
from symbackprop.lesson.rulebook.schedule_rules import local_rules
from symbackprop.notation.expressions import Comparison, Expression
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.support import support_of
from symbackprop.systems.printing import text

RULES = {rule.name: rule for rule in (*(rule for phase in phases() for rule in phase.rules), *local_rules())}
TURNING = {"turn where", "opposite wheres", "opposite branches", "zero last"}
# Beside each rule's own example.
FURTHER = [
    ("turn where", "where(x[i] > 0, 0, y[j])"),
    ("branches that agree", "where(c > 0, where(x[i] > 0, c, y[j]), c)"),
    ("branches that agree", "where(c > 0, y[j], where(x[i] > 0, c, y[j]))"),
]


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """Those that speak of values, which may be nan."""
    return (node for node in expression.walk() if isinstance(node, Comparison) and node.tensors)


def turns(before: Expression, after: Expression) -> bool:
    """Whether a comparison is gone and its opposite says as much."""
    there = set(comparisons(after))
    return any(negated(each) in there for each in comparisons(before) if each not in there)


def is_turned(rule: Rule, formula: str) -> bool:
    used = place_of_use(rule, parsed(formula))
    assert used is not None
    return turns(*used)


@pytest.mark.parametrize(("name", "formula"), [*((name, RULES[name].example) for name in RULES), *FURTHER])
def test_whoever_turns_a_comparison_of_values_says_that_it_compares_no_nan(name: str, formula: str) -> None:
    is_so = is_turned(RULES[name], formula)
    assert not is_so or any("compares no nan" in words for words in RULES[name].where)
    assert is_so or name not in TURNING


def test_what_is_turned_is_seen() -> None:
    system = parse_system(NAMES)
    before, turned, kept = (
        parse_expression(each, system)
        for each in ("where(c > 0, 0, x[i])", "where(c <= 0, x[i], 0)", "where(c > 0, 0, 2*x[i])")
    )
    assert turns(before, turned) and not turns(before, kept)
    of_indices = (
        parse_expression("where(i > 0, 0, x[i])", system),
        parse_expression("where(i <= 0, x[i], 0)", system),
    )
    assert not turns(*of_indices)


@pytest.mark.parametrize(
    ("formula", "conditions"),
    [
        ("where(c > 0, x[i], 0)", ["c > 0"]),
        ("where(i > 0, 0, x[i])", ["i <= 0"]),
        ("where(c > 0, 0, x[i])", []),  # where c is nan it is x[i], but c <= 0 does not hold
        ("where(c > 0, 0, 2*where(i > 0, 0, x[i]))", []),
        ("delta(i,i2)*where(c > 0 or i > 1, 0, x[i])", ["i == i2"]),
    ],
)
def test_a_support_holds_wherever_a_value_is_not_0_were_it_by_nan(
    formula: str, conditions: list[str]
) -> None:
    found = support_of(parse_expression(formula, example_system()), {})
    assert [text(condition) for condition in found] == conditions
