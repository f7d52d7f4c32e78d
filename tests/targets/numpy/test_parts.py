"""What the parts of a module give back: a tuple where that is little, a record where it is much."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from symbackprop.pipeline import ModelDerivation, loads
from symbackprop.targets.numpy.blocks import MOST_IN_TUPLE

# Layers of functions that all differ, so that no block repeats, and names that Python or a module has, too.
FUNCTIONS = ("sin", "tanh", "exp", "sigmoid", "cos", "softplus", "atan", "sinh", "sin")
NAMES = ("count", "kept", "Forward", "lambda", "params", "fields", "u", "NamedTuple", "z")


def layers(count: int) -> ModelDerivation:
    before = ["x", *NAMES]
    lines = [
        f"param W{place}[i,j]\n{name}[n,i] = {function}(sum(j, W{place}[i,j]*{before[place]}[n,j]))\n"
        for place, (name, function) in enumerate(zip(NAMES[:count], FUNCTIONS, strict=False))
    ]
    head = "index n : N\nindex i, j : I\ninput x[n,i]\ntarget d[n,i]\n"
    end = f"y[n,i] = {NAMES[count - 1]}[n,i]\nloss E = 1/2*sum(n, i, (y[n,i] - d[n,i])^2)\n"
    return loads(f"{head}{''.join(lines)}{end}").derive()


@pytest.mark.parametrize("fast", [False, True])
def test_much_is_a_record_with_names_of_its_own(fast: bool):
    module = layers(9).module(fast=fast)
    assert len(module.Forward_._fields) > MOST_IN_TUPLE
    # A record has a method `count` of its own, and Python a word `lambda`.
    assert {"count_", "kept", "Forward", "lambda_", "y"} < set(module.Forward_._fields)
    assert inspect.signature(module._forward).return_annotation == "Forward_"
    params = module.init(np.random.default_rng(0), I=3)
    x, d = np.random.default_rng(1).normal(size=(2, 2, 3))
    outputs = module._forward(module._checked(params, {"x": x}))
    np.testing.assert_array_equal(outputs.count_, np.sin(outputs.u_count))
    np.testing.assert_array_equal(outputs.kept, np.tanh(outputs.count_ @ params["W1"].T))
    np.testing.assert_array_equal(module.forward(params, x), outputs.y)
    assert module.loss(params, x, d) == module.value_and_grad(params, x, d)[0]


def test_little_is_a_tuple():
    source = layers(3).to_numpy()
    assert "NamedTuple" not in source
    assert "*_, y = _forward(tensors)" in source
