"""Stable forms: what the rules make of formulas, and that they mean the same."""

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.language.model import parse_system
from symbackprop.schedule import stability
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.stability import with_stable_forms
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import text
from tests.programs import lower_system

HEAD = """
index b : B
index k : K
index t, s : T
input u[b,k], v[b,k], q[t,s], w[k]
"""
SHIFTED = "exp(u[b,k] - max(k, u[b,k]))"
WEIGHTED = "max(k, where(w[k] != 0, u[b,k], -1e38))"
MEAN = "exp(u[b,k] - max(k, u[b,k]))/sum(k, exp(u[b,k] - max(k, u[b,k])))"

APPLIES = {
    "y[b,k] = exp(u[b,k])/sum(k, exp(u[b,k]))": MEAN,
    "y[b,k] = v[b,k]*exp(u[b,k])/sum(k, exp(u[b,k]))": f"v[b,k]*{MEAN}",
    "y[b] = log(sum(k, exp(u[b,k])))": f"max(k, u[b,k]) + log(sum(k, {SHIFTED}))",
    "y[b] = log(sum(k, 2*exp(u[b,k])))": f"max(k, u[b,k]) + log(2*sum(k, {SHIFTED}))",
    "y[b] = log(sum(k, w[k]*exp(u[b,k])))": (
        f"{WEIGHTED} + log(sum(k, where(w[k] != 0, w[k]*exp(u[b,k] - {WEIGHTED}), 0)))"
    ),
    "y[b] = sum(k, v[b,k]*exp(u[b,k]))/sum(k, exp(u[b,k]))": (f"sum(k, v[b,k]*{SHIFTED})/sum(k, {SHIFTED})"),
    "y[b,k] = exp(u[b,k])*(1/sum(k, exp(u[b,k])) + 1)": f"{MEAN} + exp(u[b,k])",
    "y[b,k] = exp(u[b,k])*exp(v[b,k])/sum(k, exp(w[k]))^3": (
        "exp(u[b,k] + v[b,k] - 3*max(k, w[k]))/sum(k, exp(w[k] - max(k, w[k])))^3"
    ),
    "y[b,k] = exp(u[b,k])/(2 + exp(u[b,k]))": (
        "exp(u[b,k] - max(0, u[b,k]))/(2*exp(-max(0, u[b,k])) + exp(u[b,k] - max(0, u[b,k])))"
    ),
    "y[b,k] = exp(u[b,k])*exp(-v[b,k])": "exp(u[b,k] - v[b,k])",
    "y[b,k] = log(exp(u[b,k])/sum(k, exp(u[b,k])))": f"u[b,k] - max(k, u[b,k]) - log(sum(k, {SHIFTED}))",
    "y[b,k] = 1/(1 + exp(-u[b,k]))": "sigmoid(u[b,k])",
    "y[b,k] = 1/(exp(u[b,k]) + 1)^2": "sigmoid(-u[b,k])^2",
    "y[b,k] = exp(u[b,k])/(1 + exp(u[b,k]))": "sigmoid(u[b,k])",
    "y[b,k] = exp(u[b,k])/(1 + exp(u[b,k]))^2": "sigmoid(-u[b,k])*sigmoid(u[b,k])",
    "y[b,k] = exp(3*u[b,k])/(1 + exp(u[b,k]))^3": "sigmoid(u[b,k])^3",
    "y[b,k] = exp(2*u[b,k])/(1 + exp(u[b,k]))^3": "sigmoid(u[b,k])^2*sigmoid(-u[b,k])",
    "y[b,k] = exp(-2*u[b,k])*v[b,k]/(1 + exp(-u[b,k]))^2": "v[b,k]*sigmoid(-u[b,k])^2",
    "y[b,k] = log(1 + exp(u[b,k]))": "softplus(u[b,k])",
    "y[b,k] = log1p(exp(-u[b,k]))": "softplus(-u[b,k])",
    "y[b,k] = log(sigmoid(u[b,k]))": "-softplus(-u[b,k])",
    "y[b,k] = log(1 - sigmoid(u[b,k]))": "-softplus(u[b,k])",
    "y[b,k] = log(1 + u[b,k])": "log1p(u[b,k])",
    "y[b,k] = log(3 + exp(u[b,k]))": "log(3) + softplus(u[b,k] - log(3))",
    "y[b,k] = log(exp(u[b,k]) + exp(v[b,k]))": "max(u[b,k], v[b,k]) + softplus(-abs(u[b,k] - v[b,k]))",
    "y[b,k] = log(sigmoid(u[b,k])/(1 - sigmoid(u[b,k])))": "u[b,k]",
    "y[b,k] = log(cosh(u[b,k]))": "abs(u[b,k]) + log1p(1/2*expm1(-2*abs(u[b,k])))",
    "y[b,k] = log(exp(u[b,k]) + exp(-u[b,k]))": "abs(u[b,k]) + softplus(-2*abs(u[b,k]))",
    "y[b,k] = (exp(u[b,k]) - exp(-u[b,k]))/(exp(u[b,k]) + exp(-u[b,k]))": "tanh(u[b,k])",
    "y[b,k] = (exp(2*u[b,k]) - 1)/(exp(2*u[b,k]) + 1)": "tanh(u[b,k])",
    "y[b,k] = 2*sigmoid(2*u[b,k]) - 1": "tanh(u[b,k])",
    "y[b,k] = exp(u[b,k])/(exp(u[b,k]) - 1)": "-1/expm1(-u[b,k])",
    "y[b,k] = log(exp(u[b,k]) - 1)": "u[b,k] + log(-expm1(-u[b,k]))",
    "y[b,k] = v[b,k]*log(v[b,k])": "v[b,k]*log(where(v[b,k] != 0, v[b,k], 1))",
    "y[b,k] = v[b,k]*(log(v[b,k]) - u[b,k])": "v[b,k]*(log(where(v[b,k] != 0, v[b,k], 1)) - u[b,k])",
    "y[b,k] = exp(u[b,k]) - 1": "expm1(u[b,k])",
}

NEAR_MISSES = [
    "y[b,k] = exp(u[b,k])/sum(k, u[b,k]^2)",
    "y[b,k] = u[b,k]/sum(k, exp(u[b,k]))",
    "y[b,k] = v[b,k]*(1 + exp(u[b,k]))",
    "y[b,k] = v[b,k]*log(u[b,k])",
    "y[b] = log(sum(k, u[b,k]^2))",
    "y[b,k] = 1/(2 + exp(u[b,k]))",
    "y[b,k] = log(v[b,k]^2 + u[b,k]^2)",
    "y[b,k] = log(2 - sigmoid(u[b,k]))",
    "y[b,k] = exp(u[b,k]) - 2",
]


def stable(equations):
    return with_stable_forms([NamedEquation.of(each) for each in parse_system(HEAD + equations).equations])


def stable_text(equations):
    return [text(item.equation.expression) for item in stable(equations)]


@pytest.mark.parametrize("equation", APPLIES)
def test_a_pattern_becomes_its_stable_form(equation):
    assert stable_text(equation) == [APPLIES[equation]]


@pytest.mark.parametrize("equation", NEAR_MISSES)
def test_a_near_miss_stays(equation):
    assert stable_text(equation) == [equation.partition(" = ")[2]]


@pytest.mark.parametrize("equation", APPLIES)
def test_a_stable_form_is_stable(equation):
    once = stable(equation)
    assert with_stable_forms(once) == once


THROUGH_NAMES = {
    "softmax": """
        e[b,k] = exp(u[b,k])
        z[b] = sum(k, e[b,k])
        p[b,k] = e[b,k]/z[b]
        y[b,k] = log(p[b,k])
    """,
    "masked softmax": """
        a[t,s] = where(s <= t, exp(q[t,s]), 0)
        y[t,s] = a[t,s]/sum(s, a[t,s])
    """,
    "sigmoid": """
        p[b,k] = 1/(1 + exp(-u[b,k]))
        y[b,k] = v[b,k]*log(p[b,k]) + (1 - v[b,k])*log(1 - p[b,k])
    """,
}


@pytest.mark.parametrize("equations", [*APPLIES, *NEAR_MISSES, *THROUGH_NAMES.values()])
def test_the_meaning_stays(equations):
    system = parse_system(HEAD + equations)
    rng = np.random.default_rng(0)
    shapes = {"u": (2, 3), "v": (2, 3), "q": (4, 4), "w": (3,)}
    data = {name: rng.uniform(0.1, 2.0, size=shape) for name, shape in shapes.items()}
    expected = evaluate(system, data)["y"].astype(float)
    np.testing.assert_allclose(interpret(lower_system(system), data)["y"], expected, rtol=1e-12)


@pytest.mark.parametrize("name", THROUGH_NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_through_names_far_values_are_finite(name, dtype):
    system = parse_system(HEAD + THROUGH_NAMES[name])
    row = np.array([-800.0, 0.0, 800.0], dtype)
    square = np.array([[-800.0, 900.0], [800.0, -800.0]], dtype)
    data = {"u": np.stack([row, row]), "v": np.full((2, 3), 0.5, dtype), "q": square, "w": row}
    y = interpret(lower_system(system), data)["y"]
    expected = {
        "softmax": [[-1600.0, -800.0, 0.0]] * 2,
        "masked softmax": [[1.0, 0.0], [1.0, 0.0]],
        "sigmoid": [[-400.0, -np.log(2.0), -400.0]] * 2,
    }[name]
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def _stable_chain(length):
    steps = [f"u{n}[t] = u{n - 1}[t]*exp(x[t]) + p*u{n - 1}[t]*exp(-x[t])" for n in range(2, length + 1)]
    head = ["index t : T", "param p", "input x[t]", "u1[t] = p*exp(x[t]) + exp(-x[t])"]
    system = parse_system("\n".join([*head, *steps, f"loss E = log(sum(t, u{length}[t]))"]))
    found = with_stable_forms([*map(NamedEquation.of, system.equations)])
    return [each.equation.expression for each in found]


def test_names_are_seen_through_as_far_as_the_formula_stays_small():
    assert "max(t, " in text(_stable_chain(1)[-1])
    deep = _stable_chain(8)
    assert max(each.node_count for each in deep) < 1000
    assert sum(each.node_count for each in deep) < 5000


def test_a_form_that_would_outgrow_what_is_typed_still_shifts_what_is_written_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Names are left as they stand then, and a softmax beside them is not infinite by itself."""
    model = HEAD + (
        "p[b,k] = exp(v[b,k])\ny[b,k] = w[k]/sum(k, p[b,k]) + exp(u[b,k])/sum(k, exp(u[b,k]))\n"
        "z[b,k] = log(sum(k, exp(u[b,k])))*y[b,k]"
    )
    monkeypatch.setattr(stability, "_outgrows", lambda *_: True)
    items = [NamedEquation.of(each) for each in parse_system(model).equations]
    found = {each.equation.tensor: text(each.equation.expression) for each in with_stable_forms(items)}
    assert found["y"] == f"w[k]/sum(k, p[b,k]) + {MEAN}"
    assert found["z"] == f"(max(k, u[b,k]) + log(sum(k, {SHIFTED})))*y[b,k]"
