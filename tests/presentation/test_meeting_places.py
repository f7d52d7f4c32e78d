"""Sums that agree at one place are one sum of differences, and keep the digits of the others."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.accuracy.measuring import digits_of_model
from symbackprop.accuracy.report import Verdict
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.targets.numpy.target import NUMPY

PULL = """
index i, j : N
index c : D
param x[i,c], m[i]
s[i,j] = sqrt(sum(c, (x[j,c] - x[i,c])^2) + 1e-4)
a[i,c] = sum(j, m[j]*(x[j,c] - x[i,c])/s[i,j]^3)
loss E = sum(i, c, a[i,c]^3)
"""


def test_what_each_pulls_at_itself_is_no_part_of_any_sum():
    """1/s^3 is a million where a body meets itself, which two sums would take off each other."""
    derived = loads(PULL, "pull").derive()
    assert "sum(j, (m[i]*delta_a[j,c] - delta_a[i,c]*m[j])/s[i,j]^3)" in derived.result_text()
    report = digits_of_model(NUMPY, parse_system(PULL, "pull"), wrt=["x"], budget=60)
    assert report.verdict is not Verdict.WORSE
    row = report.worst("x", "float32")
    assert row is not None and row.module < 1e-2


@pytest.mark.parametrize(
    "equation",
    [
        "sum(j, m[j]*(x[j] - x[i])*w[i,j])",
        "sum(j, exp(x[i] - x[j])*m[j]*w[i,j]*w[j,i])",
        "x[i]*sum(j, m[j]*w[i,j]) - m[i]*sum(j, x[j]*w[i,j])",
    ],
)
def test_gradients_are_those_of_what_was_typed(equation):
    text = f"index i, j : N\nparam x[i], m[i], w[i,j]\na[i] = {equation}\nloss E = sum(i, a[i]^2)\n"
    namespace: dict[str, object] = {}
    exec(loads(text, "typed").derive().to_numpy(), namespace)
    rng = np.random.default_rng(0)
    for size in (1, 3, 4):
        data = {"x": rng.normal(size=size), "m": rng.normal(size=size), "w": rng.normal(size=(size, size))}
        gradients = namespace["grad"](data)  # type: ignore[operator]
        for name, array in data.items():
            step = rng.normal(size=array.shape)
            ahead, behind = ({**data, name: array + h * step} for h in (1e-6, -1e-6))
            quotient = (namespace["loss"](ahead) - namespace["loss"](behind)) / 2e-6  # type: ignore[operator]
            assert np.sum(gradients[name] * step) == pytest.approx(quotient, rel=1e-6, abs=1e-7)
