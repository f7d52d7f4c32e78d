"""Means are divided before they are multiplied, and called means where their axes have places."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from tests.programs import lower_system, numpy_source

HEAD = "index b : B\nindex i : I\nindex c : C = 3\ninput x[b,i], z[b,i,c]\n"


def statement(equation: str) -> str:
    """The last line of `_forward` that computes something."""
    source = numpy_source(lower_system(parse_system(HEAD + equation)))
    body = source.partition("def _forward")[2].partition("    return ")[0]
    return body.splitlines()[-1].strip()


@pytest.mark.parametrize(
    ("equation", "code"),
    [
        # An axis of a number of places has some.
        ("y[b,i] = mean(c, z[b,i,c])", "y = np.mean(z, axis=2)"),
        ("y[b,i] = x[b,i]*mean(c, z[b,i,c])", "y = x * np.mean(z, axis=2)"),
        ("y[b,i] = -x[b,i]*mean(c, z[b,i,c]^2)", "y = -x * np.mean(z**2, axis=2)"),
        ("y[b,i,c] = z[b,i,c] - mean(c, z[b,i,c])", "y = z - np.mean(z, axis=2, keepdims=True)"),
        # So has one without which a result cannot be computed.
        ("y[b] = mean(i, x[b,i])", "y = np.mean(x, axis=1)"),
        ("y[b] = mean(i, x[b,i])*max(i, x[b,i])", "y = np.mean(x, axis=1) * np.max(x, axis=1)"),
        # Others may be empty, and of nothing np.mean warns, whatever np.errstate says.
        ("y[b,i] = x[b,i] - mean(i, x[b,i])", "y = x - np.sum(x, axis=1, keepdims=True) / I"),
        ("y = mean(b, x[b,0])", "y = np.sum(x[:, 0]) / max(B, 1)"),
        # No mean of all that is summed, or none at all.
        ("y[b] = sum(i, mean(c, z[b,i,c]))", "y = np.sum(z, axis=(1, 2)) / 3"),
        ("y[b,i] = sum(c, z[b,i,c])/size(c)", "y = np.sum(z, axis=2) / 3"),
    ],
)
def test_statements(equation: str, code: str):
    assert statement(equation) == code


def test_sizes_that_are_not_written_are_not_read():
    source = numpy_source(lower_system(parse_system(HEAD + "y[b] = mean(i, x[b,i])*max(i, x[b,i])")))
    assert ".shape" not in source.partition("def _forward")[2].partition("    return ")[0]


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_norms_with_means(rows: int):
    text = "index n : N\nindex i : I = 3\ninput x[n,i]\nparam g[i]\nm[n] = mean(i, x[n,i])\n"
    text += "s[n] = sqrt(mean(i, (x[n,i] - m[n])^2) + 1e-5)\nh[n,i] = (x[n,i] - m[n])/s[n]*g[i]\n"
    derived = loads(text + "loss E = mean(n, sum(i, h[n,i]^3))\n").derive(["g", "x"])
    assert "np.mean(" in derived.to_numpy()
    plain, fast = derived.module(), derived.module(fast=True)
    rng = np.random.default_rng(0)
    for dtype in (np.float64, np.float32):
        params = {"g": rng.normal(size=3).astype(dtype)}
        x = rng.normal(size=(rows, 3)).astype(dtype)
        loss, grads = plain.value_and_grad(params, x)
        assert loss.dtype == dtype
        _, others = fast.value_and_grad(params, x, fast.workspace())
        for name, grad in grads.items():
            assert grad.dtype == dtype
            np.testing.assert_allclose(grad, others[name], rtol=2e-4 if dtype == np.float32 else 1e-12)


def test_a_module_is_what_it_was_where_the_model_says_sums():
    text = "index n : N\nindex i : I = 3\ninput x[n,i]\nm[n] = sum(i, x[n,i])/size(i)*sum(i, x[n,i]^2)\n"
    module = load_module(numpy_source(lower_system(parse_system(text))), "sums")
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(module.forward({}, x), x.mean(axis=1) * (x**2).sum(axis=1))
