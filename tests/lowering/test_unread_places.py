"""What nothing reads may be undefined: a zero behind the end of an axis is no factor beside it."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module
from symbackprop.semantics.systems import evaluate_system

DECLARED = "index t : T\ninput x[t]\nparam a, b[t]\n"
STEP = 1e-6
# The last place of x is read by nothing.
MODELS = {
    "hoisted root": "h[t] = where(t == 0, a, h[t-1]*sqrt(x[t-1]))\nloss E = sum(t, h[t]*b[t])\n",
    "hoisted logarithm": "h[t] = where(t == 0, a, h[t-1]*log(x[t-1] + 0.1))\nloss E = sum(t, h[t])\n",
    "named root": "s[t] = sqrt(x[t])\nh[t] = where(t == 0, a, b[t]*h[t-1]*s[t-1])\nloss E = sum(t, h[t])\n",
    "exponential": "h[t] = where(t == 0, a, h[t-1]*exp(-1000*x[t-1]) + b[t-1])\nloss E = sum(t, h[t]^2)\n",
    "no recurrence": "s[t] = log(x[t])\nc[t] = a*b[t]\n"
    "r = sum(t, where(t + 1 < size(t), c[t]*s[t]*c[t+1], 0))\nloss E = r^2\n",
    "window": "index k : K\nparam w[k]\ns[t] = log(x[t])\n"
    "loss E = sum(t, k, where(t + k + 1 < size(t), s[t]*w[k]*b[t+k+1], 0))*a\n",
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_an_undefined_number_that_nothing_reads_is_in_no_gradient(name: str, size: int) -> None:
    model = sb.loads(DECLARED + MODELS[name])
    module = load_module(model.derive().to_numpy(), "model")
    rng = np.random.default_rng(0)
    values = {"a": np.array(0.8), "b": rng.normal(size=size), "w": rng.normal(size=2)}
    values["x"] = np.append(rng.uniform(0.5, 1.5, size - 1), -1.0)
    params = {each: values[each] for each in module.PARAMETERS}
    with np.errstate(all="ignore"):
        _, gradients = module.value_and_grad(params, x=values["x"])
    sizes = {"T": size, "K": 2}

    def loss(tensor: str, moved: np.ndarray) -> float:
        known = evaluate_system(model.system, {**values, tensor: moved}, sizes)
        return float(known["E"])

    for tensor, gradient in gradients.items():
        for place in np.ndindex(gradient.shape):
            step = np.zeros(gradient.shape)
            step[place] = STEP
            quotient = (loss(tensor, values[tensor] + step) - loss(tensor, values[tensor] - step)) / (
                2 * STEP
            )
            assert abs(gradient[place] - quotient) <= 1e-6 * max(1.0, abs(quotient)), (tensor, place)


# Of two equal places the difference is 0, and 0 times infinity no number, though its function is at most 1.
SATURATED = {
    "tanh": ("tanh(exp(s)*(x[n] - x[m]))", np.sign),
    "gaussian": ("exp(-exp(s)*(x[n] - x[m])^2)", np.zeros_like),
    "shifted": ("sigmoid(3 + exp(s)*(x[n] - x[m]))", lambda apart: apart > 0),
}


@pytest.mark.parametrize("name", SATURATED)
def test_a_function_of_what_overflows_is_read_under_its_mask(name: str) -> None:
    formula, value = SATURATED[name]
    model = sb.loads(
        "index n, m : N\nindex g : G\nparam x[n], W[g], s\ninput y[n,g]\n"
        f"q[n,m] = {formula}\nu[n,m] = sum(g, W[g]*q[n,m]*y[m,g])\n"
        "loss L = sum(n, m, where(n != m, 1/2*(u[n,m] - 1)^2, 0))"
    )
    module = load_module(model.derive(wrt=["W"]).to_numpy(), "model")
    x, y, weights = np.array([0.3, -1.2, 0.7]), np.arange(6.0).reshape(3, 2) - 2.5, np.array([0.4, -0.9])
    with np.errstate(all="ignore"):
        gradient = module.grad({"x": x, "W": weights, "s": np.array(800.0)}, y=y)["W"]
    q = value(x[:, None] - x) * np.ones((3, 3))
    delta = np.where(np.eye(3) == 0, q * (y @ weights) - 1, 0.0)
    np.testing.assert_allclose(gradient, np.einsum("nm,nm,mg->g", delta, q, y), rtol=1e-12)
