"""Sums over first and last axes are products with ones, where the array lies in C order."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.buffers import three_address

HEAD = "index a : A\nindex b : B\nindex c, t : C\nparam x[a,b,c], w[a], v[c]\n"
OVER_FIRST = "y[c] = sum(a, b, x[a,b,c]^2)\nloss E = sum(c, y[c]^3)"
OVER_LAST = (
    "y[a,b] = sum(c, x[a,b,c]*v[c])\nz[a] = sum(b, c, exp(x[a,b,c]))\nloss E = sum(a, b, y[a,b]^2*z[a])"
)
OVER_MIDDLE = "y[a,c] = sum(b, x[a,b,c]^2)\nloss E = sum(a, c, y[a,c]^3)"
MEANS = "m[c] = mean(a, b, x[a,b,c])\nloss E = sum(c, m[c]^2) + sum(a, b, mean(c, x[a,b,c])^3)"
ROWS = "p[a,b,c] = exp(x[a,b,c])/sum(t, exp(x[a,b,t]))\nloss E = sum(a, b, c, p[a,b,c]^2*v[c])"


def made(text: str) -> ModuleType:
    return sb.loads(HEAD + text).derive().module(fast=True)


def steps(text: str) -> str:
    source = sb.loads(HEAD + text).derive().to_numpy(fast=True)
    return source.partition("    def step()")[2].partition("    return step")[0]


def given(sizes: tuple[int, int, int], dtype: Any = np.float64, offset: float = 0.0) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    shapes = {"x": sizes, "w": sizes[:1], "v": sizes[2:]}
    return {name: (offset + rng.normal(size=shape)).astype(dtype) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("text", "product"),
    [(OVER_FIRST, "ones.dot("), (OVER_LAST, ".dot(ones"), (ROWS, ".dot(ones")],
    ids=["first", "last", "rows"],
)
def test_a_sum_over_first_or_last_axes_is_a_product(text: str, product: str) -> None:
    assert product in steps(text)


def test_a_sum_over_the_axis_in_the_middle_stays_a_sum() -> None:
    assert "ones" not in steps(OVER_MIDDLE) and "np_add_reduce(" in steps(OVER_MIDDLE)


def test_so_does_one_of_an_array_in_another_order() -> None:
    """To add up what does not lie side by side BLAS would copy it."""
    text = "s[b,c] = sum(a, x[a,b,c])\nloss E = sum(c, v[c]*(s[0,c]*s[1,c] + exp(sum(b, s[b,c]))))"
    assert "ones.dot(" in steps(text)
    flipped = "s[b] = sum(a, x[a,b,size(c)-1]*w[a])\nloss E = sum(b, s[b]^2) + sum(b, sum(a, x[a,b,0])^2)"
    assert "np_add_reduce(x_view_2, axis=0" in steps(flipped)


@pytest.mark.parametrize("text", [OVER_FIRST, OVER_LAST, OVER_MIDDLE, ROWS])
@pytest.mark.parametrize("sizes", [(3, 4, 5), (1, 1, 1), (1, 4, 1), (7, 1, 2), (0, 2, 3), (2, 0, 3)])
def test_the_numbers_are_those_of_the_module_as_it_reads(text: str, sizes: tuple[int, int, int]) -> None:
    module = made(text)
    for dtype in (np.float64, np.float32):
        params = given(sizes, dtype)
        loss, gradients = module.bind(params)()
        expected, others = module.value_and_grad(params)
        eps = float(np.finfo(dtype).eps)
        np.testing.assert_allclose(loss, expected, rtol=50 * eps)
        for name, other in others.items():
            bound = 100 * eps * np.max(np.abs(other), initial=0.0)
            np.testing.assert_allclose(gradients[name], other, rtol=0, atol=bound)


@pytest.mark.parametrize("shape", [(40, 30, 20), (300, 1, 2), (1, 2, 500)])
def test_they_keep_as_many_digits(shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Float32 against float64, numbers around 30."""
    few = given(shape, np.float32, offset=30.0)
    exact = made(MEANS).value_and_grad({name: value.astype(np.float64) for name, value in few.items()})[1][
        "x"
    ]

    def error() -> float:
        return float(np.max(np.abs(made(MEANS).bind(few)()[1]["x"] - exact)))

    with_products = error()
    monkeypatch.setattr(three_address, "is_sum_of_rows", lambda value: False)
    assert with_products <= 2 * error()
