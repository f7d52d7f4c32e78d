"""Sums of exponentials that a recurrence adds up: their ratios are right where they themselves overflow."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.schedule.driver import schedule_of
from symbackprop.semantics.naive import Array
from symbackprop.stability.multiples import multiples_first
from symbackprop.systems.printing import equation_text, text
from tests.stability.test_random_compositions import truth

T = "index t : T\nparam k[t], v[t], b\n"
MODELS = {
    "mean of what came so far": T
    + "p[t] = pad(p[t-1])/2 + exp(k[t])*v[t]\nr[t] = pad(r[t-1])/2 + exp(k[t])\n"
    + "loss E = sum(t, sin(p[t]/r[t]) + (p[t]/r[t] - b)^2)",
    "squares over squares, no names": T
    + "p[t] = where(t == 0, b, p[t-1] + exp(k[t])*v[t])\nr[t] = where(t == 0, 1, r[t-1] + exp(k[t]))\n"
    + "loss E = sum(t, log(1 + (b + p[t])^2/(2 + r[t])^2))",
    "from the end, two exponents": T
    + "param q[t]\np[t] = where(t + 1 < size(t), p[t+1], 0) + exp(k[t])\n"
    + "r[t] = where(t + 1 < size(t), r[t+1], 0) + exp(q[t])*v[t]^2\nloss E = sum(t, b*p[t]/(p[t] + r[t]))",
    "gated, log of a sum": T
    + "p[t] = where(t > 0, exp(-softplus(v[t]))*p[t-1], 0) + exp(k[t])\nloss E = sum(t, v[t]*log(p[t])) + b",
    "one state more than steps": T
    + "index s : S = T + 1\np[s] = where(s > 0, b*p[s-1] + exp(k[s-1])*v[s-1], 0)\n"
    + "r[s] = where(s > 0, r[s-1] + exp(2*k[s-1]), 0)\nloss E = sum(t, p[t+1]/sqrt(1 + r[t+1]))",
    "log of one more": T
    + "p[t] = where(t > 0, p[t-1]/2, 0) + exp(k[t])\n"
    + "loss E = sum(t, v[t]*log(1 + p[t])) + b",
    "state by another name": T
    + "f[t] = where(t > 0, p[t-1], 0)\np[t] = f[t] + exp(k[t])\n"
    + "loss E = sum(t, v[t]*log(p[t])) + b",
    "state by its name, times a number": T
    + "f[t] = pad(p[t-1])\np[t] = f[t]/2 + exp(k[t])\nloss E = sum(t, v[t]*log(p[t])) + b",
    "forward algorithm": "index t : T\nindex i, j : N\nparam k[t,i], v[i,j], b[i]\n"
    + "p[t,j] = where(t == 0, exp(k[t,j]), sum(i, p[t-1,i]*exp(v[i,j]))*exp(k[t,j]))\n"
    + "loss E = sum(i, p[size(t)-1,i]*b[i])/sum(i, p[size(t)-1,i])",
}
NEAR: dict[str, Array] = {
    "k": np.array([0.4, -0.9, 0.1]),
    "v": np.array([1.3, -0.7, 0.5]),
    "q": np.array([0.2, 0.7, -0.5]),
    "b": np.array(0.8),
}
PAIRS: dict[str, Array] = {
    "k": np.array([[0.4, -0.9], [0.6, 0.1], [-0.3, 0.8]]),
    "v": np.array([[1.3, -0.7], [0.2, 0.5]]),
    "b": np.array([0.8, -1.2]),
}
APART = np.array([-0.5, 1.0, 0.25])  # one step's exponential is all that is left of the sum


@pytest.mark.parametrize("name", MODELS)
def test_losses_and_gradients_are_the_true_ones(name: str) -> None:
    model = loads(MODELS[name] + "\n")
    module = model.derive().module(verify=False)
    near = PAIRS if name == "forward algorithm" else NEAR
    for dtype, shift, digits, rtol in (
        (np.float64, 360.0, 30, 1e-10),
        (np.float64, 800.0, 30, 1e-10),
        (np.float64, -800.0, 700, 1e-10),
        (np.float64, 800.0 * APART, 1500, 1e-10),
        (np.float32, 80.0, 30, 3e-4),
        (np.float32, 80.0 * APART, 150, 1e-3),
    ):
        far = np.reshape(shift, (3, 1)) if np.ndim(shift) and near is PAIRS else shift
        values = {**near, "k": near["k"] + far}
        values = {each: values[each].astype(dtype) for each in module.SHAPES}
        expected = truth(model.system, values, digits)
        with np.errstate(all="ignore"):
            loss, gradients = module.value_and_grad(values)
        largest = max(float(np.max(np.abs(each))) for each in expected.values())
        for tensor, found in {"E": loss, **gradients}.items():
            message = f"{tensor} at {shift} in {dtype.__name__}"
            np.testing.assert_allclose(found, expected[tensor], rtol, rtol * largest, err_msg=message)


def computed(formulas: str, *wrt: str) -> dict[str, str]:
    """The equation of each name that is computed for the model and its gradient."""
    items = schedule_of(derive(parse_system(T + formulas + "\n"), wrt)).equations
    return {item.equation.tensor: equation_text(item.origin.stated) for item in items}


def test_exponent_and_value_of_a_running_sum_have_names() -> None:
    found = computed("r[t] = exp(k[t]) + where(t > 0, b*r[t-1], 0)\nloss E = sum(t, v[t]*log(r[t]))", "k")
    shift = "r_shift[t] = max(k[t], where(t > 0 and b != 0, r_shift[t - 1], -1e38))"
    assert found["r_shift"] == shift
    assert found["r_shifted"] == (
        "r_shifted[t] = exp(k[t] - r_shift[t]) + "
        "where(t > 0, where(b != 0, b*r_shifted[t - 1]*exp(r_shift[t - 1] - r_shift[t]), 0), 0)"
    )


@pytest.mark.parametrize(
    "formulas",
    [
        "r[t] = where(t > 0, exp(v[t])*r[t-1], 0) + k[t]\nloss E = sum(t, (r[t] - b)^2)",
        "r[t] = where(t > 0, exp(-1)*r[t-1], 0) + k[t]\nloss E = sum(t, v[t]/(1 + r[t]^2))",
        "r[t] = where(t > 0, tanh(r[t-1]), 0) + exp(k[t])\nloss E = sum(t, v[t]/(1 + r[t]))",
        "r[t] = where(t > 0, r[t-1], 0) + sigmoid(k[t])\nloss E = sum(t, v[t]/(1 + r[t]))",
    ],
    ids=["nothing is divided", "exponents of numbers", "a function of the state", "no exponentials"],
)
def test_other_recurrences_are_computed_as_they_stand(formulas: str) -> None:
    found = computed(formulas, "k")
    assert "r" in found
    assert not any("shift" in name for name in found)


@pytest.mark.parametrize(
    ("total", "after"),
    [
        ("k[t] - 3*max(t, k[t])", "-2*max(t, k[t]) + k[t] - max(t, k[t])"),
        ("v[t] - 7*m + 5*max(0, b)", "4*max(0, b) - 4*m - 2*m + v[t] + max(0, b) - m"),
        ("v[t] - 3*b", None),
        ("k[t] - max(t, k[t])", None),
        ("k[t] - 3/2*m", "-3/2*m + k[t]"),
    ],
)
def test_multiples_of_maxima_come_first(total: str, after: str | None) -> None:
    system = parse_system(f"{T}m = max(t, v[t])\ny[t] = {total}\n")
    definitions = {each.tensor: (number, each) for number, each in enumerate(system.equations)}
    expression = system.equations[-1].expression
    found = multiples_first(expression, Meanings(definitions, len(definitions)))
    assert (None if found is None else text(found)) == after
    if found is not None:
        assert multiples_first(found, Meanings(definitions, len(definitions))) is None


def test_exponents_that_cancel_cancel_to_the_last_digit() -> None:
    """As typed, the two terms of grad_k cancel to what is left of the other steps."""
    model = loads(T + "p[t] = pad(p[t-1]) + exp(k[t])*v[t]\nr[t] = pad(r[t-1]) + exp(k[t])\n"
        "loss E = sum(t, (p[t]/r[t])^2) + b\n")  # fmt: skip
    values = {"k": np.array([30.1, 3.7, 37.3]), "v": NEAR["v"], "b": NEAR["b"]}
    values = {name: array.astype(np.float32) for name, array in values.items()}
    _, gradients = model.derive().module(verify=False).value_and_grad(values)
    np.testing.assert_allclose(gradients["k"], truth(model.system, values, 60)["k"], rtol=0, atol=3e-7)


def test_what_shares_weigh_is_computed_as_it_stands() -> None:
    """In the backward pass of log-sum-exp in a chain, each weight is a share of 1: nothing is shifted."""
    found = computed(
        "r[t] = where(t > 0, max(r[t-1], k[t]) + log(exp(r[t-1] - max(r[t-1], k[t]))"
        " + exp(k[t] - max(r[t-1], k[t]))), k[t])\nloss E = r[size(t)-1]^2",
        "k",
    )
    assert "r" in found
    assert not any("shift" in name for name in found)


TWO_STATES = """index t : T
param k[t], v[t], b
p[t] = where(t > 0, r[t-1] + b*q[t-1], 0) + exp(k[t])*v[t]
q[t] = exp(-t)*v[t]^2
r[t] = where(t > 0, p[t-1], 0) + exp(k[t])
loss E = sum(t, (p[t]/(1 + r[t]) - b)^2)
"""


def test_no_step_of_a_recurrence_of_several_names_is_opened() -> None:
    """What remains of the earlier steps has no exponent that could be compared with this step's."""
    model = loads(TWO_STATES)
    values = {**NEAR, "k": 300 * np.array([-0.5, 1.0, -0.25])}
    values = {each: values[each] for each in ("k", "v", "b")}
    loss, gradients = model.derive().module(verify=False).value_and_grad(values)
    for tensor, expected in truth(model.system, values, 700).items():
        found = {"E": loss, **gradients}[tensor]
        np.testing.assert_allclose(found, expected, 1e-10, 1e-10 * float(np.max(np.abs(expected))))
    items = schedule_of(derive(parse_system(TWO_STATES))).equations
    assert not any("max" in item.equation.tensor for item in items)
