"""Powers of probabilities, and what they leave of 1, where either is too small for a number."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.stability.never_zero import guard_of_never_zero
from symbackprop.stability.softplus import complement_of_power
from symbackprop.systems.printing import text
from tests.stability.test_far_data import drawn, results, truth

T = "index t : T\nparam u[t], q[t], a, b\ninput v[t]\n"
MODELS = {
    "survival of a power": "x[t] = sigmoid(u[t])\nS[t] = (1 - x[t]^exp(a))^exp(b)\n"
    "loss E = -sum(t, log(exp(a)*S[t]*x[t]^exp(b)) + v[t]*q[t])\n",
    "density between 0 and 1": "x[t] = sigmoid(u[t] - 1)\nf[t] = exp(b)*x[t]^exp(a)*(1 - x[t])^exp(b)\n"
    "loss E = -sum(t, log(f[t])) + sum(t, v[t]*q[t])\n",
    "skewed link": "p[t] = sigmoid(-u[t])^exp(b)\n"
    "loss E = -sum(t, v[t]*log(p[t]) + (3 - v[t])*log(1 - p[t])) + a*sum(t, q[t])\n",
    "two powers at once": "loss E = sum(t, log(1 - sigmoid(u[t])^exp(a)*sigmoid(q[t])^exp(b)) + v[t])\n",
    "exponent that underflows": "x[t] = sigmoid(u[t]/400)\nc[t] = exp(a - abs(q[t]))\n"
    "loss E = -sum(t, log(1 - x[t]^c[t])) + b*sum(t, v[t])\n",
}


@pytest.mark.parametrize("name", MODELS)
def test_the_logarithm_is_finite_and_so_is_the_gradient(name: str) -> None:
    model = loads(T + MODELS[name])
    derivation = model.derive()
    module = derivation.module(verify=False)
    for dtype, scale, rtol in ((np.float64, 700.0, 1e-9), (np.float32, 80.0, 4e-4)):
        values = drawn(model.system, scale, dtype, 4, {"T": 3})
        expected = truth(model.system, values, tuple(derivation.gradients), 900)
        for tensor, found in results(module, values).items():
            atol = rtol * max(float(np.max(np.abs(expected[tensor]))), 1e-3)
            message = f"{tensor} at {scale}"
            np.testing.assert_allclose(found, expected[tensor], rtol=rtol, atol=atol, err_msg=message)


@pytest.mark.parametrize(
    ("complement", "expected"),
    [
        ("1 - p^exp(q)", "-expm1(-exp(q)*softplus(-u))"),
        ("3 - 3*p^exp(q)*sigmoid(q)", "-3*expm1(-exp(q)*softplus(-u) - softplus(-q))"),
        ("1 - p^q", None),  # q may be negative
        ("1 - p^2", None),
        ("2 - p^exp(q)", None),
        ("1 - u^exp(q)", None),
    ],
)
def test_what_a_power_leaves_of_1(complement: str, expected: str | None) -> None:
    system = parse_system(f"param u, q\np = sigmoid(u)\ny = {complement}\n")
    meanings = Meanings({"p": (0, system.equations[0])}, known=1)
    found = complement_of_power(system.equations[1].expression, meanings)
    assert (None if found is None else text(found)) == expected


@pytest.mark.parametrize(
    ("guarded", "expected"),
    [
        ("where(p != 0, p*softplus(-u), 0)", "p*softplus(-u)"),
        ("where(p != 1 and q != 0, q^2*u, 0)", "where(q != 0, q^2*u, 0)"),
        ("where(exp(q) != 0, exp(q)*u, 0)", "exp(q)*u"),
        ("where(p^exp(q) != 1, u, 0)", "u"),
        ("where(p != 0, p*log(p), 0)", None),
        ("where(p != 0, u/p, 0)", None),
        ("where(q != 0, u*q, 0)", None),
        ("where(p - q != 0, u, 0)", None),
    ],
)
def test_a_guard_of_what_is_never_0(guarded: str, expected: str | None) -> None:
    system = parse_system(f"param u, q\np = sigmoid(u)\ny = {guarded}\n")
    meanings = Meanings({"p": (0, system.equations[0])}, known=1)
    found = guard_of_never_zero(system.equations[1].expression, meanings)
    assert (None if found is None else text(found)) == expected
