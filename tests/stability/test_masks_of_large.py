"""A mask that decides on an exponential lets nothing through where that is infinite: 0, and not 0*inf."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.pipeline import loads

HEAD = "index n : N\nparam u[n], v[n]\nconst w[n], A[n]\n"
U = np.array([800.0, -1.0, 0.25, -800.0, 3.0])
V = np.array([0.5, 1.5, -0.5, 1.0, 0.0])
GIVEN = {"w": np.array([1.0, -2.0, 0.5, 3.0, 2.0]), "A": np.array([1.0, 0.5, 2.0, -1.0, 0.75])}
BELOW_1 = np.where(U < 0.0, np.exp(np.minimum(U, 0.0)), 0.0)
RATE = np.exp(np.minimum(U, 4.0))
SMALL = np.exp(np.minimum(U, 1.0))

# Models, and dE/du where exp(800) is infinite.
MODELS = {
    "a truncated weight": ("r[n] = exp(u[n])\nloss E = sum(n, min(r[n], 1)*w[n])", GIVEN["w"] * BELOW_1),
    "clipped on both sides, squared": (
        "r[n] = exp(u[n])\nc[n] = clip(r[n], 0.1, 2)\nloss E = sum(n, A[n]*c[n]^2)",
        np.where((RATE > 0.1) & (RATE < 2.0), 2.0 * GIVEN["A"] * SMALL**2, 0.0),
    ),
    "a hinge of a rate": (
        "r[n] = exp(u[n])\ns[n] = 2 - r[n]\nloss E = sum(n, w[n]*relu(s[n])^2)",
        np.where(RATE < 2.0, -2.0 * GIVEN["w"] * (2.0 - SMALL) * SMALL, 0.0),
    ),
    "a square where it is small": (
        "r[n] = exp(u[n])\nloss E = sum(n, where(r[n] < 1, w[n]*r[n]^2, A[n]))",
        2.0 * GIVEN["w"] * BELOW_1**2,
    ),
    "behind a name": (
        "r[n] = exp(u[n])\nq[n] = A[n]*r[n] + v[n] - v[n]\nloss E = sum(n, where(q[n]/A[n] < 1, r[n], 0))",
        BELOW_1,
    ),
    "its adjoint has a name": (
        "r[n] = exp(u[n])*exp(0*v[n])\nloss E = sum(n, min(r[n], 1)*w[n])",
        GIVEN["w"] * BELOW_1,
    ),
    "a threshold for all": (
        "index m : N\nz[n,m] = max(w[m] - exp(u[n]), 0)\nloss E = sum(n, m, z[n,m]*A[m])",
        -RATE * np.sum((GIVEN["w"] > RATE[:, None]) * GIVEN["A"], axis=1),
    ),
    "a cap for all, its adjoint by name": (
        "index m : N\nt[n] = exp(u[n]) + v[n]\ny[n,m] = min(w[m], t[n])\n"
        "loss E = sum(n, sum(m, y[n,m]*A[m])*v[n])",
        RATE * V * np.sum((GIVEN["w"] > (RATE + V)[:, None]) * GIVEN["A"], axis=1),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_what_is_cut_off_has_a_derivative_of_0_however_large_it_is(name: str) -> None:
    formulas, expected = MODELS[name]
    module = loads(HEAD + formulas + "\n").derive().module()
    with np.errstate(all="ignore"):
        _, gradients = module.value_and_grad({"u": U, "v": V}, **GIVEN)
    np.testing.assert_allclose(gradients["u"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    "formulas",
    [
        "r[n] = exp(u[n])\nloss E = sum(n, min(v[n], A[n])*r[n])",
        "r[n] = exp(-u[n]^2)\nloss E = sum(n, min(r[n], 1)*w[n])",
        "r[n] = sigmoid(u[n])\nloss E = sum(n, min(r[n], 1)*w[n])",
        "r[n] = v[n]*u[n]\nloss E = sum(n, min(r[n], 1)*w[n])",
        "index m : N\nz[n,m] = max(w[m] - v[n], 0)\nloss E = sum(n, exp(u[n])*sum(m, z[n,m]))",
    ],
    ids=["another tensor decides", "at most 1", "a sigmoid", "no exponential", "another sum"],
)
def test_other_masks_are_factors(formulas: str) -> None:
    text = loads(f"{HEAD}{formulas}\n").derive().to_numpy(verify=False)
    assert "np.where" not in text
