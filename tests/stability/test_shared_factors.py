"""What a product shares with a name that divides it cancels before either is too small for a number."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.stability.shared_factors import cancelled_behind_names
from symbackprop.systems.printing import text
from tests.stability.test_far_data import drawn, results, truth

MODELS = {
    "first event": "index n : N\nindex t, s : T\nparam u[n,t]\nq[n,t] = sigmoid(u[n,t])\n"
    "G[n,t] = prod(s, where(s < t, 1 - q[n,s], 1))\nr[n,t] = q[n,t]*G[n,t]\n"
    "loss E = -sum(n, 3*log(r[n,size(t)-1]) + 2*log(G[n,1]))\n",
    "two causes": "index n : N\nparam u[n], v[n]\nconst d[n]\nA[n] = 1/(1 + exp(u[n]))\n"
    "B[n] = 1/(1 + exp(v[n]))\nS[n] = A[n]*B[n]\nr[n] = (1 - A[n])*S[n]\n"
    "loss E = -sum(n, d[n]^2*log(r[n]) + log(S[n])) + sum(n, r[n]/S[n])\n",
    "hazard of a cumulative hazard": "index n : N\nparam a, b\nconst y[n]\nh[n] = exp(a + b*y[n])\n"
    "S[n] = exp(-3*h[n])\ng[n] = h[n]*S[n]\nloss E = -sum(n, 2*log(g[n]) + y[n]^2*log(S[n]))\n",
    "survivors at every step": "index n : N\nindex t : T\nparam u[n,t]\nconst y[n]\n"
    "q[n,t] = 1/(1 + exp(-u[n,t]))\nG[n,t] = where(t > 0, G[n,t-1], 1)*(1 - q[n,t])\n"
    "loss E = -sum(n, t, where(t > 0, 2*log(q[n,t]*G[n,t-1]), 0)) - sum(n, y[n]^2*log(G[n,size(t)-1]))\n",
    "certain of two at once": "index n : N\nparam u[n], v[n], g\nconst y[n]\n"
    "b[n] = sigmoid(-v[n])\nw[n] = sigmoid(u[n])*b[n]\n"
    "loss E = sum(n, (2 - w[n])^exp(tanh(g))*log(w[n])*(1 + y[n]^2))\n",
    "rejected and accepted": "index n : N\nparam u[n], v[n]\n"
    "p[n] = sigmoid(-u[n])\nq[n] = sigmoid(v[n] + 1)\n"
    "w[n] = p[n]*q[n]\nloss E = sum(n, log(w[n])*2 - log(p[n]) + w[n]/q[n])\n",
}


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_right_where_named_factors_are_too_small(name: str) -> None:
    model = loads(MODELS[name])
    derivation = model.derive()
    module = derivation.module(verify=False)
    for dtype, scale, rtol in ((np.float64, 800.0, 1e-12), (np.float32, 80.0, 1e-5)):
        for seed in (1, 2, 3):
            values = drawn(model.system, scale, dtype, seed, {"N": 2, "T": 3})
            if "b" in values:  # so that exp(a + b*y) is a number
                values |= {"a": np.array(-scale, dtype), "b": np.array(0.5, dtype)}
                values["y"] = np.array([0.5, -1.5], dtype)
            expected = truth(model.system, values, tuple(derivation.gradients), 900)
            for tensor, found in results(module, values).items():
                np.testing.assert_allclose(found, expected[tensor], rtol=rtol, atol=rtol, err_msg=tensor)


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("f[k]/p[k]", "q[k]"),
        ("p[k]/f[k]", "1/q[k]"),
        ("f[k]^2/p[k]", "p[k]*q[k]^2"),
        ("f[k]/q[k]", None),
        ("f[k]/p[j]", None),
        ("p[k]*(u[k]/f[k] + 1)", "u[k]/q[k] + p[k]"),
        ("p[k]*(u[k]/f[j] + 1)", None),
        ("prod(j, where(j != k, p[j], 1))/prod(j, p[j])", "1/p[k]"),
        (
            "prod(j, where(j != k and j < 2, p[j], 1))/prod(j, where(j < 2, p[j], 1))",
            "where(k < 2, 1/p[k], 1)",
        ),
        ("prod(j, where(j != k, p[j], 1))/prod(j, where(j < 2, p[j], 1))", None),
        ("prod(j, where(j < k, p[j], 1))/prod(j, p[j])", None),
        ("prod(j, where(j != k, u[j], 1))/prod(j, u[j])", None),
    ],
)
def test_what_cancels(product: str, expected: str | None) -> None:
    system = parse_system(
        f"index k, j : K\nparam u[k], q[k]\np[k] = exp(u[k])\nf[k] = p[k]*q[k]\ny[j,k] = {product}\n",
    )
    known = {each.tensor: (number, each) for number, each in enumerate(system.equations[:2])}
    found = cancelled_behind_names(system.equations[2].expression, Meanings(known, known=2))
    assert (None if found is None else text(found)) == expected
