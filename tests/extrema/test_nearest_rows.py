"""Least squared distances by the nearest row: forms, near-misses, ties, and the helper's choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from symbackprop.emission.loading import load_module
from symbackprop.pipeline import loads
from tests.lowering.array_models import check

AXES = "index n : N\nindex b : B\nindex t : T\nindex k, l : K\nindex i, j : I\n"
SIZES = dict(N=5, B=3, T=2, K=4, I=3)
ONES = dict(N=1, B=1, T=1, K=1, I=1)
EMPTY = {**SIZES, "N": 0, "I": 0}
LEAST = "input x[n,i], c[k,i]\n"

FOUND = {
    "the least": LEAST + "y[n] = min(k, sum(i, (c[k,i] - x[n,i])^2))",
    "the other way round": LEAST + "y[n] = min(k, sum(i, (x[n,i] - c[k,i])^2))",
    "to each row": LEAST + "y[k] = min(n, sum(i, (x[n,i] - c[k,i])^2))",
    "both ways": LEAST + "y = sum(n, min(k, sum(i, (x[n,i] - c[k,i])^2)))"
    " + sum(k, min(n, sum(i, (x[n,i] - c[k,i])^2)))",
    "rows as columns": "input x[i,n], c[i,k]\ny[n] = min(k, sum(i, (c[i,k] - x[i,n])^2))",
    "points on a grid": "input x[b,t,i], c[k,i]\ny[t,b] = min(k, sum(i, (c[k,i] - x[b,t,i])^2))",
    "a number in front": LEAST + "y[n] = 3*min(k, 0.5*sum(i, (c[k,i] - x[n,i])^2))",
    "the place alone": LEAST
    + "y[l,i] = sum(n, x[n,i]*where(argmax(k, -sum(j, (c[k,j] - x[n,j])^2)) == l, 1, 0))",
    "the row itself": LEAST + "input d[k,i]\n"
    "y[n,i] = sum(l, where(argmax(k, -sum(j, (c[k,j] - x[n,j])^2)) == l, d[l,i], 0))",
    "computed points": "input x[n,j], w[j,i], c[k,i]\nz[n,i] = sum(j, x[n,j]*w[j,i])\n"
    "y[n] = min(k, sum(i, (c[k,i] - z[n,i])^2))",
}
AS_THEY_ARE = {
    "the largest": LEAST + "y[n] = max(k, sum(i, (c[k,i] - x[n,i])^2))",
    "absolute differences": LEAST + "y[n] = min(k, sum(i, abs(c[k,i] - x[n,i])))",
    "a sum": LEAST + "y[n] = min(k, sum(i, (c[k,i] + x[n,i])^2))",
    "weighted": LEAST + "input w[i]\ny[n] = min(k, sum(i, w[i]*(c[k,i] - x[n,i])^2))",
    "rows of a batch": "input x[b,n,i], c[b,k,i]\ny[b,n] = min(k, sum(i, (c[b,k,i] - x[b,n,i])^2))",
    "one point": "input x[i], c[k,i]\ny = min(k, sum(i, (c[k,i] - x[i])^2))",
    "distances that the model names": LEAST
    + "q[n,k] = sum(i, (c[k,i] - x[n,i])^2)\ny[n] = min(k, q[n,k]) + sum(k, q[n,k])",
}


@pytest.mark.parametrize("form", {**FOUND, **AS_THEY_ARE})
def test_forms(form: str) -> None:
    text = f"{AXES}{({**FOUND, **AS_THEY_ARE})[form]}\n"
    for sizes, dtype in ((SIZES, np.float64), (ONES, np.float64), (SIZES, np.float32)):
        source = check(text, sizes, dtype)
        assert ("nearest(" in source) == (form in FOUND)
    if "to each row" not in form and "both" not in form:
        check(text, EMPTY, np.float64)


GRADIENTS = {
    "k_means": "input x[n,i]\nparam c[k,i]\nloss E = sum(n, min(k, sum(i, (c[k,i] - x[n,i])^2)))\n",
    "code_book": "input x[b,t,i]\nparam w[i,j], c[k,j]\nz[b,t,j] = tanh(sum(i, x[b,t,i]*w[i,j]))\n"
    "loss E = mean(b, t, min(k, sum(j, (z[b,t,j] - c[k,j])^2))/4)\n",
    "chamfer": "param x[n,i], c[k,i]\nloss E = mean(n, min(k, sum(i, (x[n,i] - c[k,i])^2)))"
    " + mean(k, min(n, sum(i, (x[n,i] - c[k,i])^2)))\n",
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_need_no_array_of_all_differences(name: str) -> None:
    """`module` holds loss and gradients against the equations."""
    module = loads(AXES + GRADIENTS[name], name).derive().module()
    fast = loads(AXES + GRADIENTS[name], name).derive().module(fast=True)
    assert hasattr(module, "nearest") and hasattr(fast, "bind")
    source = loads(AXES + GRADIENTS[name], name).derive().to_numpy(verify=False)
    assert "== np.arange" not in source


def test_what_is_divided_by_is_counted_at_places() -> None:
    nearest = "where(argmax(l, -sum(j, (c[l,j] - x[n,j])^2)) == k"
    text = f"{LEAST}y[k,i] = sum(n, {nearest}, x[n,i], 0))/(sum(n, {nearest}, 1, 0)) + 0.5)\n"
    assert "== np.arange" not in check(AXES + text, SIZES, np.float64)


def module_nearest() -> Any:
    return load_module(loads(AXES + GRADIENTS["k_means"], "q").derive().to_numpy(verify=False), "q").nearest


def plainly(points: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    return np.array([np.argmin(np.sum((rows - point) ** 2, axis=1)) for point in points])


def drawn(kind: str, dtype: type, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Points and rows; 700 times 40, so that products are asked."""
    rng = np.random.default_rng(seed)
    width = (1, 3, 40)[seed % 3]
    points, rows = rng.normal(size=(700, width)), rng.normal(size=(40, width))
    match kind:
        case "a grid of ties":
            points, rows = np.rint(points), np.rint(rows)
        case "equal rows":
            rows[20:] = rows[:20]
        case "an offset":
            points, rows = points + 1e6, rows + 1e6
        case "far points":
            points = points + 1e4
        case "a scale":
            points, rows = points * 1e-170, rows * 1e-170
        case "huge":
            points, rows = points * 1e160, rows * 1e160
        case "one ulp apart":
            rows[20:] = np.nextafter(rows[:20].astype(dtype), np.array(9.0, dtype))
        case "not finite":
            points[::7, 0], points[1::7, 0], points[2::7, 0] = np.nan, np.inf, -np.inf
        case "a row that is not finite":
            rows[5, 0], rows[9, 0] = (np.nan, np.inf) if seed % 2 else (np.inf, -np.inf)
    with np.errstate(over="ignore", under="ignore"):
        return points.astype(dtype), rows.astype(dtype)


KINDS = ("plain", "a grid of ties", "equal rows", "an offset", "far points", "a scale", "huge")
KINDS = (*KINDS, "one ulp apart", "not finite", "a row that is not finite")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:overflow")
def test_the_choice_is_that_of_the_sums(kind: str) -> None:
    """The first row at the least rounded sum, whatever the products round to."""
    nearest = module_nearest()
    for dtype in (np.float64, np.float32):
        for seed in range(6):
            points, rows = drawn(kind, dtype, seed)
            np.testing.assert_array_equal(nearest(points, rows), plainly(points, rows))
            np.testing.assert_array_equal(nearest(points[:, None], rows)[:, 0], plainly(points, rows))


def test_blocks_of_one_point() -> None:
    rng = np.random.default_rng(0)
    points, rows = rng.normal(size=(7, 2)), rng.normal(size=(70000, 2))
    np.testing.assert_array_equal(module_nearest()(points, rows), plainly(points, rows))


def test_an_axis_without_rows_is_an_error() -> None:
    module = load_module(loads(AXES + GRADIENTS["k_means"], "q").derive().to_numpy(verify=False), "q")
    with pytest.raises(ValueError, match=r"min over k in E_nearest.n.: axis K is empty"):
        module.loss({"c": np.ones((0, 3))}, np.ones((4, 3)))
