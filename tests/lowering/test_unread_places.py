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
