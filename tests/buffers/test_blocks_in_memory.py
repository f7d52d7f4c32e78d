"""Blocks of triangular arrays lie one behind another in memory, and are computed where they lie."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module

HEAD = (
    "index n : N\nindex a, b : A\nindex g : G\nindex c : C\nindex e : F\n"
    "input x[n,a,c]\nparam K[c,g,e], L[c,g,e], V[c,g,e]\n"
)
ROWS = "k[n,g,a,e] = sum(c, x[n,a,c]*K[c,g,e])\n" + (
    "l[n,g,a,e] = sum(c, x[n,a,c]*L[c,g,e])\nv[n,g,a,e] = sum(c, x[n,a,c]*V[c,g,e])\n"
)
SCORES = "s[n,g,a,b] = sum(e, k[n,g,a,e]*l[n,g,b,e])\n"
SOFT = "r[n,g,a,b] = where(b <= a, exp(s[n,g,a,b]), 0)\nw[n,g,a,b] = r[n,g,a,b]/sum(b, r[n,g,a,b])\n"
POLYNOMIAL = "w[n,g,a,b] = where(b < a, (1 + s[n,g,a,b])^3, 0)\n"
SATURATED = "w[n,g,a,b] = where(a >= b, tanh(2*s[n,g,a,b] - 1), 0)\n"
LOSS = (
    "o[n,g,a,e] = sum(b, w[n,g,a,b]*v[n,g,b,e])\nloss E = sum(n, g, a, e, (1 + a)*o[n,g,a,e]^2)/size(a)^2\n"
)
MODELS = {
    "softmax": HEAD + ROWS + SCORES + SOFT + LOSS,
    "a power, nothing on the diagonal": HEAD + ROWS + SCORES + POLYNOMIAL + LOSS,
    "a function of one number": HEAD + ROWS + SCORES + SATURATED + LOSS,
    "a term for all places": HEAD
    + ROWS
    + SCORES
    + SOFT
    + LOSS.replace("E = ", "E = sum(n, a, b, g, w[n,g,b,a]^2*x[n,a,0]) + "),
}


@cache
def module_of(name: str) -> ModuleType:
    return load_module(source_of(name), "blocks")


@cache
def source_of(name: str) -> str:
    return sb.loads(MODELS[name], "blocks").derive().to_numpy(fast=True)


def steps(name: str) -> str:
    return source_of(name).partition("def _steps")[2].partition("def _loss_steps")[0]


def given(rows: int, dtype: Any, seed: int) -> tuple[dict[str, Any], Any]:
    rng = np.random.default_rng(seed)
    params = {name: rng.normal(size=(3, 2, 4)).astype(dtype) / 3 for name in ("K", "L", "V")}
    return params, rng.normal(size=(2, rows, 3)).astype(dtype)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("rows", [1, 64, 65, 130])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_blocks_give_what_whole_arrays_do(name: str, rows: int, dtype: Any) -> None:
    """Where a workspace is used again, for other data too."""
    module = module_of(name)
    memory = module.workspace()
    for seed in (1, 2):
        params, x = given(rows, dtype, seed)
        loss, grads = module.value_and_grad(params, x)
        for _ in range(2):
            fast, found = module.value_and_grad(params, x, workspace=memory)
            tolerance = 1e-10 if dtype is np.float64 else 2e-3
            np.testing.assert_allclose(fast, loss, rtol=tolerance)
            for each, grad in grads.items():
                scale = float(np.max(np.abs(grad))) + 1e-30
                np.testing.assert_allclose(found[each] / scale, grad / scale, atol=tolerance)
                assert found[each].dtype == dtype


@pytest.mark.parametrize("name", ["softmax", "a function of one number"])
def test_a_triangle_is_packed_and_computed_where_it_lies(name: str) -> None:
    code = steps(name)
    assert "w_memory = memory[" in code and "(A**2 + 64 * A) // 2" in code
    assert "w_start = N * G * (start * (start + 64) // 2)" in code.replace("G * N", "N * G")
    assert " w[:, start" not in code
    function = "np_exp(" if name == "softmax" else "np_tanh("
    (line,) = [line for line in code.splitlines() if line.strip().startswith(function)]
    first, second = line.strip().removeprefix(function).removesuffix(")").split(", ")
    assert first == second


def test_what_is_read_as_a_whole_is_not() -> None:
    assert "w_memory" not in steps("a term for all places")


def test_no_array_is_copied_onto_itself() -> None:
    for name in MODELS:
        same: dict[str, str] = {}
        for line in steps(name).splitlines():
            left, equals, right = line.strip().partition(" = ")
            if equals and right.isidentifier():
                same[left] = same.get(right, right)
            if line.strip().startswith("np_copyto(") and "where=" not in line:
                onto, _, what = line.strip().removeprefix("np_copyto(").removesuffix(")").partition(", ")
                assert same.get(onto, onto) != same.get(what, what), line


def test_products_within_others_are_computed_by_blocks() -> None:
    """K's gradient is x times a product of a triangle, which has rows and columns of its own."""
    code = steps("softmax")
    assert "grad_K_part" in code
    inside = code.partition("for start in range(0, A, 64):")[2]
    assert "grad_K_part" in inside


def test_an_array_in_another_order_is_copied_once() -> None:
    """Both of W's products want o by rows; near miss: o is read as it is behind the first."""
    text = (
        "index n : N\nindex t, s : T\nindex h : H\nindex e : E\nindex i : I\n"
        "input p[n,h,t,s], x[n,h,s,e]\nparam W[h,e,i]\n"
        "o[n,h,t,e] = sum(s, p[n,h,t,s]*x[n,h,s,e])\n"
        "y[n,t,i] = sum(h, e, o[n,h,t,e]*W[h,e,i])\n"
        "loss E = sum(n, t, i, y[n,t,i]^3)\n"
    )
    code = sb.loads(text, "copied").derive().to_numpy(fast=True)
    steps = code.partition("def _steps")[2].partition("def _loss_steps")[0]
    assert steps.count(", o.transpose(0, 2, 1, 3))") == 1
    assert "# grad_W[h,e,i] = " in steps
    again = text.replace("E = ", "E = sum(n, h, t, e, sin(o[n,h,t,e])) + ")
    code = sb.loads(again, "read").derive().to_numpy(fast=True)
    steps = code.partition("def _steps")[2].partition("def _loss_steps")[0]
    assert steps.count(", o.transpose(0, 2, 1, 3))") == 2
