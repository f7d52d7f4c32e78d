"""An exponential that is chosen where it is at most 1, as elu(f) + 1 has it, is not shifted by a maximum."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.pipeline import loads

HEAD = "index n : N\nparam u[n]\nconst v[n], w[n]\n"
MEAN = "loss E = sum(n, f[n]*v[n])/sum(n, f[n])\n"
SATURATING = {
    "above": "f[n] = where(u[n] > 0, u[n] + 1, exp(u[n]))\n",
    "below": "f[n] = where(u[n] <= 0, exp(u[n]), u[n]^2 + u[n] + 1)\n",
    "of a sum": "a[n] = u[n] + w[n]\nf[n] = where(a[n] >= 0, a[n] + 1, exp(a[n]))\n",
}
GROWING = {
    "another sign": "f[n] = where(u[n] > 0, u[n] + 1, exp(-u[n]))\n",
    "another condition": "f[n] = where(w[n] > 0, 1, exp(u[n]))\n",
    "another bound": "f[n] = where(u[n] > 100, u[n] + 1, exp(u[n]))\n",
    "the other branch has one, too": "f[n] = where(u[n] > 0, exp(2*u[n]), exp(u[n]))\n",
}
U = np.array([-2.0, 0.75, -30.0, 1.5])
V = np.array([1.0, -2.0, 0.5, 3.0])
W = np.array([0.5, -0.25, 1.0, 0.125])


def features(name: str, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The features, and their slopes."""
    a = u + W if name == "of a sum" else u
    small = np.exp(np.minimum(a, 0.0))
    grown, slope = (a**2 + a + 1.0, 2.0 * a + 1.0) if name == "below" else (a + 1.0, np.ones_like(a))
    return np.where(a > 0.0, grown, small), np.where(a > 0.0, slope, small)


@pytest.mark.parametrize("name", SATURATING)
def test_what_saturates_stays_as_typed(name: str) -> None:
    derived = loads(HEAD + SATURATING[name] + MEAN).derive()
    assert "np.max" not in derived.to_numpy()
    for u in (U, U + 700.0, U - 20.0, U * 800.0):
        with np.errstate(over="ignore"):  # of what is not chosen
            loss, gradients = derived.module().value_and_grad({"u": u}, v=V, w=W)
        f, slope = features(name, u)
        mean = (f @ V) / f.sum()
        np.testing.assert_allclose(loss, mean, rtol=1e-13)
        expected = slope * (V - mean) / f.sum()
        np.testing.assert_allclose(gradients["u"], expected, rtol=1e-11, atol=1e-14 * abs(expected).max())


@pytest.mark.parametrize("name", GROWING)
def test_what_may_grow_is_shifted(name: str) -> None:
    text = loads(HEAD + GROWING[name] + MEAN).derive().to_numpy(verify=False)
    assert "np.max" in text
