"""Choices and products that are written otherwise, for memory's sake: the same numbers to the bit."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from tests.buffers.test_sums import HEAD, steps

MASKED = (
    "input m[b,c]\ns[a,b,c] = x[a,b,c]*w[a]\ny[a,b,c] = where({mask} > 0, s[a,b,c], 0)\n"
    "loss E = sum(a, b, c, y[a,b,c]^3)"
)
HEADS = (
    "index b : B\nindex h : H\nindex t : T\nindex e : D\nindex i : I\ninput d[b,t,i]\n"
    "param O[{order}], w[h]\ny[h,e,i] = sum(b, t, O[{order}]*d[b,t,i])\n"
    "loss E = sum(h, e, i, w[h]*y[h,e,i]^2)\n"
)


def test_a_number_goes_where_a_small_mask_is_false() -> None:
    found = steps(MASKED.format(mask="m[b,c]"))
    assert "np_logical_not(" in found and ", 0.0, where=" in found


def test_a_mask_of_all_elements_stays_as_it_is() -> None:
    assert "np_logical_not(" not in steps(MASKED.format(mask="x[a,b,c]"))


@pytest.mark.parametrize("mask", ["m[b,c]", "x[a,b,c]"])
def test_choices_are_the_same(mask: str) -> None:
    derived = sb.loads(HEAD + MASKED.format(mask=mask)).derive()
    rng = np.random.default_rng(0)
    x, w, v, m = (rng.normal(size=shape) for shape in ((3, 4, 5), 3, 5, (4, 5)))
    x[0, 1, 2], m[1, 2] = np.inf, -1.0
    params = {"x": x, "w": w, "v": v}
    with np.errstate(invalid="ignore", over="ignore"):
        loss, gradients = derived.module().value_and_grad(params, m)
        again, others = derived.module(fast=True).bind(params, m)()
    np.testing.assert_allclose(again, loss, rtol=1e-14)
    for name, wanted in gradients.items():
        np.testing.assert_allclose(others[name], wanted, rtol=1e-13)


@pytest.mark.parametrize(("order", "is_turned"), [("b,h,t,e", True), ("e,b,h,t", False), ("h,b,e,t", False)])
def test_a_copy_for_a_product_keeps_the_last_axis_the_last(order: str, is_turned: bool) -> None:
    derived = sb.loads(HEADS.format(order=order)).derive(wrt=["w"])
    source = derived.to_numpy(fast=True)
    assert ("y_part_view = work.reshape(B * T, H * D).T" in source) is is_turned
    sizes, rng = dict(b=2, h=3, t=4, e=5, i=6), np.random.default_rng(0)
    params = {"O": rng.normal(size=[sizes[axis] for axis in order.split(",")]), "w": rng.normal(size=3)}
    d = rng.normal(size=(2, 4, 6))
    loss, gradients = derived.module().value_and_grad(params, d)
    again, others = derived.module(fast=True).bind(params, d)()
    np.testing.assert_allclose(again, loss, rtol=1e-14)
    np.testing.assert_allclose(others["w"], gradients["w"], rtol=1e-13)


LOOKUPS = (
    "index b : B\nindex v : V\nindex e, f : D = 3\nindex k : K\ninput ids[b] in V\nparam C[v,e], w[e,b]\n"
    "y[b,e] = C[ids[b],e]*w[mod(e+1,3),b]\nloss E = sum(b, e, y[b,e]^3)\n"
)


def test_look_ups_along_one_axis_are_taken_into_memory_that_is_there() -> None:
    source = sb.loads(LOOKUPS).derive().to_numpy(fast=True)
    found = source.partition("    def step()")[2].partition("    return step")[0]
    assert found.count('mode="clip")') == found.count("np_take(") >= 2


def test_what_is_taken_is_what_is_looked_up() -> None:
    derived, rng = sb.loads(LOOKUPS).derive(), np.random.default_rng(0)
    params, ids = {"C": rng.normal(size=(5, 3)), "w": rng.normal(size=(3, 4))}, np.array([4, 0, 4, 2])
    step = derived.module(fast=True).bind(params, ids)
    for _ in range(2):
        loss, gradients = derived.module().value_and_grad(params, ids)
        again, others = step()
        np.testing.assert_allclose(again, loss, rtol=1e-14)
        for name, wanted in gradients.items():
            np.testing.assert_allclose(others[name], wanted, rtol=1e-13)
        ids[:] = [1, 1, 3, 0]
    ids[2] = 5
    with pytest.raises(ValueError, match="ids: expected values from 0 to 4"):
        step()


ROUNDED = (
    "index n : N\nindex k : K\ninput w[n]\nparam C[k]\nat[n] = clip(floor(2*w[n]), 0, size(k) - 1)\n"
    "y[n] = C[at[n]]\nloss E = sum(n, y[n]^3)\n"
)


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_a_position_that_is_no_number_reads_no_row() -> None:
    """`np.take` would clip it to 0, and the loss would be finite."""
    derived, params = sb.loads(ROUNDED).derive(), {"C": np.array([1.0, 3.0, 2.0])}
    module = derived.module(fast=True)
    step = module.bind(params, np.array([0.6, -1.0, 9.0]))
    loss, gradients = step()
    assert loss == 27 + 1 + 8
    np.testing.assert_array_equal(gradients["C"], [3.0, 27.0, 12.0])
    with pytest.raises(IndexError):
        module.bind(params, np.array([0.6, np.nan, 9.0]))()
