"""Probabilities between two sigmoids, by names or functions of the model's own, of one scale: cut points."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.differences import difference
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.systems.printing import text
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

HEAD = "index n : N\nindex k : K\ninput y[n]\n"
BETWEEN = {
    "named difference": "param w, b, c\nu[n] = b - w*y[n]\n"
    "p[n] = sigmoid(u[n] + softplus(c)) - sigmoid(u[n])\n"
    "loss L = -sum(n, log(p[n]))",
    "opposite sides": "param w, b, c\nu[n] = w*y[n] - b\n"
    "p[n] = sigmoid(-u[n]) - sigmoid(-u[n] - exp(c))\nloss L = -sum(n, y[n]^2*log(p[n]))",
    "one scale": "param w, b, c\nf[n] = sigmoid((y[n] + w)*exp(-c) - b)\n"
    "g[n] = sigmoid((y[n] - w)*exp(-c) - b)\n"
    "loss L = -sum(n, log(f[n] - g[n]))",
    "discretised mixture": "param m[k], s[k], a[k]\nfunc cdf(u) = 1/(1 + exp(-u))\n"
    "f[n,k] = cdf((y[n] + 0.5 - m[k])*exp(-s[k]))\ng[n,k] = cdf((y[n] - 0.5 - m[k])*exp(-s[k]))\n"
    "loss L = -sum(n, log(sum(k, softmax(k, a[k])*(f[n,k] - g[n,k]))))",
    "by a named scale": "param m[k], s[k], a[k]\nr[k] = exp(-s[k])\n"
    "f[n,k] = sigmoid(r[k]*(y[n] - m[k]))\ng[n,k] = sigmoid(r[k]*(y[n] - 2 - m[k]))\n"
    "loss L = -sum(n, log(sum(k, softmax(k, a[k])*(f[n,k] - g[n,k]))))",
}


@pytest.mark.parametrize("name", BETWEEN)
@pytest.mark.parametrize("reach", [1.0, 300.0])
def test_the_gradient_is_the_true_one_far_from_the_cut_points(name: str, reach: float) -> None:
    """Both sigmoids are 0 or 1 to the last digit there, and what lies between them is not."""
    text = HEAD + BETWEEN[name]
    model, module = loads(text), module_of(text)
    values = {
        "y": np.array([0.9, -0.7, 0.1]) * reach,
        "w": np.array(0.8),
        "b": np.array(-0.6) * reach,
        "c": np.array(0.3),
        "m": np.array([0.95, -0.8]) * reach,
        "s": np.array([0.4, -0.2]),
        "a": np.array([0.5, -0.9]) * reach,
    }
    data = {each: values[each] for each in module.SHAPES}
    expected = truth(model.system, data, 800)
    with np.errstate(all="ignore"):
        loss, gradients = module.value_and_grad({e: data[e] for e in data if e != "y"}, y=data["y"])
    for each, found in {"L": loss, **gradients}.items():
        scale = max(1.0, float(np.max(np.abs(expected[each]))))  # of softmaxes' terms, which may cancel
        np.testing.assert_allclose(found, expected[each], 1e-10, 1e-11 * scale, err_msg=each)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("(a + 1/2 - c)*b", "(a - 1/2 - c)*b", "b"),
        ("b*(a - c)", "b*(a - d)", "(-c + d)*b"),
        ("a*b*c", "a*b*d", "a*b*c - a*b*d"),
        ("a + b", "a - c", "b + c"),
        ("2*(a + 3)", "2*a", "2*(a + 3) - 2*a"),
        ("a*(c + d)", "b*(c + d)", "a*(c + d) - b*(c + d)"),
    ],
)
def test_difference_of_products(one: str, other: str, expected: str) -> None:
    system = parse_system(f"param a, b, c, d\nf = {one}\ng = {other}\n")
    f, g = (system.definitions[name].expression for name in "fg")
    assert text(difference(f, g)) == expected
