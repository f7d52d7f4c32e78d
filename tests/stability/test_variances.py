"""Means by weights that grow with what is averaged: their derivative by a temperature is a variance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from symbackprop.pipeline import loads
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

Array = NDArray[Any]

# Boltzmann's operator, of windows: Stergiou, Poppe and Kalliatakis, SoftPool (2021).
POOLED = """
index n : N
index a : A
index k : K
input x[n,a,k]
param w, u, r
f[n,a,k] = w*x[n,a,k] + u
y[n,a] = sum(k, exp(r*f[n,a,k])*f[n,a,k])/sum(k, exp(r*f[n,a,k]))
loss E = mean(n, a, sin(y[n,a]))
"""
# The weights by their name, behind a mask, and the temperature in the other sense.
CHOSEN = """
index n : N
index k : K
input x[n,k], c[n,k]
param u[k], r
f[n,k] = x[n,k] + u[k]
e[n,k] = where(c[n,k] > 0, exp(f[n,k]*exp(-r)), 0)
p[n,k] = e[n,k]/sum(k, e[n,k])
y[n] = sum(k, p[n,k]*f[n,k])
loss E = mean(n, sin(y[n]))
"""
# One partition function for a mean energy and a free energy.
GIBBS = """
index n : N
index k : K
input x[n,k]
param u, r
f[n,k] = x[n,k] + u
Z[n] = sum(k, exp(-r*f[n,k]))
m[n] = sum(k, f[n,k]*exp(-r*f[n,k]))/Z[n]
loss E = sum(n, m[n]^2) + sum(n, log(Z[n]))
"""
POOLS = np.array([[[0.3, -1.2, 0.8], [1.1, 0.4, -0.9]], [[0.6, 0.6, 0.6], [-0.2, 2.3, 0.7]]])
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "windows": (POOLED, {"x": POOLS, "w": 0.7, "r": 1.3}),
    "behind a mask": (CHOSEN, {"x": POOLS[0], "c": [[1, 1, 0], [1, 1, 1]], "r": 0.2}),
    "a partition function": (GIBBS, {"x": POOLS[1], "r": 0.4}),
}
FAR = [(0, np.float64, 1e-14), (1e6, np.float64, 1e-9), (1e4, np.float32, 5e-3)]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("far", "dtype", "rtol"), FAR)
def test_a_variance_keeps_its_digits_far_from_zero(case: str, far: float, dtype: type, rtol: float) -> None:
    text, near = CASES[case]
    model, module = loads(text), module_of(text)
    shift = np.full(3, far) if "u[k]" in text else np.array(far)
    values = {name: np.asarray(each, dtype) for name, each in {**near, "u": shift}.items()}
    expected = truth(model.system, values, 60)["r"]
    given = {name: values[name] for name in module.PARAMETERS}
    _, gradients = module.value_and_grad(given, **{each: values[each] for each in module.INPUTS})
    scale = 1 + far if text is GIBBS else 1
    np.testing.assert_allclose(gradients["r"], expected, rtol, rtol * scale * 1e-3)
