"""A difference from a mean has a mean of 0 to the last digit where a gradient rests on that, else not."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lesson.rulebook.examples import parsed
from symbackprop.notation.expressions import Reduction
from symbackprop.schedule.driver import schedule_of
from symbackprop.semantics.evaluation import evaluate
from symbackprop.stability.centring import DifferenceFromMean, centred_differences, centring_rule
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation
from symbackprop.targets.numpy.target import NUMPY

NAMES = """
index b, b2, i : B
index c : C
index t : T
input x[b,c], S[b,i], g[b,c], u[t,b,c]
param w[c]
m[c] = mean(b, x[b,c])
M = mean(b, c, x[b,c])
k[c] = sum(b, x[b,c])/size(c)
n[c] = mean(b, g[b,c]*x[b,c])
r[t,b2] = mean(c, u[t,b2,c])
loss E = sum(c, m[c]*k[c]*n[c])*M
"""


@pytest.mark.parametrize(
    ("formula", "over"),
    [
        ("x[b,c] - m[c]", "b"),
        ("m[c] - x[b,c]", "b"),
        ("x[b,c]*(x[b2,c] - m[c])^2", "b2"),
        ("x[b,c] - sum(b2, x[b2,c])/size(b)", "b"),
        ("x[b,c] - M", "b c"),
        ("g[b,c]*x[b,c] - n[c]", "b"),
        ("x[b,c] + g[b,c] - mean(b2, x[b2,c] + g[b2,c])", "b"),
        ("u[0,b,c] - r[0,b]", "c"),
        ("x[b,c] - 2*m[c]", ""),
        ("x[b,c] - k[c]", ""),
        ("g[b,c] - m[c]", ""),
        ("x[b,c] - n[c]", ""),
        ("x[0,c] - m[c]", ""),
        ("S[b,b] - mean(i, S[b,i])", ""),
        ("S[b,b] - mean(b2, i, S[b2,i])", ""),
        ("x[b,c] - max(b2, x[b2,c])", ""),
    ],
)
def test_differences_from_their_own_mean(formula: str, over: str) -> None:
    system = parse_system(NAMES)
    found = list(centred_differences(parse_expression(formula, system), system.definitions))
    assert [" ".join(index.name for index in indices) for _, indices in found] == ([over] if over else [])
    for difference, indices in found:
        rest = tuple(sorted(difference.free_indices - {*indices}, key=str))
        total = Equation("total", rest, Reduction("sum", indices, difference))
        shapes = {"x": (4, 3), "g": (4, 3), "S": (4, 4), "u": (2, 4, 3), "w": (3,)}
        rng = np.random.default_rng(0)
        values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        found_values = evaluate(
            replace(system, equations=(*system.equations, total)), values, {"B": 4, "C": 3, "T": 2}
        )
        assert np.allclose(found_values["total"], 0, atol=1e-12)


NORM = """
index b : B
index c : C
input x[b,c]
const g[b,c]
param gamma[c]
"""
# What the gradient reads, and where it goes, decides.
MODELS = {
    "layer norm": (
        "mu[b] = mean(c, x[b,c])\ns[b] = sqrt(mean(c, (x[b,c] - mu[b])^2) + 1e-5)\n"
        "xhat[b,c] = (x[b,c] - mu[b])/s[b]\nloss E = sum(b, c, g[b,c]*xhat[b,c]^2)",
        ("x",),
        {"s", "xhat"},
    ),
    "its xhat has no name": (
        "mu[b] = sum(c, x[b,c])/size(c)\n"
        "y[b,c] = gamma[c]*(x[b,c] - mu[b])/sqrt(mean(c, (x[b,c] - mu[b])^2) + 1e-5)\n"
        "loss E = sum(b, c, g[b,c]*y[b,c]^2)",
        ("x",),
        {"s_y", "xhat_y"},
    ),
    "only a multiple of xhat is read": (
        "mu[b] = mean(c, x[b,c])\nv[b] = mean(c, (mu[b] - x[b,c])^2)\ns[b] = sqrt(v[b] + 1e-5)\n"
        "xhat[b,c] = (x[b,c] - mu[b])/s[b]\ny[b,c] = gamma[c]*xhat[b,c]\n"
        "loss E = sum(b, c, g[b,c]*y[b,c]^2)",
        ("x",),
        {"v", "xhat"},
    ),
    "the difference has a name": (
        "d[b,c] = x[b,c] - mean(c, x[b,c])\nv[b] = mean(c, d[b,c]^2)\n"
        "loss E = sum(b, c, g[b,c]*d[b,c])/(1 + sum(b, v[b]))",
        ("x",),
        {"d"},
    ),
    "in a recurrence": (
        "index t : T = 2\na[t,c] = x[0,c] + gamma[c]*pad(h[t-1,c])\nmu[t] = mean(c, a[t,c])\n"
        "s[t] = sqrt(mean(c, (a[t,c] - mu[t])^2) + 1e-3)\nh[t,c] = tanh((a[t,c] - mu[t])/s[t])\n"
        "loss E = sum(t, c, g[0,c]*h[t,c])",
        ("x",),
        {"s", "xhat_h"},
    ),
    "a variance": ("loss E = sum(b, c, g[0,c]*(x[b,c] - mean(b, x[b,c]))^2)", ("x",), {"E", "grad_x"}),
    "one that it is multiplied by": (
        "m[c] = mean(b, g[b,c])\nk[c] = mean(b, (g[b,c] - m[c])*(x[b,c] - mean(b, x[b,c])))\n"
        "loss E = sum(c, gamma[c]*k[c]^2)",
        ("x",),
        {"k", "grad_x"},
    ),
    "multiples of both have names": (
        "xc[b,c] = x[b,c] - mean(b, x[b,c])\nm[c] = mean(b, g[b,c])\n"
        "z[b,c] = (g[b,c] - m[c])/sqrt(mean(b, (g[b,c] - m[c])^2) + 1e-2)\n"
        "loss E = sum(b, c, gamma[c]*xc[b,c]*z[b,c])^2",
        ("x",),
        {"xc", "z", "s_z"},
    ),
    "multiplied by one over another axis": (
        "loss E = sum(b, c, (g[b,c] - mean(b, g[b,c]))*(x[b,c] - mean(c, x[b,c])))",
        ("x",),
        set(),
    ),
    "multiplied by what is no difference": (
        "loss E = sum(b, c, (g[b,c] - mean(b, g[b,c]))*x[b,c])",
        ("x",),
        set(),
    ),
    "the first of two norms": (
        "mx[b] = mean(c, x[b,c])\nn[b,c] = (x[b,c] - mx[b])/sqrt(mean(c, (x[b,c] - mx[b])^2) + 1e-2)\n"
        "u[b,c] = gamma[c]*n[b,c] + g[b,c]\nmu[b] = mean(c, u[b,c])\n"
        "k[b,c] = (u[b,c] - mu[b])/sqrt(mean(c, (u[b,c] - mu[b])^2) + 1e-2)\n"
        "loss E = sum(b, c, k[b,c]*g[b,c])",
        ("gamma",),
        {"s_n", "n", "s_k", "k"},
    ),
    "two norms over other axes": (
        "mx[c] = mean(b, x[b,c])\nn[b,c] = (x[b,c] - mx[c])/sqrt(mean(b, (x[b,c] - mx[c])^2) + 1e-2)\n"
        "u[b,c] = gamma[c]*n[b,c] + g[b,c]\nmu[b] = mean(c, u[b,c])\n"
        "k[b,c] = (u[b,c] - mu[b])/sqrt(mean(c, (u[b,c] - mu[b])^2) + 1e-2)\n"
        "loss E = sum(b, c, k[b,c]*g[b,c])",
        ("gamma",),
        {"s_k", "k"},
    ),
    "the gradient does not read it": ("loss E = sum(b, c, g[b,c]*(x[b,c] - mean(b, x[b,c])))", ("x",), set()),
    "the gradient does not go through it": (
        "d[b,c] = x[b,c] - mean(b, x[b,c])\nloss E = sum(b, c, gamma[c]*g[b,c]*d[b,c]^2)",
        ("gamma",),
        set(),
    ),
}


# In a recurrence each step rounds numbers around 1e4.
FAR_FROM_0 = [
    name for name, (_, wrt, where) in MODELS.items() if where and "x" in wrt and name != "in a recurrence"
]
OF_DATA = ("one that it is multiplied by", "multiples of both have names")


@cache
def derived(name: str) -> Derivation:
    equations, wrt, _ = MODELS[name]
    return derive(parse_system(NORM + equations), wrt)


@cache
def module(name: str) -> Any:
    return NUMPY.load(NUMPY.emitted(derived(name)).text, "norm")


@pytest.mark.parametrize("name", MODELS)
def test_where_a_difference_is_centred_again(name: str) -> None:
    found = {
        item.origin.source.tensor
        for item in schedule_of(derived(name)).equations
        for step in item.origin.steps
        if step.rule.name == "centre again"
    }
    assert found == MODELS[name][2]


@pytest.mark.parametrize("name", FAR_FROM_0)
@pytest.mark.parametrize("shape", [(3, 4), (1, 3)])
def test_float32_keeps_its_digits_far_from_0(name: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    data = {"x": 1e4 + rng.normal(size=shape), "g": 1 + rng.normal(size=shape)}
    if name in OF_DATA:
        data["g"] += 1e4
    params = {"gamma": rng.normal(size=shape[1])}
    short = {key: value.astype(np.float32) for key, value in {**data, **params}.items()}
    long = {key: value.astype(np.float64) for key, value in short.items()}
    ours, exact = (
        module(name).grad({"gamma": each["gamma"]}, each["x"], each["g"])["x"] for each in (short, long)
    )
    assert np.max(np.abs(ours - exact)) <= 1e-5 * max(1, np.max(np.abs(exact)))


def test_the_rule_is_an_equality() -> None:
    difference = parsed("x[i] - sum(i2, x[i2])/size(i)")
    (index,) = difference.free_indices
    rule = centring_rule(DifferenceFromMean(difference, (index,)))
    after = rule.apply(difference)
    assert after is not None
    assert text(after) == (
        "(x[i] - sum(i2, x[i2])/size(i)) - sum(i', x[i'] - sum(i2, x[i2])/size(i))/size(i)"
    )
    assert rule.apply(parsed("x[i] - sum(i2, x[i2])")) is None
    assert rule.apply(parsed("y[j] - sum(j2, y[j2])/size(j)")) is None
