"""Denominators with what a sigmoid leaves of 1 among their factors: variances of a share."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.pipeline import loads
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

HEAD = "index i : I\ninput t[i]\nparam u[i]\n"
MODELS = {
    "standardised": "q[i] = sigmoid(u[i])\nz[i] = (t[i] - q[i])/sqrt(q[i]*(1 - q[i]))\n"
    "loss E = sum(i, log(1 + z[i]^2))",
    "precision": "q[i] = sigmoid(-2*u[i])\nloss E = sum(i, log(1 + t[i]^2/(3*q[i]*(1 - q[i]))))",
    "two negative factors": "q[i] = sigmoid(u[i])\nloss E = sum(i, log(1 + 1/sqrt((q[i] - 1)*(q[i] - 2))))",
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("dtype", "far", "rtol"), [(np.float64, 300.0, 1e-12), (np.float32, 18.0, 1e-4)])
def test_what_is_left_of_1_keeps_its_digits(name: str, dtype: type, far: float, rtol: float) -> None:
    text = HEAD + MODELS[name]
    model, module = loads(text), module_of(text)
    u, t = (np.asarray(each, dtype) for each in ([far, -far, 0.3], [0.0, 1.0, 0.7]))
    expected = truth(model.system, {"t": t, "u": u}, 400)
    loss, gradients = module.value_and_grad({"u": u}, t=t)
    np.testing.assert_allclose(loss, expected["E"], rtol)
    np.testing.assert_allclose(gradients["u"], expected["u"], rtol, rtol)
