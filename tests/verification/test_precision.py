"""float32 is compared where it holds the numbers, and as near as the rounding of the data allows."""

from __future__ import annotations

import numpy as np

from symbackprop.emission.loading import load_module
from symbackprop.pipeline import loads
from symbackprop.verification.checked_module import ModuleUnderCheck, under_check
from symbackprop.verification.precision import (
    SINGLE_EPSILON,
    SINGLE_TOLERANCE,
    effect_of_rounding,
    noise_row,
    single_precision_row,
)
from symbackprop.verification.rounding import RoundingOfTerms

WEIGHTED = "index n : N\ninput x[n]\nparam w[n]\nloss E = sum(n, exp(w[n]*x[n]))\n"


def checked(text: str, right: str = "", wrong: str = "") -> ModuleUnderCheck:
    source = loads(text).derive().to_numpy()
    assert right in source
    return under_check(load_module(source.replace(right, wrong) if right else source, "model"))


def test_a_gradient_beyond_float32_is_not_compared_and_the_others_are() -> None:
    # The loss is 1e38, and dE/dw[0] 100 times as much.
    values = {"x": np.array([100.0, 1.0]), "w": np.array([0.875, 2.0])}
    row = single_precision_row(checked(WEIGHTED), values)
    assert row.ok and row.note == "overflows in float32"
    only_single = "grads['w'][1] *= 1.0 + 0.05 * (E.dtype == np.float32)\n    return E, grads"
    wrong = checked(WEIGHTED, "return E, grads", only_single)
    values = {"x": np.array([100.0, 1.0]), "w": np.array([0.875, 87.0])}
    row = single_precision_row(wrong, values)
    assert not row.ok and row.note == "overflows in float32"


def test_moves_of_two_factors_that_cancel_say_nothing() -> None:
    values = {"x": np.array([4.0]), "a": np.array(8.0)}
    held = checked("index n : N\ninput x[n]\nparam a\nloss E = sum(n, exp(a*x[n]))\n")
    gradient = abs(float(held.grad(values)["a"]))
    for amount in (SINGLE_EPSILON, 10 * SINGLE_EPSILON):
        assert effect_of_rounding(held, values, amount)["a"] > 32 * amount * gradient


def test_a_pole_nearby_is_no_noise_and_float32_is() -> None:
    text = "index n : N\nparam x[n]\nloss E = sum(n, 1/x[n])\n"
    leaking = "grads['x'] = grads['x'].astype(np.float32).astype(np.float64)\n    return E, grads"
    for away in (2e-4, 5e-4, 1.0):  # a step is 1e-6
        values = {"x": np.array([away, 2.0 * away])}
        assert noise_row(checked(text), values, np.random.default_rng(0)).ok
        rounded = checked(text, "return E, grads", leaking)
        assert not noise_row(rounded, values, np.random.default_rng(0)).ok


POOLED = """
index i : N
index k : K
input ids[i] in K
input x[i]
param C[k]
param a
p[i] = softmax(i, a*x[i])
y = sum(i, p[i]*C[ids[i]])
loss E = y^2
"""


def test_terms_that_cancel_inside_are_known_without_the_equations() -> None:
    # All tokens are one: dE/da = 2 y sum(p*(C - y)*x) is 0, and in float32 x times the rounding of C - y.
    x = 4e4 + np.array([0.3, 0.7, -0.2, 0.4])
    values = {"ids": np.zeros(4, dtype=np.int64), "x": x, "C": np.array([0.7, 0.3]), "a": np.array(1.3)}
    row = single_precision_row(checked(POOLED), values)
    assert row.worst > SINGLE_TOLERANCE and row.ok
    coarse = "grads['C'][0] *= 1.0 + 1e-3 * (E.dtype == np.float32)\n    return E, grads"
    assert not single_precision_row(checked(POOLED, "return E, grads", coarse), values).ok


def test_a_gradient_that_is_no_number_passes_only_where_a_tensor_in_between_is_beyond_float32() -> None:
    text = "param a, w\ny = exp(a)\nloss E = w/y\n"
    factor = "np.where(E.dtype == np.float32, np.float32(np.nan), E.dtype.type(1))"
    only_single = f"grads['a'] *= {factor}\n    return E, grads"
    lost = checked(text, "return E, grads", only_single)
    derivation = loads(text).derive().derivation
    for a, may_be_lost in ((101.0, True), (3.0, False)):
        values = {"a": np.array(a), "w": np.array(2.0)}
        row = single_precision_row(lost, values, RoundingOfTerms(derivation, values, {}))
        assert row.ok == may_be_lost
        assert row.note == ("overflows in float32" if may_be_lost else "")


LEVERAGE = """
index n : N
index p, q : P
input x[n,p]
param l
G[p,q] = sum(n, x[n,p]*x[n,q]) + exp(l)*delta(p,q)
h[n] = sum(p, q, x[n,p]*inv(G)[p,q]*x[n,q])
loss E = sum(n, log(1 - h[n]))
"""


def test_what_an_inverse_loses_is_no_leak_of_float32() -> None:
    """1 - h is 1e-6 of terms that are 1: float64 leaves it ten digits, and float32 one."""
    values = {"x": np.array([[31.0, -17.0, 22.5]]), "l": np.array(-6.5)}
    module = checked(LEVERAGE)
    row = noise_row(module, values, np.random.default_rng(0))
    assert row.worst > 1e-11 and row.ok
    assert single_precision_row(module, values).ok
