"""Shares by their logarithms, lg = g - logsumexp(g), beside sums of shares: none is greater than 1."""

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.overflow import is_at_most_1
from symbackprop.language.model import parse_system

MIXTURE = """index n : N
index k : K
input h[n,k]
param g[k]
lg[k] = g[k] - {total}
loss L = -mean(n, logsumexp(k, lg[k] + h[n,k]))
"""
TOTALS = ("logsumexp(k, g[k])", "log(sum(k, exp(g[k])))")


def _expected(g, h):
    """softmax(g) less the mean responsibility, in long doubles."""
    g, h = np.longdouble(g), np.longdouble(h)
    prior = np.exp(g - g.max()) / np.exp(g - g.max()).sum()
    joint = h + (g - g.max())
    shares = np.exp(joint - joint.max(axis=1, keepdims=True))
    return prior - (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)


@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize("shift", [0.0, -100.0, 100.0])
@pytest.mark.parametrize("scale", [1.0, 30.0, 200.0])
def test_the_prior_of_a_mixture_keeps_its_digits(total, shift, scale):
    module = sb.loads(MIXTURE.format(total=total)).derive().module()
    rng = np.random.default_rng(3)
    g, h = rng.normal(0.0, scale, 5) + shift, rng.normal(0.0, scale, (4, 5)) - 3 * shift
    found = module.value_and_grad({"g": g}, h=h)[1]["g"]
    np.testing.assert_allclose(found, np.float64(_expected(g, h)), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("g[k] - log(sum(l, exp(g[l])))", True),
        ("max(l, g[l]) - log(sum(l, exp(g[l])))", True),
        ("g[k] - log(sum(l, exp(2*g[l])))", False),
        ("g[k] + log(sum(l, exp(g[l])))", False),
        ("h[k] - log(sum(l, exp(g[l])))", False),
        ("h[k] + max(l, g[l] - max(m, g[m] + h[k]))", True),
        ("h[k] + max(l, g[l] - max(m, g[m]))", False),
        ("max(min(h[k], 0) + g[k], 0)", False),
    ],
)
def test_what_is_at_most_1(typed, expected):
    head = "index k, l, m : K\nparam g[k], h[k]\n"
    equation = parse_system(f"{head}y[k] = {typed}\n").definitions["y"]
    assert is_at_most_1(equation.expression, Meanings({})) is expected
