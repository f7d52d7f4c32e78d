"""Sums that divide by names, with exponentials beside terms without one: at 800, and at 80 in float32.

And what such names lead to: adjoints that divide by them, kernels that are scaled by their own sums.
"""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.pipeline import loads
from symbackprop.systems.system import Role
from tests.stability.test_far_data import NEAR, WEIGHTS, B, drawn, truth

T = "index t, s : T\n"
N = "index n, m : N\nindex i : K\n"
SIZES = {"B": 1, "K": 2, "T": 2, "N": 2}
MODELS = {
    "everything named": T
    + "param k[t], c[t], a[t], b[t]\ne[t] = exp(k[t])\nn[t] = a[t] + e[t]*c[t]\nZ[t] = b[t]^2 + e[t]\n"
    + "y[t] = n[t]/Z[t]\nloss E = sum(t, y[t]^2)",
    "mask beside a plain term": T
    + "param q[t,s], c[s], a[t]\nZ[t] = a[t]^2 + sum(s, where(s <= t, exp(q[t,s]), 0))\n"
    + "y[t] = sum(s, where(s <= t, exp(q[t,s])*c[s], 0))/Z[t]\nloss E = sum(t, y[t]^2)",
    "evidence with another hypothesis": B
    + "param u[b,k], q[b]\ninput x[b,k]\nP[b,k] = exp(u[b,k])\nZ[b] = sum(k, P[b,k]) + exp(q[b])\n"
    + "r[b,k] = P[b,k]/Z[b]\nloss E = sum(b, k, x[b,k]*r[b,k])",
    "mixture of regressions": B
    + "input d[b], x[b]\nparam u[k], q[k]\ng[b,k] = exp(u[k]*x[b])/sum(k2, exp(u[k2]*x[b]))\n"
    + "loss E = -sum(b, log(sum(k, g[b,k]*exp(-abs(d[b] - q[k]*x[b])))))",
    "kernel scaled by its sums": "index n, m : N\n"
    + "param u[n,m]\ninput a[n], b[m]\nf[n,m] = exp(-u[n,m])\nr[n] = 1/sum(m, f[n,m])\n"
    + "c[m] = 1/sum(n, f[n,m]*r[n])\nh[n] = 1/sum(m, f[n,m]*c[m])\n"
    + "loss E = sum(n, m, h[n]*f[n,m]*c[m]*a[n]*b[m])",
    "attention by exponential features": N
    + "param q[n,i], u[m,i]\ninput x[m]\nf[n,i] = exp(q[n,i])\ng[m,i] = exp(u[m,i])\n"
    + "S[i] = sum(m, g[m,i]*x[m])\nz[i] = sum(m, g[m,i])\nd[n] = sum(i, f[n,i]*z[i])\n"
    + "y[n] = sum(i, f[n,i]*S[i])/d[n]\nloss E = sum(n, y[n]^2)",
    "Jeffreys divergence": B
    + "param u[b,k], q[b,k]\np[b,k] = exp(u[b,k])/sum(k, exp(u[b,k]))\n"
    + "r[b,k] = exp(q[b,k])/sum(k, exp(q[b,k]))\nloss E = sum(b, k, (p[b,k] - r[b,k])*log(p[b,k]/r[b,k]))",
}


@pytest.mark.parametrize("name", MODELS)
def test_far_data(name: str) -> None:
    model = loads(MODELS[name] + "\n")
    derivation = model.derive()
    module = derivation.module(verify=False)
    for dtype, scale, rtol, sign in (
        (np.float64, 800.0, 1e-9, 0),
        (np.float32, 80.0, 1e-3, -1),  # exponents up to 320 are rounded by 1.5e-5, and terms cancel
    ):
        values = drawn(model.system, scale, dtype, 3, SIZES)
        for tensor, array in values.items():
            if sign and tensor not in NEAR + WEIGHTS:
                values[tensor] = (sign * (0.9 * scale + 0.1 * np.abs(array))).astype(dtype)
        expected = truth(model.system, values, tuple(derivation.gradients), 400)
        parameters = {each.name: values[each.name] for each in model.system.with_role(Role.PARAMETER)}
        others = {each: array for each, array in values.items() if each not in parameters}
        with np.errstate(all="ignore"):
            loss, gradients = module.value_and_grad(parameters, **others)
        for tensor, found in {"E": loss, **gradients}.items():
            atol = rtol * max(float(np.max(np.abs(expected[tensor]))), 1e-3)
            message = f"{tensor} at {scale}"
            np.testing.assert_allclose(found, expected[tensor], rtol=rtol, atol=atol, err_msg=message)


@pytest.mark.parametrize("norm", ["norm(k, v[j,k]) + 0.125", "sqrt(sum(k, v[j,k]^2) + 1/64)"])
def test_a_norm_of_what_shares_weigh_needs_no_shift_beside_a_constant(norm: str) -> None:
    """A half of the largest exponent of squares is at most 0 as well; where all are 0, none is counted."""
    text = (
        "index t : T\nindex k : K\nindex j : J\nparam q[t,j], c[j,k]\ninput x[t,k], w[j,k]\n"
        f"p[t,j] = softmax(j, q[t,j])\nv[j,k] = sum(t, p[t,j]*(x[t,k] - c[j,k]))\nu[j,k] = v[j,k]/({norm})\n"
        "loss E = sum(j, k, w[j,k]*u[j,k])/sqrt(sum(j, k, u[j,k]^2) + 1/4)\n"
    )
    derivation = loads(text).derive()
    assert "u_shift" not in derivation.to_numpy(verify=False)
    centre, weights = np.array([[0.25, -1.0]] * 2), np.array([[1.5, -0.5], [2.0, 0.75]])
    logits = np.array([[800.0, -800.0], [800.0, -800.0], [0.0, 0.0]])
    with np.errstate(all="ignore"):
        loss, gradients = derivation.module(verify=False).value_and_grad(
            {"q": logits, "c": centre}, np.tile(centre[0], (3, 1)), weights
        )
    assert loss == 0
    np.testing.assert_array_equal(gradients["q"], np.zeros((3, 2)))
    np.testing.assert_allclose(gradients["c"], -16 * np.array([[2.5], [0.5]]) * weights, rtol=1e-15)
