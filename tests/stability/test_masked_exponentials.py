"""Masks: where one is 0 nothing is looked at, however large it is; where none is, everything counts."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.pipeline import loads

HEAD = "index v : V\nparam u[v]\nconst m[v], a[v]\n"
MASKED = "where(m[v] > 0, {}, 0)"
SUM = f"sum(v, {MASKED.format('exp(u[v])')})"

# Losses that a shift of u by a number does not change, nor what stands outside of the mask.
MODELS = {
    "power": f"p[v] = {MASKED.format('exp(2*u[v])')}/{SUM}^2\nloss E = sum(v, a[v]*p[v]^2)\n",
    "factor under the mask": f"loss E = sum(v, {MASKED.format('exp(u[v])*a[v]')}^2)/{SUM}^2\n",
    "undefined outside of the mask": f"p[v] = {MASKED.format('exp(u[v])/m[v]')}/{SUM}\n"
    "loss E = sum(v, a[v]*p[v]^2)\n",
    "weighted variance": f"c = sum(v, {MASKED.format('exp(u[v])*a[v]')})/{SUM}\n"
    f"loss E = sum(v, {MASKED.format('exp(u[v])*(a[v] - c)^2')})/{SUM}\n",
    "mask beside": f"loss E = sum(v, a[v]*({MASKED.format('1')}*exp(u[v])/{SUM})^2)\n",
    "mask of the second exponential": "loss E = "
    f"sum(v, exp(u[v])*{MASKED.format('exp(u[v])')}*a[v])/{SUM}^2\n",
}


@pytest.mark.parametrize("name", MODELS)
def test_what_a_mask_hides_is_not_looked_at_however_large(name: str) -> None:
    module = loads(HEAD + MODELS[name]).derive().module()
    given = {"m": np.array([1.0, 0.0, 2.0, 0.0]), "a": np.array([0.5, 2.0, -1.0, 3.0])}
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, gradients = module.value_and_grad({"u": np.array([0.25, 0.0, -0.5, 0.0])}, **given)
    assert gradients["u"][1] == gradients["u"][3] == 0.0
    assert np.all(gradients["u"][::2] != 0.0)
    for shift in (-800.0, 0.0, 800.0):
        far = np.array([0.25 + shift, 400.0, shift - 0.5, 650.0])
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            found, there = module.value_and_grad({"u": far}, **given)
        np.testing.assert_allclose(found, loss, rtol=1e-10)
        np.testing.assert_allclose(there["u"], gradients["u"], rtol=1e-10)


def test_an_exponential_without_a_mask_counts_everywhere() -> None:
    module = (
        loads(f"{HEAD}loss E = sum(v, exp(u[v])*({MASKED.format('a[v]')} + 2))/{SUM}\n").derive().module()
    )
    m, a, u = np.array([1.0, 0.0, 2.0]), np.array([0.5, 2.0, -1.0]), np.array([0.25, -1.0, -0.5])
    above, below = np.exp(u) * np.where(m > 0.0, a + 2.0, 2.0), np.where(m > 0.0, np.exp(u), 0.0)
    loss = above.sum() / below.sum()
    for shift in (-800.0, 0.0, 800.0):
        found, gradients = module.value_and_grad({"u": u + shift}, m=m, a=a)
        np.testing.assert_allclose(found, loss, rtol=1e-10)
        np.testing.assert_allclose(gradients["u"], (above - below * loss) / below.sum(), rtol=1e-10)


def test_a_guard_does_not_hold_of_an_index_that_a_sum_binds_anew() -> None:
    text = "loss E = sum(v, where(m[v] != 0, a[v]*u[v]/sum(v, where(m[v] != 0, u[v], 0)), 0))\n"
    module = loads(HEAD + text).derive().module()
    given = {"m": np.array([1.0, 0.0, 2.0]), "a": np.array([0.5, 2.0, -1.0])}
    loss, gradients = module.value_and_grad({"u": np.array([1.0, 5.0, 3.0])}, **given)
    np.testing.assert_allclose(loss, (0.5 - 3.0) / 4.0, rtol=1e-14)
    np.testing.assert_allclose(gradients["u"], [(0.5 + 0.625) / 4.0, 0.0, (-1.0 + 0.625) / 4.0], rtol=1e-14)
