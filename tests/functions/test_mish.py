"""mish: a record and a kernel, and the tool has it: far arguments, float32, sizes 0 and 1, slopes."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import symbackprop as sb
from symbackprop.language.model import parse_system
from symbackprop.layers.catalogue import ACTIVATIONS
from symbackprop.layers.sequential import Sequential
from tests.models.judges import judge

MODEL = """
index i : I
param u[i]
input w[i]
z[i] = mish(u[i])
loss E = sum(i, w[i]*z[i])
"""
PLACES = np.array([-800.0, -104.0, -60.0, -1.1924, -1.0, -1e-9, 0.0, 0.5, 20.0, 60.0, 104.0, 800.0])


@pytest.fixture(scope="module")
def module():
    return sb.loads(MODEL).derive(wrt=["u"]).module()


def slope(u: float) -> float:
    """d(u*tanh(log(1 + e^u)))/du, with fifty digits."""
    with mpmath.workdps(50):
        value = mpmath.mpf(u)
        gate = mpmath.tanh(mpmath.log1p(mpmath.exp(value)))
        return float(gate + value * (1 - gate**2) / (1 + mpmath.exp(-value)))


@pytest.mark.parametrize(("dtype", "digits"), [(np.float64, 4e-16), (np.float32, 2e-7)])
def test_value_and_slope_at_near_and_far_places(module, dtype: type, digits: float) -> None:
    with np.errstate(all="raise", under="ignore"):
        total, grads = module.value_and_grad({"u": PLACES.astype(dtype)}, w=np.ones(PLACES.size, dtype))
    assert grads["u"].dtype == dtype and np.asarray(total).dtype == dtype
    expected = np.array([slope(float(u)) for u in PLACES.astype(dtype)])
    np.testing.assert_allclose(grads["u"], expected, rtol=0, atol=8 * digits)


@pytest.mark.parametrize("size", [0, 1])
def test_small_sizes(module, size: int) -> None:
    total, grads = module.value_and_grad({"u": np.full(size, 0.5)}, w=np.ones(size))
    assert grads["u"].shape == (size,)
    np.testing.assert_allclose(grads["u"], np.full(size, slope(0.5)), rtol=1e-14)
    np.testing.assert_allclose(total, size * 0.5 * np.tanh(np.log1p(np.exp(0.5))), rtol=1e-14)


def test_every_judge_agrees() -> None:
    judge(MODEL)


def test_it_is_an_activation() -> None:
    assert "mish" in ACTIVATIONS and sb.Mish().kind == "mish"
    text = Sequential([sb.Dense(3, "mish"), sb.Dense(2)], inputs=4).text()
    assert "z1[b,j] = mish(u1[b,j])" in text


def test_it_prints_by_its_name() -> None:
    equation = sb.loads(MODEL).derive(wrt=["u"])
    assert r"\operatorname{mish}" in equation.latex()


def test_its_name_is_taken() -> None:
    with pytest.raises(sb.NotationError, match="'mish' is a function"):
        parse_system("param mish\nloss E = mish\n")
