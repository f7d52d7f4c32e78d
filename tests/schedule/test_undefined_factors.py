"""Adjoints of functions that are steep at 0, read through pads: where nothing is read, nothing is added."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from tests.models.judges import assert_close
from tests.programs import numpy_source

HEAD = "index n, m : N\nindex k : K = 3\ninput at in N\nparam x[n], y[n,m]\nloss E = "
# Each loss, and what its gradient is by x and by y, for positive data.
MODELS = {
    "a root beside": ("sum(n, sqrt(pad(y[n+1,n])))", lambda x, y, at, ks: (0 * x, _beside(y))),
    "a root two beside": (
        "sum(n, tanh(sqrt(abs(pad(y[n,n-2])))))",
        lambda x, y, at, ks: (
            0 * x,
            np.where(
                np.subtract.outer(range(len(x)), range(len(x))) == 2,
                (1 - np.tanh(np.sqrt(y)) ** 2) / (2 * np.sqrt(y)),
                0,
            ),
        ),
    ),
    "a looked up place beside": (
        "sum(k, sqrt(pad(x[at + 1])))",
        lambda x, y, at, ks: (
            np.where(np.arange(len(x)) == at + 1, ks / (2 * np.sqrt(x)), 0),
            0 * y,
        ),
    ),
    "its cube root": (
        "sum(k, pad(x[at + 2])^(1/3))",
        lambda x, y, at, ks: (
            np.where(np.arange(len(x)) == at + 2, ks / 3 * x ** (-2 / 3), 0),
            0 * y,
        ),
    ),
}  # fmt: skip


def _beside(y):
    size = len(y)
    return np.where(np.subtract.outer(range(size), range(size)) == 1, 0.5 / np.sqrt(y), 0)


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_not_read_adds_nothing(name: str, size: int) -> None:
    loss, gradients = MODELS[name]
    derivation = derive(parse_system(HEAD + loss + "\n"))
    module = load_module(numpy_source(lower(derivation)), "steep")
    rng = np.random.default_rng(size)
    x, y = rng.uniform(0.5, 1.5, size), rng.uniform(0.5, 1.5, (size, size))
    for at in range(size):
        found = module.grad({"x": x, "y": y}, at)
        for wrt, expected in zip(("x", "y"), gradients(x, y, at, 3), strict=True):
            assert_close(found[wrt], expected, f"{wrt} for {size} at {at}")


CHOSEN_BY_SIZE = """\
index i : I
index c : C
param p[c]
target d[i]
loss E = sum(i, d[i]*where(size(c) > 2, p[mod(i,size(c))], 0))
"""


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_what_a_size_rules_out_is_not_computed(size: int) -> None:
    """Numbers modulo 0 are not formed, where the model does not read them: the gradient is 0."""
    module = load_module(numpy_source(lower(derive(parse_system(CHOSEN_BY_SIZE)))), "chosen")
    p, d = np.arange(1.0, size + 1), np.array([2.0, 3.0, 5.0, 7.0])
    loss, gradients = module.value_and_grad({"p": p}, d)
    expected = np.array([9.0, 3.0, 5.0]) if size == 3 else np.zeros(size)
    assert_close(loss, p @ expected, "E")
    assert_close(gradients["p"], expected, "grad_p")
