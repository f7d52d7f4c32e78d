"""Gradients of windows and lookups: modules against central differences of the naive evaluator."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.semantics.evaluation import evaluate
from tests.lowering.array_models import draw

IMAGE = """
index n : N
index c : C
index o : O
index i : I = 7
index j : J = 6
index a : A = 4
index b : B = 4
index r : R = 3
index s : S = 2
"""
LINE = """
index n : N
index c : C
index o : O
index i : I = 9
index a : A = 5
index r : R = 3
"""
WORDS = "index n : N\nindex t : T\nindex v : V\nindex e : E\ninput ids[n,t] in V\n"
SIZES = dict(N=2, C=3, O=2, I=7, J=6, A=4, B=4, R=3, S=2, V=5, T=3, E=4, G=2, H=3)

MODELS = {
    "convolution": IMAGE
    + "param x[n,c,i,j], w[o,c,r,s], k[o]\ninput d[n,o,a,b]\n"
    + "y[n,o,a,b] = sum(c, r, s, w[o,c,r,s]*pad(x[n,c,2*a+r-1,2*b+s-1])) + k[o]\n"
    + "loss E = sum(n, o, a, b, (y[n,o,a,b] - d[n,o,a,b])^2)/2",
    "maximum": IMAGE.replace("I = 7", "I = 9").replace("J = 6", "J = 5")
    + "param x[n,c,i,j]\ninput d[n,c,a,b]\ny[n,c,a,b] = max(r, s, x[n,c,2*a+r,b+s])\n"
    + "loss E = sum(n, c, a, b, y[n,c,a,b]*d[n,c,a,b])",
    "maximum side by side": IMAGE.replace("I = 7", "I = 12").replace("J = 6", "J = 8")
    + "param x[n,c,i,j]\ninput d[n,c,a,b]\ny[n,c,a,b] = max(r, s, x[n,c,3*a+r,2*b+s])\n"
    + "loss E = sum(n, c, a, b, y[n,c,a,b]^2*d[n,c,a,b])",
    "average": IMAGE.replace("I = 7", "I = 9").replace("J = 6", "J = 5")
    + "param x[n,c,i,j]\ninput d[n,c,a,b]\n"
    + "y[n,c,a,b] = sum(r, s, x[n,c,2*a+r,b+s])/(size(r)*size(s))\n"
    + "loss E = sum(n, c, a, b, y[n,c,a,b]^2*d[n,c,a,b])",
    "dilated": LINE
    + "param x[n,i], w[o,r]\ninput d[n,o,a]\ny[n,o,a] = sum(r, w[o,r]*x[n,a+2*r])\n"
    + "loss E = sum(n, o, a, y[n,o,a]*d[n,o,a])^2",
    "transposed": LINE.replace("A = 5", "A = 4")
    + "param x[n,c,a], w[o,c,r]\ninput d[n,o,i]\n"
    + "y[n,o,i] = sum(c, a, where(0 <= i-2*a and i-2*a < size(r), w[o,c,i-2*a]*x[n,c,a], 0))\n"
    + "loss E = sum(n, o, i, (y[n,o,i] - d[n,o,i])^2)",
    "groups": LINE.replace("index c : C", "index c : C = 6\nindex g : G = 2\nindex h : H = 3")
    + "param x[n,c,i], w[g,o,h,r]\ninput d[n,g,o,a]\n"
    + "y[n,g,o,a] = sum(h, r, w[g,o,h,r]*pad(x[n,3*g+h,2*a+r-1]))\n"
    + "loss E = sum(n, g, o, a, (y[n,g,o,a] - d[n,g,o,a])^2)",
    "depthwise, padding longer than all": LINE
    + "param x[n,c,i], w[c,r]\ninput d[n,c,a]\ny[n,c,a] = sum(r, w[c,r]*pad(x[n,c,a+r-11]))\n"
    + "loss E = sum(n, c, a, (y[n,c,a] - d[n,c,a])^2)",
    "total variation": "index i : I\nparam x[i]\nloss E = sum(i, (pad(x[i+1]) - x[i])^2)",
    "flip": "index i : I\nparam x[i]\ninput k[i]\nloss E = sum(i, k[i]*x[size(i)-1-i]^2)",
    "group statistics": "index n : N\nindex g : G = 2\nindex h : H = 3\nindex c : C = 6\nparam x[n,c]\n"
    + "y[n,g,h] = x[n,3*g+h]^2\nm[n,g] = mean(h, y[n,g,h])\n"
    + "loss E = sum(n, g, h, (y[n,g,h] - m[n,g])^2)",
    "embedding": WORDS
    + "input d[n,t,e]\nparam k[v,e]\nloss L = sum(n, t, e, (k[ids[n,t],e] - d[n,t,e])^2)",
    "bag of words": WORDS
    + "input d[n,e]\nparam k[v,e]\ny[n,e] = sum(t, k[ids[n,t],e])\n"
    + "loss L = sum(n, e, (y[n,e] - d[n,e])^2)",
    "picked logit": "index n : N\nindex v : V\nindex i : I\ninput x[n,i]\ninput ids[n] in V\nparam w[v,i]\n"
    + "u[n,v] = sum(i, w[v,i]*x[n,i])\np[n,v] = u[n,v] - log(sum(v, exp(u[n,v])))\n"
    + "loss L = -mean(n, p[n,ids[n]])",
}  # fmt: skip


def sizes_of(text: str) -> dict[str, int]:
    """The usual sizes, with those that the model declares."""
    axes = sb.loads(text).system.axes
    return {axis.name: SIZES[axis.name] if axis.size is None else axis.size for axis in axes}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", MODELS)
def test_gradient(name: str, dtype: type) -> None:
    text = MODELS[name] + "\n"
    model, sizes = sb.loads(text), sizes_of(text)
    system = model.system
    arrays = draw(system, sizes, dtype)
    module = model.derive().module()
    params = {parameter: arrays[parameter] for parameter in module.PARAMETERS}
    others = [array for tensor, array in arrays.items() if tensor not in params]
    loss, grads = module.value_and_grad(params, *others)
    doubles = {key: array.astype(float) if array.dtype == dtype else array for key, array in arrays.items()}

    def value(**changed: object) -> float:
        return float(evaluate(system, {**doubles, **changed}, sizes, only=[system.loss])[system.loss])  # type: ignore

    tolerance = 1e-6 if dtype is np.float64 else 2e-3
    np.testing.assert_allclose(loss, value(), rtol=tolerance)
    rng = np.random.default_rng(1)
    for parameter, gradient in grads.items():
        assert (gradient.shape, gradient.dtype) == (params[parameter].shape, dtype)
        for flat in rng.choice(gradient.size, min(gradient.size, 5), replace=False):
            step = np.zeros(gradient.size)
            step[flat] = 1e-5
            step = step.reshape(gradient.shape)
            up, down = (value(**{parameter: doubles[parameter] + sign * step}) for sign in (1, -1))
            expected = (up - down) / 2e-5
            assert abs(gradient.flat[flat] - expected) <= tolerance * (1 + abs(expected))


@pytest.mark.parametrize("name", MODELS)
def test_no_loop_over_batch_or_image(name: str) -> None:
    source = sb.loads(MODELS[name] + "\n").derive().to_numpy()
    loops = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.For)]
    counters = [loop.target for loop in loops if ast.unparse(loop.iter).startswith("range(")]
    remainders = {"i_rest", "j_rest"}  # by the size of a window that is a number up to 4
    assert {ast.unparse(counter).rstrip("_") for counter in counters} <= {"r", "s", *remainders}


def test_an_empty_batch_has_no_gradient() -> None:
    for name in ("convolution", "embedding", "groups"):
        text = MODELS[name] + "\n"
        model = sb.loads(text)
        arrays = draw(model.system, {**sizes_of(text), "N": 0}, np.float64)
        module = model.derive().module()
        params = {parameter: arrays[parameter] for parameter in module.PARAMETERS}
        loss, grads = module.value_and_grad(
            params, *(array for key, array in arrays.items() if key not in params)
        )
        assert loss == 0 and not any(np.any(gradient) for gradient in grads.values())


def test_repeated_places_add_up() -> None:
    module = sb.loads(MODELS["embedding"] + "\n").derive().module()
    ids = np.array([[1, 1, 1], [4, 1, 0]])
    _, grads = module.value_and_grad({"k": np.zeros((5, 2))}, ids, -np.ones((2, 3, 2)))
    np.testing.assert_array_equal(grads["k"][:, 0], [2.0, 8.0, 0.0, 0.0, 2.0])
