"""What guards a quotient against an empty axis hides no exponential beside it: classes by products."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.stability.quotients import quotient
from symbackprop.systems.printing import text
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

HEAD = "index n : N\nindex k : K\nindex c : C\ninput x[n,c], d[n,k]\nparam u[k,c], b[k]\n"
CLASS = "loss L = -sum(n, k, d[n,k]*log(j[n,k]/sum(k, j[n,k])))"
BY_PRODUCTS = {
    "Bernoulli": "h[k,c] = sigmoid(u[k,c])\n"
    "j[n,k] = softmax(k, b[k])*prod(c, h[k,c]^x[n,c]*(1 - h[k,c])^(1 - x[n,c]))\n",
    "Poisson": "j[n,k] = exp(b[k])*prod(c, exp(x[n,c]*u[k,c]/100 - exp(u[k,c]/100)))\n",
    "distances": "j[n,k] = exp(b[k] - sum(c, (x[n,c] - u[k,c])^2))\n",
}
VALUES = {
    "x": np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]),
    "d": np.array([[0.25, 0.75], [0.5, 0.125]]),
    "u": np.array([[0.7, -0.9, 0.2], [-0.6, 0.4, 0.8]]),
    "b": np.array([0.3, -0.4]),
}


@pytest.mark.parametrize("name", BY_PRODUCTS)
@pytest.mark.parametrize("reach", [1.0, 800.0])
def test_classes_by_products_of_probabilities(name: str, reach: float) -> None:
    text = HEAD + BY_PRODUCTS[name] + CLASS
    model, module = loads(text), module_of(text)
    values = {**VALUES, "u": VALUES["u"] * reach, "b": VALUES["b"] * reach}
    expected = truth(model.system, values, 800)
    parameters = {each: values[each] for each in "ub"}
    with np.errstate(all="ignore"):
        loss, gradients = module.value_and_grad(parameters, x=values["x"], d=values["d"])
    for each, found in {"L": loss, **gradients}.items():
        scale = max(1.0, float(np.max(np.abs(expected[each]))))
        np.testing.assert_allclose(found, expected[each], 1e-10, 1e-10 * scale, err_msg=each)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (
            "where(size(k) > 0, x/sum(k, exp(u[k])), 0)*exp(u[k])",
            "where(size(k) > 0, exp(u[k] - max(k, u[k]))*x/sum(k, exp(u[k] - max(k, u[k]))), 0)",
        ),
        ("where(size(k) > 0, x/sum(k, u[k]), 0)*exp(u[k])", None),
        ("where(size(k) > 0, x, 0)*exp(u[k])", None),
        ("where(size(k) > 0, x/sum(k, exp(u[k])), 1)*exp(u[k])", None),
    ],
)
def test_the_guard_goes_around_the_product(typed: str, expected: str | None) -> None:
    system = parse_system(f"index k : K\nparam u[k], x\ny[k] = {typed}\n")
    found = quotient(system.definitions["y"].expression, Meanings())
    assert (found and text(found)) == expected
