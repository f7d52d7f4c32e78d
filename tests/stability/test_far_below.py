"""1 - exp(-exp(f)) is exp(f) far below 0: its logarithm and its ratios stay what they are."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.pipeline import loads
from tests.stability.test_far_data import truth

HEAD = "index n : N\nparam d[n], c\nconst s[n]\n"
MODELS = {
    "hazards in groups of time": "h[n] = 1 - exp(-exp(d[n] + c))\n"
    "loss E = -sum(n, s[n]*log(h[n]) + (1 - s[n])*log(1 - h[n]))",
    "no names": "loss E = sum(n, log(1 - exp(-exp(d[n])))*(s[n] + c))",
    "counts that are not 0": "r[n] = exp(d[n]*c)\nloss E = sum(n, r[n] + log(1 - exp(-r[n])) - s[n]*d[n])",
    "by a rate": "r[n] = exp(d[n])\nloss E = sum(n, s[n]*log((1 - exp(-r[n]))/(1 + r[n])) + c^2*tanh(d[n]))",
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    model = loads(HEAD + MODELS[name] + "\n")
    module = model.derive().module(verify=False)
    for dtype, far, rtol in ((np.float64, -800.0, 1e-11), (np.float32, -90.0, 3e-5)):
        values = {
            "d": np.array([far, -38.0, -0.3, 1.5], dtype),
            "c": np.array(0.7, dtype),
            "s": np.array([1.0, 0.5, 0.75, 0.25], dtype),
        }
        expected = truth(model.system, values, ("d", "c"), 900)
        with np.errstate(all="ignore"):
            loss, gradients = module.value_and_grad({"d": values["d"], "c": values["c"]}, s=values["s"])
        for tensor, found in {"E": loss, **gradients}.items():
            np.testing.assert_allclose(found, expected[tensor], rtol, err_msg=f"{tensor} {dtype.__name__}")


@pytest.mark.parametrize("inner", ["2 - exp(-exp(d[n]))", "1 - exp(-d[n]^2)", "exp(-exp(d[n])) + c^2"])
def test_what_is_no_exponential_far_below(inner: str) -> None:
    source = loads(f"{HEAD}loss E = sum(n, s[n]*log({inner}) + c)\n").derive().to_numpy(verify=False)
    assert "-40" not in source
