"""The naive evaluator in floats and in mpmath numbers, and what it refuses."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from symbackprop.errors import VerificationError
from symbackprop.language.model import parse_system
from symbackprop.semantics.evaluation import evaluate, sizes_from_arrays
from symbackprop.semantics.number_systems import PRECISE
from symbackprop.semantics.systems import evaluate_system

MODEL = parse_system(
    """
index i : I
index j : J
input x[i], A[i,j]
y[j] = sum(i, A[i,j]*gelu(x[i])) + max(i, A[i,j])*size(i)
z[j] = where(y[j] > 0 and not j == 1, sqrt(y[j]), prod(i, sigmoid(x[i])) - lgamma(3/2)*pi)
loss E = sum(j, z[j]*softplus(z[j]))
"""
)
VALUES = {"x": np.array([0.3, -1.2]), "A": np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.5]])}


def test_floats_agree_with_fifty_digits() -> None:
    exact = {name: np.vectorize(mpmath.mpf, otypes=[object])(array) for name, array in VALUES.items()}
    with mpmath.workdps(50):
        precise = evaluate(MODEL, exact, arithmetic=PRECISE)
    floats = evaluate(MODEL, VALUES)
    for name in ("y", "z", "E"):
        np.testing.assert_allclose(floats[name], precise[name].astype(float), rtol=1e-13)


UNDEFINED = {
    "1/x": mpmath.inf,
    "x^(-1/2)": mpmath.inf,
    "x*y/x": mpmath.nan,
    "sqrt(x - y)": mpmath.nan,
    "log(x - y)": mpmath.nan,
    "log(x)": -mpmath.inf,
}


@pytest.mark.parametrize("formula", UNDEFINED)
def test_what_is_undefined_is_no_error_with_many_digits_either(formula: str) -> None:
    system = parse_system(f"input x, y\nE = {formula}")
    values = {name: np.array(mpmath.mpf(value), dtype=object) for name, value in {"x": 0, "y": 2}.items()}
    found, expected = evaluate(system, values, {}, PRECISE)["E"][()], UNDEFINED[formula]
    assert found == expected or (mpmath.isnan(found) and mpmath.isnan(expected))
    moved = {**values, "x": np.array(mpmath.mpc(0, 1e-40), dtype=object)}
    assert evaluate(system, moved, {}, PRECISE)["E"].shape == ()


def test_sizes_that_disagree_are_named() -> None:
    with pytest.raises(VerificationError, match="axis I of 'A' has 3 values, elsewhere 2"):
        sizes_from_arrays(MODEL, {"x": np.zeros(2), "A": np.zeros((3, 3))})


def test_a_missing_tensor_is_named() -> None:
    with pytest.raises(VerificationError, match="no value was given for 'A'"):
        evaluate(MODEL, {"x": np.zeros(2)}, {"I": 2, "J": 3})


def test_the_maximum_over_an_empty_axis_has_no_value() -> None:
    with pytest.raises(VerificationError, match="empty axis"):
        evaluate(MODEL, {"x": np.zeros(0), "A": np.zeros((0, 3))})


@pytest.mark.parametrize("place", ["0,size(a) - 2", "size(a) - 2,0", "size(n) - 1,0"])
@pytest.mark.parametrize("kind", ["inv", "cofactor"])
def test_an_inverse_is_not_read_beyond_its_matrix(kind: str, place: str) -> None:
    model = parse_system(
        "index a, a2 : A\nindex n : N\ninput P[a,a2]\n"
        f"y[n] = where(0 < 1, {kind}(P)[{place}], 0)\nloss E = sum(n, y[n])\n"
    )
    with pytest.raises(VerificationError, match="is read outside its axes"):
        evaluate(model, {"P": np.eye(1)}, {"A": 1, "N": 2})


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "loss",
    ["max(i, x[i])", "min(i, x[i])", "sum(i, max(x[i], 0))", "sum(i, min(0, x[i]))", "sum(i, min(x[i], 0))"],
)
@pytest.mark.parametrize("by", [evaluate, evaluate_system])
def test_an_extremum_of_what_is_undefined_is_undefined(by, loss: str, place: int) -> None:
    """As in NumPy; Python's own max would leave nan out, or not, by its place."""
    system = parse_system(f"index i : I\nparam x[i]\nloss E = {loss}\n")
    values = np.array([1.0, -2.0, 3.0])
    values[place] = np.nan
    assert np.isnan(by(system, {"x": values}, {"I": 3})["E"])
