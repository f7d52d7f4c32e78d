"""In which order the axes of a factor lie that is summed with what it is multiplied by."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.targets.numpy.target import NUMPY

HEAD = """
index b : B
index t : T
index e : D
index f : F
input x[b,t,e], v[e,t,b], p[b,t,f]
param P[f,e], Q[f,e]
"""
PRODUCTS = "(sum(f, p[b,t,f]*P[f,e]) + sum(f, p[b,t,f]*Q[f,e]))"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (f"{PRODUCTS}*x[b,t,e]", "y = np.sum((p @ P + p @ Q) * x, axis=(0, 1))"),
        (f"x[b,t,e]*{PRODUCTS}", "y = np.sum(x * (p @ P + p @ Q), axis=(0, 1))"),
        (f"sin(x[b,t,e])*{PRODUCTS}", "y = np.sum(sin_x * (p @ P + p @ Q), axis=(0, 1))"),
    ],
)
def test_it_lies_as_what_it_is_multiplied_by(body: str, line: str):
    assert line in _module_text(body)


@pytest.mark.parametrize("other", ["x[b,t,e]", "v[e,t,b]", "1"])
def test_values(other: str):
    text = _module_text(f"{PRODUCTS}*{other}")
    module = NUMPY.load(text, "factors")
    rng = np.random.default_rng(0)
    sizes = {"B": 2, "T": 3, "D": 4, "F": 5}
    arrays = {name: rng.normal(size=[sizes[axis] for axis in axes]) for name, axes in module.SHAPES.items()}
    params = {name: arrays.pop(name) for name in module.PARAMETERS}
    products = np.einsum("btf,fe->bte", arrays["p"], params["P"] + params["Q"])
    factor = {
        "x[b,t,e]": arrays.get("x"),
        "v[e,t,b]": np.transpose(arrays.get("v", np.ones((4, 3, 2)))),
        "1": 1.0,
    }
    y = np.sum(products * factor[other], axis=(0, 1))
    loss, grads = module.value_and_grad(params, **arrays)
    np.testing.assert_allclose(loss, np.sum(y**2))
    np.testing.assert_allclose(
        grads["P"], np.einsum("e,bte,btf->fe", 2 * y, np.broadcast_to(factor[other], (2, 3, 4)), arrays["p"])
    )


def _module_text(body: str) -> str:
    system = parse_system(f"{HEAD}y[e] = sum(b, t, {body})\nloss E = sum(e, y[e]^2)\n")
    return NUMPY.emitted(derive(system, ["P", "Q"])).text
