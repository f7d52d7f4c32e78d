"""Modules of stacks of layers, with a function for each block and without, side by side."""

from __future__ import annotations

import inspect
from types import ModuleType

import numpy as np
import pytest

from symbackprop.emission.loading import load_module
from symbackprop.pipeline import ModelDerivation
from symbackprop.targets.numpy.variants import module_of


def without_blocks(derived: ModelDerivation, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module in which every block is written out."""
    for fewest in ("FEWEST_STATEMENTS", "FEWEST_IN_CHAIN"):
        monkeypatch.setattr(f"symbackprop.passes.repeats.{fewest}", 1000)
    flat = load_module(module_of(derived.program).text(), "flat")
    assert "def _block" not in inspect.getsource(flat)
    return flat


def assert_equal_results(module: ModuleType, flat: ModuleType) -> None:
    """Both have the same loss and gradients, to the last bit, of y0[n,t,i] and d[n,t,i]."""
    rng = np.random.default_rng(4)
    for n, t, i, j in [(2, 3, 4, 5), (1, 1, 1, 1), (0, 2, 3, 1)]:
        params, (y0, d) = module.init(rng, I=i, J=j), rng.normal(size=(2, n, t, i))
        (loss, grads), (expected, others) = (each.value_and_grad(params, y0, d) for each in (module, flat))
        assert loss == expected
        for name, gradient in others.items():
            np.testing.assert_array_equal(grads[name], gradient)
