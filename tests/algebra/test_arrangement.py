"""What a person would write differently differs as a tree exactly where it prints differently."""

from __future__ import annotations

import pytest

from symbackprop.algebra.arrangement import tidied
from symbackprop.language.model import parse_expression
from symbackprop.lesson.rulebook.examples import parsed
from symbackprop.notation.arithmetic import negate, subtract
from symbackprop.systems.printing import text
from tests.rules.test_random_rules import SYSTEM, Writer


@pytest.mark.parametrize("seed", range(8))
def test_identical_trees_print_alike(seed: int) -> None:
    writer = Writer(seed)
    for _ in range(20):
        before = parse_expression(writer.value(3), SYSTEM)
        after = tidied(before)
        assert before.is_identical(after) == (text(before) == text(after))


def test_the_order_counts() -> None:
    one, other = parsed("x[i]*(c - w[t])"), parsed("(c - w[t])*x[i]")
    assert one == other and not one.is_identical(other) and one.is_identical(parsed("x[i]*(c - w[t])"))
    turned = negate(subtract(parsed("w[t]"), parsed("c")))
    assert not one.is_identical(turned) and not one.is_identical(parsed("x[i]*(c - w[t])*c"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("x[i] + x[i2] - 2*x[0]", "x[i] - 2*x[0] + x[i2]"),
        ("3*x[i] - 5*x[0] + 2*x[i2]", "3*x[i] - 5*x[0] + 2*x[i2]"),
        ("c*(-2*x[i] + x[i2] + x[0])", "c*(x[i2] - 2*x[i] + x[0])"),
        ("x[i] + x[i2] - x[0]", "x[i] + x[i2] - x[0]"),  # the values are no smaller than its partial sums
        ("x[i] + y[j] - 2*x[0]", "x[i] + y[j] - 2*x[0]"),
        ("2*x[i] - x[i2] - x[0]", "2*x[i] - x[i2] - x[0]"),
    ],
)
def test_a_second_difference_is_written_around_its_middle(expression: str, expected: str) -> None:
    """So 1e4 - 2e4 + 1e4 is, and no sum in it is rounded at 2e4."""
    assert text(tidied(parsed(expression))) == expected
    assert text(tidied(tidied(parsed(expression)))) == expected


def test_cases_come_one_after_another() -> None:
    """What is subtracted in a case stands there, without a sign before the cases that follow."""
    cases = tidied(parsed("where(c == 0, x[i], -where(c == 1, y[j], 2*where(c == 2, w[t], 0)))"))
    assert text(cases) == "where(c == 0, x[i], where(c == 1, -y[j], where(c == 2, -2*w[t], 0)))"
    assert tidied(cases).is_identical(cases)
