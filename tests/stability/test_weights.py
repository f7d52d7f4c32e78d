"""Why the identities come to an end: what they decrease falls wherever they are used, also through names."""

from __future__ import annotations

import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.lesson.rulebook.examples import parsed
from symbackprop.notation.expressions import Element
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.strategies import apply_exhaustively
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.stability import with_stable_forms
from symbackprop.schedule.terms import TIDYING
from symbackprop.stability.forms import CANCELLING
from symbackprop.stability.identities import IDENTITIES
from symbackprop.stability.weights import weights
from tests.stability.conftest import expect_fall

RULES = (TIDYING, CANCELLING.rule(Meanings()), *(form.rule(Meanings()) for form in IDENTITIES))
AROUND = (
    "{}",
    "log({})",
    "log1p({})",
    "c - exp(w[t] - ({}))*c",
    "sum(t, w[t]*abs({}))",
    "where(({}) < 2, c, 1)",
    "1/(1 + ({})^2)",
    "log(w[t]*where(c > 0, ({}) + w[t], 1))",
    "log(prod(t, w[t] - ({})))",
    "c^({})",
    "cosh({} + c)*softplus(c - ({}))",
    "exp(c - max(t, w[t]*({})))",
)
HARD = (
    "log(1/(1 + exp(-c)) - sigmoid(h0))",
    "exp(log(sigmoid(c) - sigmoid(h0)) + x[i])",
    "log(cosh(log(sigmoid(c) - sigmoid(h0)))) + exp(log(cosh(c + h0)) - h0)",
    "log((1 + exp(c))*sigmoid(-c)*(exp(c) + exp(-c) + 1))",
    "log(1 + sum(i, exp(x[i])))",
    "sigmoid(c)*(h0/sigmoid(c) + 1 + x[i] + where(c > 0, c, h0) + sum(i, x[i]))",
    "log(prod(i, where(x[i] > 0, exp(x[i])*sigmoid(c), 1))*(exp(h0) - 1))",
    "exp(softplus(h0 + x[i] + c))*exp(-softplus(c))",
    "(exp(h0 + c)*exp(x[i]))^(1/2)/(1/(1 + exp(h0)) - 1)",
    "log(1 - tanh(h0)^2)*log1p(-sigmoid(log(1 - sigmoid(c))))",
    "sum(i, 2*sum(j, 3*y[j]*x[i]))*sqrt((exp(h0) - exp(-h0))^2)",
)
NAMED = """
index i : I
param a, c, b[i]
e = exp(c + a)
one = 1 + e
p = 1/one
d = p - sigmoid(a)
s = sum(i, exp(b[i])*e)
y = log(d) + log(one) + log(s) + e*p + log(1 - p) + log(p)/p
z = exp(-softplus(y))*(p/sigmoid(y) + b[0])
"""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_falls_anywhere(rule: Rule) -> None:
    for around in AROUND:
        step = _first_use(rule, around.replace("{}", f"({rule.example})"))
        expect_fall(step, Meanings())
        with pytest.raises(AssertionError):
            expect_fall(Step(step.rule, step.place, step.after, step.before), Meanings())


def _first_use(rule: Rule, formula: str) -> Step:
    return next(step for step in apply_exhaustively((rule,), parsed(formula)))


@pytest.mark.parametrize("formula", HARD)
def test_hard_formulas(formula: str) -> None:
    steps = apply_exhaustively(RULES, parsed(formula))
    assert steps
    for step in steps:
        expect_fall(step, Meanings())


def test_through_names(watched: list[Step]) -> None:
    equations = parse_system(NAMED).equations
    with_stable_forms([NamedEquation.of(each) for each in equations])
    assert {"reciprocal is sigmoid", "log of sigmoid", "exponential times sigmoid"} <= {
        step.rule.name for step in watched
    }


def test_a_name_weighs_what_it_stands_for() -> None:
    equations = parse_system(NAMED).equations
    meanings = Meanings({each.tensor: (n, each) for n, each in enumerate(equations)}, known=len(equations))
    for name, other in (
        ("e", "exp(c + a)"),
        ("one", "1 + exp(a + c)"),
        ("log(d)", "log(1/(1 + e) - sigmoid(a))"),
    ):
        system = parse_system(f"{NAMED}left = {name}\nright = {other}\n")
        left, right = (system.definitions[each].expression for each in ("left", "right"))
        assert weights(left, meanings) == weights(right, meanings)
        assert weights(left, Meanings()) != weights(right, Meanings())


def test_a_recurrence_is_read_once() -> None:
    system = parse_system("index t : T\nparam c\nh[t] = where(t > 0, c*h[t-1] + exp(h[t-1]), c)\n")
    meanings = Meanings({"h": (0, next(each for each in system.equations if each.tensor == "h"))}, known=1)
    recurrence = next(each for each in system.equations if each.tensor == "h").expression
    earlier = next(node for node in recurrence.walk() if isinstance(node, Element) and node.tensor == "h")
    assert weights(earlier, meanings) == weights(recurrence, Meanings())
