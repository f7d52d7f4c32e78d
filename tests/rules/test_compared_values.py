"""Conditions on values that imply one another, and the forms of models with several pieces."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression, Where
from symbackprop.rules.compared_values import follows
from symbackprop.systems.printing import equation_text
from tests.models.judges import judge

SYSTEM = parse_system("param x, y\nloss E = x + y")


def condition(text: str) -> Expression:
    node = parse_expression(f"where({text}, x, 0)", SYSTEM)
    assert isinstance(node, Where)
    return node.condition


@pytest.mark.parametrize(
    ("one", "known", "expected"),
    [
        ("x > -3", "x >= 3", True),
        ("x >= 3", "x > -3", False),
        ("x >= 3", "x > 3", True),
        ("x > 3", "x >= 3", False),
        ("x < 3", "x > 4", False),
        ("x < 3", "2*x <= 5", True),
        ("-x < 3", "x > 0", True),
        ("x - y > 0", "x > y + 1", True),
        ("y - x > 0", "x < y - 1", True),
        ("x > y", "y > x", False),
        ("x == 3", "x >= 3", False),
        ("x > 1/3", "3*x > 1", True),
        ("x != 0", "x == 2", True),
        ("x <= 2", "2*x == 4", True),
        ("x != 2", "x == 2", False),
        ("x == 2", "x != 3", False),
        ("x == 2", "x == 3", False),
        ("y != 0", "x == 2", False),
    ],
)
def test_what_follows(one: str, known: str, expected: bool) -> None:
    assert follows(condition(one), condition(known)) is expected


FORMS = {
    "a Huber loss": (
        "index n : N\ninput t[n]\nparam y[n]\nr[n] = y[n] - t[n]\n"
        "loss E = sum(n, where(abs(r[n]) <= 1, r[n]^2/2, abs(r[n]) - 1/2))",
        "grad_y[n] = where(abs(r[n]) <= 1, r[n], sign(r[n]))",
    ),
    "a squared hinge": (
        "index n : N\ninput t[n]\nparam y[n]\nloss E = sum(n, max(0, 1 - t[n]*y[n])^2)",
        "grad_y[n] = -2*max(0, 1 - t[n]*y[n])*t[n]",
    ),
    "a rectified cube": (
        "index n : N\ninput g[n]\nparam y[n]\nloss E = sum(n, g[n]*relu(y[n])^3)",
        "grad_y[n] = 3*g[n]*relu(y[n])^2",
    ),
    "a leaky unit in two pieces": (
        "index n : N\ninput g[n]\nparam y[n], a\n"
        "loss E = sum(n, g[n]*(where(y[n] > 0, y[n], 0) + where(y[n] <= 0, a*tanh(y[n]), 0)))",
        "grad_y[n] = g[n]*where(y[n] > 0, 1, a*(1 - tanh(y[n])^2))",
    ),
    "a piece inside a piece": (
        "index n : N\ninput g[n]\nparam y[n]\n"
        "loss E = sum(n, g[n]*where(y[n] > -1 and y[n] >= 2, y[n]^2, 0))",
        "grad_y[n] = 2*g[n]*where(y[n] >= 2, y[n], 0)",
    ),
    "a clipped line": (
        "index n : N\ninput g[n]\nparam y[n]\nloss E = sum(n, g[n]*min(max(y[n], -2), 5))",
        "grad_y[n] = g[n]*where(y[n] <= 5 and y[n] >= -2, 1, 0)",
    ),
    "pieces that do not meet": (
        "index n : N\ninput g[n]\nparam y[n]\n"
        "loss E = sum(n, g[n]*(where(y[n] > 0, y[n]^2, 0) + where(y[n] < -1, y[n]^3, 0)))",
        "grad_y[n] = g[n]*(2*where(y[n] > 0, y[n], 0) + 3*where(y[n] < -1, y[n]^2, 0))",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    model, form = FORMS[name]
    forms = [equation_text(equation) for equation in derive(parse_system(model)).equations]
    assert form in forms


@pytest.mark.parametrize("name", FORMS)
def test_the_judges_agree(name: str) -> None:
    judge(FORMS[name][0])
