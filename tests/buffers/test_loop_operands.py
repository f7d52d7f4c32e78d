"""Transposed matrices that a loop multiplies by at each step are copied once, ahead of it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module

HEAD = "index t : T\nindex b : B\nindex i, j : J\ninput x[t,b,j]\n"
END = "loss E = sum(t, b, j, h[t,b,j]^2)"
RECURRENT = "param W[i,j]\nh[t,b,j] = tanh(x[t,b,j] + where(t > 0, sum(i, h[t-1,b,i]*W[i,j]), 0))\n"
# Not the same matrix at each step.
STEPPED = "param W[t,i,j]\nh[t,b,j] = tanh(x[t,b,j] + where(t > 0, sum(i, h[t-1,b,i]*W[t,i,j]), 0))\n"
# No step multiplies by the transpose.
AHEAD = "param W[i,j], w[j]\nu[t,b,j] = sum(i, x[t,b,i]*W[i,j])\n" + (
    "h[t,b,j] = tanh(u[t,b,j] + where(t > 0, h[t-1,b,j]*w[j], 0))\n"
)


def source_of(text: str) -> str:
    return sb.loads(HEAD + text + END).derive().to_numpy(fast=True)


def steps(source: str) -> str:
    return source.partition("    def step()")[2].partition("    return step")[0]


def test_what_each_step_multiplies_by_is_copied_ahead_of_the_loop() -> None:
    source = source_of(RECURRENT)
    assert (
        "_by_W_T_rows = _multiplying(None, W_T_rows, " in source
        and "_by_W = _multiplying(None, W, " in source
    )
    code = steps(source)
    assert code.count("np_copyto(W_T_rows, W_T)") == 1
    before, _, inside = code.partition("np_copyto(W_T_rows, W_T)\n")
    assert inside.lstrip().startswith("for t in reversed(") and "_by_W_T_rows(" in inside
    assert ".dot(W_T, " not in code and "_by_W(" in before


@pytest.mark.parametrize(
    "text", [STEPPED, AHEAD, RECURRENT.replace("b,", "")], ids=["own", "ahead", "vector"]
)
def test_nothing_else_is(text: str) -> None:
    head = HEAD.replace("b,", "") if text.count("b,") == 0 else HEAD
    end = END.replace("b, ", "").replace("b,", "") if head is not HEAD else END
    code = steps(sb.loads(head + text + end).derive().to_numpy(fast=True))
    assert "for t in reversed(" in code and "_rows" not in code


def given(sizes: tuple[int, int, int], dtype: Any) -> tuple[dict[str, Any], Any]:
    rng = np.random.default_rng(sum(sizes))
    steps, batch, width = sizes
    weights = rng.normal(size=(width, width)).astype(dtype) / 2
    return {"W": weights}, rng.normal(size=(steps, batch, width)).astype(dtype)


@pytest.fixture(scope="module")
def made() -> ModuleType:
    return load_module(source_of(RECURRENT), "recurrent")


@pytest.mark.parametrize("sizes", [(5, 4, 3), (3, 1, 2), (1, 2, 3), (0, 2, 3), (4, 0, 3), (2, 3, 1)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_those_of_the_plain_call(made: ModuleType, sizes: Any, dtype: Any) -> None:
    params, x = given(sizes, dtype)
    step = made.bind(params, x)
    for _ in range(2):
        loss, gradients = step()
        expected = made.value_and_grad(params, x)
        close = {"rtol": 200 * np.finfo(dtype).eps, "atol": 200 * np.finfo(dtype).eps}
        np.testing.assert_allclose(loss, expected[0], **close)
        np.testing.assert_allclose(gradients["W"], expected[1]["W"], **close)
        params["W"] *= 2.0  # in place: the next call copies it anew
