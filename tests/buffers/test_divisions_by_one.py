"""A batch of one: what divides an array by its size, where it lies, is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb

HEAD = "index n : N\nindex i : I\nindex k : K\ninput x[n,i]\ntarget d[n,k]\nparam W[i,k]\n"
MEAN = "y[n,k] = sum(i, x[n,i]*W[i,k])\nloss E = sum(n, k, (y[n,k] - d[n,k])^2)/(2*size(n))"
CENTRED = "m[k] = mean(n, d[n,k])\nloss E = sum(n, k, exp(m[k])*sum(i, x[n,i]*W[i,k])^2)/size(n)"
OVER_FEATURES = "y[n,k] = sum(i, x[n,i]*W[i,k])\nloss E = sum(n, k, (y[n,k] - mean(k, y[n,k]))^2*d[n,k])"
OF_AN_INPUT = "p[n,i] = x[n,i]/size(n)\nloss E = sum(n, k, exp(sum(i, p[n,i]*W[i,k])))"


def steps(text: str) -> str:
    source = sb.loads(HEAD + text).derive().to_numpy(fast=True)
    return source.partition("    def step()")[2].partition("    return step")[0]


@pytest.mark.parametrize("text", [MEAN, CENTRED])
def test_a_division_where_an_array_lies_is_left_out(text: str) -> None:
    assert "        if N_or_1 != 1:\n            np_divide(" in steps(text)


@pytest.mark.parametrize("text", [OVER_FEATURES, OF_AN_INPUT])
def test_one_by_a_size_of_parameters_or_into_another_array_is_not(text: str) -> None:
    assert "np_divide(" in steps(text) and "!= 1" not in steps(text)


@pytest.mark.parametrize("text", [MEAN, CENTRED, OVER_FEATURES, OF_AN_INPUT])
def test_the_numbers_are_those_of_the_module_as_it_reads(text: str) -> None:
    module: Any = sb.loads(HEAD + text).derive().module(fast=True)
    for sizes in ((1, 2, 3), (1, 1, 1), (2, 3, 1), (5, 2, 4)):
        rng, lengths = np.random.default_rng(sum(sizes)), dict(zip("NIK", sizes, strict=True))
        x, d, W = (
            rng.normal(size=[lengths[axis] for axis in module.SHAPES[name]]) for name in ("x", "d", "W")
        )
        given = [each for name, each in (("x", x), ("d", d)) if name in module.INPUTS + module.TARGETS]
        step = module.bind({"W": W}, *given)
        for _ in range(2):
            loss, gradients = step()
            expected, others = module.value_and_grad({"W": W}, *given)
            np.testing.assert_allclose(loss, expected, rtol=1e-12)
            np.testing.assert_allclose(gradients["W"], others["W"], rtol=1e-11, atol=1e-12)
            W *= 0.5
