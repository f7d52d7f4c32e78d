"""Mixtures of probabilities of intervals: differences of sigmoids that are close, and of their slopes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from symbackprop.pipeline import loads
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

Array = NDArray[Any]

GRADES = """
index i : I
index m : M
input t[i]
param c[m], r, v[m]
P[i] = sum(m, softmax(m, v[m])*(sigmoid(t[i] - c[m]) - sigmoid(t[i] - c[m] - exp(r))))
loss E = -sum(i, log(P[i]))
"""
# Discretized logistic mixtures, as of pixels: Salimans et al., PixelCNN++ (2017).
CELLS = """
index i : I
index m : M
input t[i], h
param c[m], r[m], v[m]
up[i,m] = sigmoid((t[i] - c[m] + h)*exp(-r[m]))
low[i,m] = sigmoid((t[i] - c[m] - h)*exp(-r[m]))
P[i] = sum(m, exp(v[m])*(up[i,m] - low[i,m]))/sum(m, exp(v[m]))
loss E = -mean(i, log(P[i]))
"""
NEAR = {
    "t": np.array([0.3, -0.7, 1.1]),
    "c": np.array([-0.4, 0.9]),
    "v": np.array([0.2, -0.6]),
}
GRADES_AT: dict[str, dict[str, Array]] = {
    "near": {"r": np.array(0.3)},
    "close": {"r": np.array(-20.0)},
    "closer than digits": {"r": np.array(-60.0)},
    "far": {"r": np.array(-1.0), "t": np.array([70.0, -60.0, 0.5])},
}
CELLS_AT: dict[str, dict[str, Array]] = {
    "near": {},
    "narrow": {"h": np.array(0.01)},
    "one far": {"t": np.array([70.0, -0.7, 1.1])},
    "all far": {"c": np.array([-75.0, 80.0])},
    "broad": {"r": np.array([20.0, -1.0])},
}
CASES = [
    *((GRADES, place, at) for place, at in GRADES_AT.items()),
    *((CELLS, place, at) for place, at in CELLS_AT.items()),
]


@pytest.mark.parametrize(("text", "place", "at"), CASES, ids=lambda each: each if len(str(each)) < 30 else "")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 2e-4)])
def test_gradients_keep_their_digits(
    text: str, place: str, at: dict[str, Array], dtype: type, rtol: float
) -> None:
    usual = {"h": np.array(0.25), "r": np.array([0.1, -0.3])} if text is CELLS else {}
    values = {name: np.asarray(each, dtype) for name, each in {**NEAR, **usual, **at}.items()}
    model, module = loads(text), module_of(text)
    expected = truth(model.system, values, 200)
    given = {name: values[name] for name in module.PARAMETERS}
    loss, gradients = module.value_and_grad(given, **{each: values[each] for each in module.INPUTS})
    for name, found in {"E": loss, **gradients}.items():
        most = float(np.max(np.abs(expected[name])))
        np.testing.assert_allclose(found, expected[name], rtol, rtol * max(most, 0.1), err_msg=place)
