"""Products that are only added up are an inner product: of few numbers one call of BLAS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb

HEAD = "index a : A\nindex b : B\nparam x[a,b], w[a,b], v[b]\n"
SQUARES = "r[a,b] = tanh(x[a,b])*w[a,b]\nloss E = sum(a, b, r[a,b]^2)/(2*size(a))"
PRODUCTS = "r[a,b] = exp(x[a,b])\ns[a,b] = r[a,b] + w[a,b]\nloss E = sum(a, b, r[a,b]*s[a,b])"
READ_TWICE = "p[a,b] = x[a,b]*w[a,b]\nloss E = sum(a, b, p[a,b]) + sum(a, b, exp(p[a,b]))"
BROADCAST = "loss E = sum(a, b, exp(x[a,b])*v[b]*sin(w[a,b])) + sum(a, b, x[a,b]*exp(v[b]))"
ROWS = "m[a] = sum(b, x[a,b]^2)\nloss E = sum(a, exp(-m[a])) + sum(a, b, w[a,b]*v[b])"
IN_STEPS = (
    "index t : T\nparam s0\n"
    "s[t] = where(t == 0, s0, tanh(s[t-1] + sum(a, b, x[a,b]*w[a,b])))\n"
    "loss E = sum(t, s[t]^2) + sum(b, v[b]^2)"
)
ALL = (SQUARES, PRODUCTS, READ_TWICE, BROADCAST, ROWS, IN_STEPS)


@pytest.mark.parametrize(
    ("text", "product"), [(SQUARES, "r_dot_r()"), (PRODUCTS, "r_dot_s()"), (IN_STEPS, "x_dot_w()")]
)
def test_it_is_one_call(text: str, product: str) -> None:
    source = sb.loads(HEAD + text).derive().to_numpy(fast=True)
    assert source.count(product) == 2  # with gradients, and for the loss alone


@pytest.mark.parametrize("text", [READ_TWICE, ROWS])
def test_what_somebody_else_reads_or_sums_of_rows_are_not(text: str) -> None:
    assert "_dot_" not in sb.loads(HEAD + text).derive().to_numpy(fast=True)


@pytest.mark.parametrize("text", ALL)
def test_the_numbers_are_those_of_the_module_as_it_reads(text: str) -> None:
    module: Any = sb.loads(HEAD + text).derive().module(fast=True)
    for sizes in ((3, 4), (1, 1), (2, 0), (16, 8), (43, 3), (2, 65)):
        rng = np.random.default_rng(sum(sizes))
        lengths = dict(zip("AB", sizes, strict=True)) | {"T": 3}
        for dtype in (np.float64, np.float32):
            params = {
                name: np.asarray(rng.normal(size=[lengths[axis] for axis in module.SHAPES[name]]), dtype)
                for name in module.PARAMETERS
            }
            given = (3,) if text == IN_STEPS else ()
            step, alone = module.bind(params, *given), module.bind_loss(params, *given)
            for _ in range(2):
                loss, gradients = step()
                expected, others = module.value_and_grad(params, *given)
                eps = float(np.finfo(dtype).eps)
                np.testing.assert_allclose([loss, alone()], expected, rtol=200 * eps, atol=20 * eps)
                for name, other in others.items():
                    bound = 200 * eps * np.max(np.abs(other), initial=1.0)
                    np.testing.assert_allclose(gradients[name], other, rtol=0, atol=bound)
                params["x"] *= dtype(0.5)
