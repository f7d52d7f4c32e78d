"""1 - sigmoid(f) keeps its digits where an exponential multiplies it that is as large as it is small."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.stability.small_complements import complement_beside_exponential
from symbackprop.systems.printing import text
from tests.stability.test_far_data import truth

MODELS = {
    "a score by its name": "index n : N\nparam x[n], v[n]\np[n] = sigmoid(x[n])\n"
    "loss E = sum(n, log(p[n])*exp(v[n]) - p[n]^2)\n",
    "a weight by its name": "index n : N\nparam x[n], v[n]\nw[n] = exp(2*v[n])\np[n] = 1/(1 + exp(-x[n]))\n"
    "loss E = 3*sum(n, w[n]*log(p[n])) + sum(n, p[n]*v[n])\n",
}


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_right_in_the_tail(name: str) -> None:
    """At x = 40 the sigmoid is 1 to all its digits."""
    model = loads(MODELS[name])
    derivation = model.derive()
    module = derivation.module(verify=False)
    values = {"x": np.array([40.0, 37.5, -3.0, 300.0]), "v": np.array([39.0, 60.0, 2.0, 290.0])}
    expected = truth(model.system, values, ("x", "v"), 300)
    loss, gradients = module.value_and_grad(values)
    for tensor, found in {"E": loss, **gradients}.items():
        np.testing.assert_allclose(found, expected[tensor], rtol=1e-13, err_msg=tensor)


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("exp(u[k])*(1 - p[k])", "exp(u[k])*sigmoid(-u[k])"),
        ("exp(u[k])*(q[k]*(1 - p[k]) + 2)", "exp(u[k])*(q[k]*sigmoid(-u[k]) + 2)"),
        ("w[k]*q[k]*(1 - p[k])", "w[k]*q[k]*sigmoid(-u[k])"),
        ("(w[k] - q[k])*(1 - p[k])", "(w[k] - q[k])*sigmoid(-u[k])"),
        ("exp(-u[k]^2)*(1 - p[k])", None),
        ("q[k]*(1 - p[k])", None),
        ("exp(u[k])*(2 - p[k])", None),
        ("exp(u[k])*p[k]", None),
    ],
)
def test_which_complements(product: str, expected: str | None) -> None:
    system = parse_system(
        f"index k : K\nparam u[k], q[k]\np[k] = sigmoid(u[k])\nw[k] = exp(q[k])\ny[k] = {product}\n",
    )
    known = {each.tensor: (number, each) for number, each in enumerate(system.equations[:2])}
    found = complement_beside_exponential(system.equations[2].expression, Meanings(known, known=2))
    assert (None if found is None else text(found)) == expected
