"""Exponents that a model has shifted itself keep the differences by which it did so."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.bounds import needs_no_shift
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import scaled
from symbackprop.exponentials.scales import Scaled
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import ONE
from symbackprop.pipeline import loads
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

AXES = "index n : N\nindex k : K\nparam a[n,k], b[k], c[k]\n"
ALL = "u[n,k] = exp(a[n,k] - max(n, k, a[n,k]))\n"
WEIGHTS = "w[k] = exp(b[k] - max(k, b[k]))\n"
MODELS = {
    "beside a constant": AXES
    + ALL
    + WEIGHTS
    + "y[n] = sum(k, u[n,k]*w[k]*c[k])/(0.001 + sum(k, u[n,k]*w[k]))\n",
    "each by its own": AXES + ALL + WEIGHTS + "y[n] = sum(k, u[n,k]*w[k]*c[k])/sum(k, u[n,k]*w[k])\n",
}
LOSS = "loss L = sum(n, (y[n] - 1)^2)\n"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("dtype", "offset"), [(np.float32, 1e4), (np.float64, 1e6), (np.float64, 0.0)])
def test_offsets_are_lost_as_typed(name: str, dtype: type, offset: float) -> None:
    module, model = module_of(MODELS[name] + LOSS), loads(MODELS[name] + LOSS)
    draw = np.random.default_rng(5)
    shapes = {"a": (2, 4), "b": (4,), "c": (4,)}
    values = {each: draw.normal(size=shape).astype(dtype) for each, shape in shapes.items()}
    values["a"] += dtype(offset)
    values["b"] -= dtype(offset)
    expected = truth(model.system, {each: array.astype(np.float64) for each, array in values.items()}, 60)
    loss, gradients = module.value_and_grad(values)
    tolerance = 2e-6 if dtype is np.float32 else 4e-15
    for each, found in {"L": loss, **gradients}.items():
        scale = float(np.max(np.abs(expected[each])))
        np.testing.assert_allclose(found, expected[each], tolerance, tolerance * scale, err_msg=each)


@pytest.mark.parametrize("scale", [80.0, 800.0])
def test_far_apart_they_are_shifted_for_one_another(scale: float) -> None:
    """As typed, u*w is 0 for all k of a row."""
    text = MODELS["each by its own"] + LOSS
    values = {
        "a": np.array([[1.0, -1.0, -1.0], [1.0, -1.0, 0.5]]) * scale + [[0.5, 0.75, 0.25], [0.25, 0.5, 0.75]],
        "b": np.array([-1.0, 1.0, -1.0]) * scale,
        "c": np.array([0.5, -1.5, 2.0]),
    }
    expected = truth(loads(text).system, values, 800)
    loss, gradients = module_of(text).value_and_grad(values)
    for each, found in {"L": loss, **gradients}.items():
        np.testing.assert_allclose(found, expected[each], 1e-12, 1e-12, err_msg=each)


@pytest.mark.parametrize(
    "exponent",
    [
        "s*(a[n,k] - max(l, a[n,l]))",
        "s*(a[n,k] - m[n])",
        "b[n]^2*(a[n,k] + c[k] - max(l, a[n,l] + c[l]))/sqrt(size(k))",
    ],
)
def test_multiples_of_differences_from_a_maximum_are_shifted_once(exponent: str) -> None:
    """The largest of them is 0; that of other multiples is not."""
    head = "index n : N\nindex k, l : K\nparam a[n,k], b[n], c[k], r\ns = exp(r)\nm[n] = max(k, a[n,k])\n"
    for factor, is_shifted in (("", True), ("c[k]*", False), ("-", False)):
        system = parse_system(f"{head}y[n] = 1/sum(k, exp({factor}{exponent}))\n")
        *others, last = system.equations
        meanings = Meanings({each.tensor: (number, each) for number, each in enumerate(others)}, len(others))
        assert scaled(last.expression, meanings).is_plain is is_shifted, factor


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [
        ("max(m, a[m,p] - max(n, a[n,p]))", True),
        ("-max(n, k, a[n,k]) + max(k, b[k] - max(l, b[l]) + max(n, a[n,k]))", True),
        ("-a[n,p]^2", True),
        ("max(n, a[n,p])", False),
        ("max(k, b[k] + max(n, a[n,k])) - max(n, k, a[n,k])", False),
    ],
)
def test_what_is_at_most_1_needs_no_shift_beside_a_number(exponent: str, expected: bool) -> None:
    head = "index n, m : N\nindex k, l, p : K\nparam a[n,k], b[k]\n"
    system = parse_system(f"{head}y[n,p] = {exponent}\n")
    terms = [Scaled.plain(ONE), Scaled(system.equations[-1].expression, ONE, is_shifted=True)]
    assert needs_no_shift(terms, Meanings()) is expected
    assert not needs_no_shift(terms[1:], Meanings())
