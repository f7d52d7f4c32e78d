"""Sums of a value and of its weighted mean n/d, n = sum(i, e*v), as one sum of differences."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lowering.programs import lower
from symbackprop.presentation.means.summed import NamedMeans, factored, gathered
from symbackprop.systems.printing import equation_text, text
from tests.models.whole_language.judge import judged
from tests.programs import numpy_source

SYSTEM = parse_system(
    "index i, j : I\nindex n, m : N\nindex k : K\nparam w[n,i], x[i], g[n], a, h[i], b[n,k]\n"
    "t[n] = sum(i, w[n,i]*x[i])\nd[n] = sum(i, w[n,i])\no[n] = a*t[n]/d[n]\nr[n] = g[n]*a/d[n]\n"
    "loss E = sum(n, o[n] + r[n])*sum(i, h[i])*sum(n, k, b[n,k])\n"
)
NAMES = NamedMeans.of(SYSTEM.equations)


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        (
            "sum(n, g[n]*w[n,i])*x[i] - sum(n, g[n]*w[n,i]*t[n]/d[n])",
            "sum(n, g[n]*w[n,i]*(x[i] - t[n]/d[n]))",
        ),
        ("sum(i, w[n,i]*x[i]^2) - t[n]^2/d[n]", "sum(i, w[n,i]*x[i]*(x[i] - t[n]/d[n]))"),
        ("a*t[n]^2/d[n] - a*sum(i, w[n,i]*x[i]^2)", "-a*sum(i, w[n,i]*x[i]*(x[i] - t[n]/d[n]))"),
        (
            "sum(n, where(n >= 2, r[n]*w[n,i], 0))*x[i] - sum(n, where(n >= 2, g[n]*w[n,i]*o[n]/d[n], 0))",
            "sum(n, where(n >= 2, r[n]*w[n,i]*(x[i] - t[n]/d[n]), 0))",
        ),
        (
            "sum(i, w[n,i]*x[i]*h[i]) - t[n]*sum(i, w[n,i]*h[i])/d[n]",
            "sum(i, w[n,i]*x[i]*(h[i] - sum(i, w[n,i]*h[i])/d[n]))",
        ),
        # Another value, another sign, another factor; an array of n, k and i, which is nowhere else.
        ("sum(n, g[n]*w[n,i])*h[i] - sum(n, g[n]*w[n,i]*t[n]/d[n])", None),
        ("sum(i, w[n,i]*x[i]^2) + t[n]^2/d[n]", None),
        ("sum(i, w[n,i]*x[i]^2) - 2*t[n]^2/d[n]", None),
        ("sum(i, w[n,i]*x[i]^2) - a*t[n]/d[n]", None),
        ("sum(n, g[n]*b[n,k])*x[i] - sum(n, g[n]*b[n,k]*t[n]/d[n])", None),
    ],
)
def test_a_value_and_its_mean_are_summed_together(terms: str, found: str | None) -> None:
    together = gathered(parse_expression(terms, SYSTEM), NAMES)
    assert (together and text(together[0])) == found


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ("r[n]*w[n,i]*x[i] - g[n]*w[n,i]*o[n]/d[n]", "r[n]*w[n,i]*(x[i] - t[n]/d[n])"),
        ("h[i] + a*g[n]*o[n] - a^2*g[n]*x[i]", None),
        ("r[n]*w[n,i]*h[i] - g[n]*w[n,i]*o[n]/d[n]", None),
        ("x[i] - t[n]/d[n]", None),
    ],
)
def test_a_value_and_its_mean_are_one_factor(terms: str, found: str | None) -> None:
    together = factored(parse_expression(terms, SYSTEM), NAMES)
    assert (together and text(together[0])) == found


def test_names_of_quotients_that_read_each_other_come_to_an_end() -> None:
    system = parse_system(
        "index t : T\nparam a[t], c\nq[t] = c*where(t > 0, q[t-1], 1)/a[t]\nloss E = sum(t, q[t])\n"
    )
    difference = parse_expression("q[t]*a[t] - c*q[t]", system)
    assert gathered(difference, NamedMeans.of(system.equations)) is None


KERNEL = "index t, s : T\nparam k[s], v[s], w[t,s]\ninput y[t]\n"
MODELS = [
    "num[t] = sum(s, exp(k[s])*exp(w[t,s])*v[s])\nden[t] = sum(s, exp(k[s])*exp(w[t,s]))\n"
    "loss L = mean(t, (num[t]/den[t] - y[t])^2)\n",
    "num[t] = sum(s, where(s <= t, exp(k[s] + w[t,s])*v[s], 0))\n"
    "den[t] = sum(s, where(s <= t, exp(k[s] + w[t,s]), 0))\n"
    "loss L = sum(t, (sigmoid(y[t])*num[t]/den[t] - y[t])^2)\n",
]


@pytest.mark.parametrize("equations", MODELS)
def test_attention_without_queries_and_keys_is_a_difference_from_the_mean(equations: str) -> None:
    """Of two names, dE/dnum and dE/dden, one hid the mean; values that are far from 0 lost their digits."""
    derivation = derive(parse_system(KERNEL + equations))
    forms = {each.tensor: equation_text(each) for each in derivation.equations}
    assert all("v[s] - num[t]/den[t]" in forms[name] for name in ("grad_k", "grad_w")), forms
    assert replayed(derivation)
    for data in ("T=3 seed=1 kind=normal", "T=1 seed=2 kind=normal"):
        verdict = judged(f"{KERNEL}{equations}# data {data}\n")
        assert verdict.outcome == "right", f"{verdict.kind}\n{verdict.detail}"


def test_a_slope_in_an_exponential_gives_a_covariance_that_far_values_leave_alone() -> None:
    """E[x^2] - E[x]^2 at x about 1e6 has four digits of float64 less than E[x*(x - E[x])]."""
    model = (
        "index s : S\ninput x[s], y\nparam a\nnum = sum(s, exp(a*x[s])*x[s])\nden = sum(s, exp(a*x[s]))\n"
        "loss L = num/den - y\n"
    )
    derivation = derive(parse_system(model))
    (form,) = [equation_text(each) for each in derivation.equations if each.tensor == "grad_a"]
    assert form == "grad_a = sum(s, exp(a*x[s])*x[s]*(x[s] - num/den))/den"
    module = load_module(numpy_source(lower(derivation)), "tilted")
    x = 2.0**20 + np.array([0.0, 1.0, 3.0])
    _, found = module.value_and_grad({"a": np.float64(0.5)}, x=x, y=np.float64(1.0))
    weights = np.exp(0.5 * (x - x.max()))
    weights /= weights.sum()
    centred = x - 2.0**20
    variance = np.sum(weights * (centred - np.sum(weights * centred)) ** 2)
    assert abs(float(found["a"]) - variance) < 1e-9 * variance
