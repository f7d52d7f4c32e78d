"""A number that another would swallow, 2 - x^5 + 1e-7, keeps its digits where the rest of its sum is 0."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from symbackprop.pipeline import loads
from tests.stability.test_far_data import truth

MODELS = {
    "a barrier": ("loss E = -sum(n, log(2 - 2*x[n]^5 + 1e-7))", 1.0),
    "an inverse, by the name of a distance": (
        "r[n] = (3 - x[n])^2\ns[n] = 1/(r[n] - 1 + 1e-6)\nloss E = sum(n, s[n]*x[n])",
        2.0,
    ),
    "a root": ("loss E = sum(n, sqrt(1e-9 + (1 - x[n]^4)))", 1.0),
    "numbers on both sides": ("loss E = sum(n, log(x[n] + 4 + 1e-8)/(1 + x[n]^2 + 0.001))", -4.0),
    "a logarithm near 1": ("loss E = sum(n, log(1 + x[n]^3 + 1e-9))", -1.0),
    "a complement": ("p[n] = x[n]/(1 + x[n])\nloss E = sum(n, x[n]/(1 - p[n] - 0.25 + 1e-10))", 3.0),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", MODELS)
def test_the_small_number_is_left(name: str, dtype: type[np.floating]) -> None:
    """On the edge, and beside it, where the sum is the small number and little else."""
    equations, edge = MODELS[name]
    model = loads(f"index n : N\nparam x[n]\n{equations}\n")
    values = {"x": np.array([edge, 0.9375 * edge]).astype(dtype)}
    exact = truth(model.system, {key: value.astype(np.float64) for key, value in values.items()}, ("x",), 60)
    _, gradients = model.derive().module().value_and_grad(values)
    np.testing.assert_allclose(gradients["x"], exact["x"], rtol=60 * np.finfo(dtype).eps)


def test_what_is_added_last_is_added_last() -> None:
    """A guard that is data, e in 1 - x^2 + e, is not swallowed by the 1 either."""
    model = loads("index n : N\nparam x[n]\ninput e[n]\nloss E = sum(n, log(1 - x[n]^2 + e[n]))\n")
    derivation = model.derive()
    assert str(derivation.gradients["x"]) == "dE/dx[n] = -2*x[n]/(1 - x[n]^2 + e[n])"
    loss, gradients = derivation.module().value_and_grad({"x": np.array([1.0])}, e=np.array([1e-9]))
    np.testing.assert_allclose([loss, gradients["x"][0]], [np.log(1e-9), -2e9], rtol=1e-15)


FORMULAS = {
    "log(3 - 3*exp(w[n]) + 1e-7)": lambda w: mpmath.log(3 - 3 * mpmath.exp(w) + mpmath.mpf(10) ** -7),
    "exp(w[n])/(1 - exp(w[n]) + 1e-9)": lambda w: mpmath.exp(w) / (1 - mpmath.exp(w) + mpmath.mpf(10) ** -9),
    "log(exp(w[n]) - 1 + 1e-6)": lambda w: mpmath.log(mpmath.exp(w) - 1 + mpmath.mpf(10) ** -6),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("formula", FORMULAS)
def test_the_small_number_is_left_of_the_difference(formula: str, dtype: type[np.floating]) -> None:
    """At w = 0, where the exponential is exact, and where the difference is of order 1."""
    module = loads(f"index n : N\nparam w[n]\nloss E = sum(n, {formula})\n").derive().module()
    rounding = 8 * float(np.finfo(dtype).eps)
    sign = 1.0 if formula.startswith("log(exp") else -1.0
    for w in (0.0, sign * 0.7, sign * 3.0):
        with mpmath.workdps(40):
            true = FORMULAS[formula](mpmath.mpf(float(dtype(w))))
            slope = mpmath.diff(FORMULAS[formula], mpmath.mpf(float(dtype(w))))
        loss, gradients = module.value_and_grad({"w": np.array([w], dtype=dtype)})
        assert float(loss) == pytest.approx(float(true), rel=rounding, abs=rounding), w
        assert float(gradients["w"][0]) == pytest.approx(float(slope), rel=rounding), w


def test_beyond_the_range_the_quotient_is_finite() -> None:
    module = loads("index n : N\nparam w[n]\nloss E = sum(n, exp(w[n])/(1 - exp(w[n]) + 1e-9))\n").derive()
    loss, gradients = module.module().value_and_grad({"w": np.array([800.0, -800.0])})
    assert loss == -1.0
    assert np.all(np.isfinite(gradients["w"]))
