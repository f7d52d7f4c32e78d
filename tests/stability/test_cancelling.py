"""What may be too small for a number cancels beside its reciprocal, through names, sums and masks."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.stability.cancelling import cancelled_by_name
from symbackprop.systems.printing import text
from tests.stability.test_far_data import drawn, results, truth

MODELS = {
    "one-hot beside Brier": "index n : N\nindex k : K\nparam u[n,k]\ninput d[n] in K\n"
    "o[n,k] = delta(d[n],k)\np[n,k] = softmax(k, u[n,k])\n"
    "loss E = 3*sum(n, k, (o[n,k] - p[n,k])^2*p[n,k]) - sum(n, k, o[n,k]*log(p[n,k]))\n",
    "looked up beside a cube": "index n : N\nindex k : K\nparam u[n,k], q[k]\ninput d[n] in K\n"
    "p[n,k] = softmax(k, u[n,k] - q[k])\nloss E = sum(n, k, p[n,k]^3) - sum(n, log(p[n,d[n]]))\n",
    "masked beside squares": "index n : N\nindex k : K\nparam u[n,k]\ninput w[n,k]\n"
    "p[n,k] = where(w[n,k] > 1, exp(u[n,k]), 0)/sum(k, where(w[n,k] > 1, exp(u[n,k]), 0))\n"
    "loss E = sum(n, k, where(w[n,k] > 1, (p[n,k] - 1)^2 - w[n,k]*log(p[n,k]), 0))\n",
}


@pytest.mark.parametrize("name", MODELS)
def test_a_probability_cancels_beside_its_reciprocal_behind_a_name(name: str) -> None:
    """p*(g/p + h) is g + p*h where p is too small for a number."""
    model = loads(MODELS[name])
    derivation = model.derive()
    module = derivation.module(verify=False)
    for dtype, scale, rtol in ((np.float64, 800.0, 1e-12), (np.float32, 80.0, 1e-5)):
        values = drawn(model.system, scale, dtype, 3, {"N": 2, "K": 3})
        if "w" in values:
            values["w"] = np.array([[1.5, 0.0, 1.2], [2.0, 1.1, 1.3]], dtype)
        expected = truth(model.system, values, tuple(derivation.gradients), 900)
        for tensor, found in results(module, values).items():
            np.testing.assert_allclose(found, expected[tensor], rtol=rtol, atol=rtol, err_msg=tensor)


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("p[k]*(q[k]/p[k] + u[k])", "q[k] + u[k]*p[k]"),
        ("q[k]*(u[k]/q[k] + 1)", None),
        ("p[k]*(q[k]/p[j] + u[k])", None),
        ("p[k]*(delta(j,k)*q[k]/p[j] + u[k])", "delta(j,k)*q[k] + u[k]*p[k]"),
        ("p[k]^2*(q[k]/p[k] + u[k])", None),
        ("where(u[k] > 0, q[k]*p[k], 0)*(3 - u[k]/p[k])", "where(u[k] > 0, q[k]*(3*p[k] - u[k]), 0)"),
        ("p[k]*sum(k, delta(j,k)*u[k]/p[k])", None),
    ],
)
def test_what_cancels(product: str, expected: str | None) -> None:
    system = parse_system(
        f"index k, j : K\nparam u[k], q[k]\np[k] = exp(u[k])\ny[j,k] = {product}\n",
    )
    meanings = Meanings({"p": (0, system.equations[0])}, known=1)
    found = cancelled_by_name(system.equations[1].expression, meanings)
    assert (None if found is None else text(found)) == expected
