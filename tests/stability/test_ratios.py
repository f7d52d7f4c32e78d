"""Functions of ratios of sums of exponentials: their adjoints' parts may be too large or too small alone."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.exponents import is_of_order_1
from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.semantics.naive import Array
from symbackprop.stability.multiples import multiples_last
from symbackprop.systems.printing import text
from tests.stability.test_far_data import truth as truth_of
from tests.stability.test_random_compositions import truth

SUMS = """index n : N
param k[n], v[n], b
S = sum(n, exp(k[n])*v[n])
Z = sum(n, exp(k[n]))
"""
ROWS = """index n : N
index j : J
param k[n], w[n,j], b
P[j] = sum(n, where(w[n,j] > 0, exp(k[n])*w[n,j], 0))
D[j] = sum(n, where(w[n,j] > 0, exp(k[n]), 0))
Z = sum(n, exp(k[n]))
"""
MODELS = {
    "root of a ratio, ratio beside": SUMS + "loss E = sqrt((b^2 + S^2)/(2 + Z)^2 + 3) + (b + S)/(b^2 + Z)",
    "fourth powers": SUMS + "loss E = log(b^2 + 2 + S^4/(1 + Z)^4)",
    "fourth powers beside 1": SUMS + "loss E = log(b^2 + 1 + S^4/(1 + Z)^4) + log1p(Z/(2 + Z) + b^2)",
    "a ratio read twice": SUMS + "y = (b^2 + S^2)/(1 + Z)^2\nloss E = log(y + 3) + sqrt(2 + y)",
    "ratios of a ratio": SUMS + "loss E = log(S^2/Z^2 + b) + (S/Z)^3/(1 + (S/Z)^2)",
    "one inside another": SUMS + "loss E = sin((b + S)/(3 + Z))/(2 + (S/(1 + Z))^2)",
    "masked, over an axis": ROWS + "loss E = sum(j, log(2 + (b^2 + P[j]^2)/(1 + D[j])^2))",
    "norm over an axis": ROWS + "loss E = sqrt(2 + sum(j, (b + P[j])^2)/(1 + Z)^2)",
}


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_the_true_ones(name: str) -> None:
    model = loads(MODELS[name] + "\n")
    module = model.derive().module(verify=False)
    values: dict[str, Array] = {
        "k": np.array([0.4, -0.9]),
        "v": np.array([1.3, -0.7]),
        "w": np.array([[1.3, 0.6], [0.8, -0.7]]),
        "b": np.array(0.8),
    }
    for dtype, shift, rtol in (
        (np.float64, 360.0, 1e-10),
        (np.float64, 800.0, 1e-10),
        (np.float64, -800.0, 1e-10),
        (np.float32, 80.0, 3e-4),
    ):
        values["k"] = np.array([0.4, -0.9]) + shift
        values = {each: values[each].astype(dtype) for each in module.SHAPES}
        expected = truth(model.system, values, 50)
        with np.errstate(all="ignore"):
            loss, gradients = module.value_and_grad(values)
        atol = rtol * max(1.0, *(float(np.max(np.abs(each))) for each in expected.values()))
        for tensor, found in {"E": loss, **gradients}.items():
            message = f"{tensor} at {shift} in {dtype.__name__}"
            np.testing.assert_allclose(found, expected[tensor], rtol, atol, err_msg=message)


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [
        ("max(n, k[n]) - max(n, k[n])", True),
        ("max(n, where(v[n] != 0, k[n], -1e38)) - max(n, k[n])", True),
        ("max(a, max(n, k[n])) - max(max(n, k[n]), a)", True),
        ("2*max(n, k[n]) - 2*max(n, k[n])", True),
        ("max(n, k[n]) - max(0, max(n, k[n]))", False),
        ("max(n, k[n]) - 2*max(n, k[n])", False),
        ("max(n, k[n]) - max(n, q[n])", False),
        ("max(n, k[n])", False),
        ("-max(n, k[n])", False),
    ],
)
def test_what_is_of_order_1(exponent: str, expected: bool) -> None:
    system = parse_system(f"index n : N\nparam k[n], q[n], v[n], a\ny = {exponent}\n")
    assert is_of_order_1(system.equations[-1].expression) is expected


UNLIKE = """index n : N
index k : K
param u[n,k], q[k]
P[n] = sum(k, exp(5*u[n,k]))
Z[n] = sum(k, exp(3*u[n,k]))
R = sum(k, exp(q[k]))
"""


@pytest.mark.parametrize("loss", ["sum(n, P[n]^3/Z[n]^5)", "(R/Z[0])^(1/3)/(2 + (R/Z[0])^(2/3))"])
def test_exponents_far_from_0_keep_their_digits(loss: str) -> None:
    """3*max(5*u) - 5*max(3*u) is 0, and 5*u - max(5*u) is 5*(u - max(u)): no multiple is rounded first."""
    model = loads(UNLIKE + f"loss E = {loss}\n")
    module = model.derive().module(verify=False)
    rng = np.random.default_rng(1)
    values: dict[str, Array] = {"u": rng.normal(size=(2, 3)) + 1e4, "q": rng.normal(size=3) + 1e4}
    values = {each: values[each] for each in module.SHAPES}
    expected = truth(model.system, values, 60)
    with np.errstate(over="ignore"):  # of P and Z themselves
        found, gradients = module.value_and_grad(values)
    for tensor, value in {"E": found, **gradients}.items():
        largest = float(np.max(np.abs(expected[tensor]), initial=1e-300))
        np.testing.assert_allclose(value, expected[tensor], 0, 1e-14 * largest, err_msg=tensor)


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [
        ("3*k[n] - max(n, 3*k[n])", "3*(k[n] - max(n, k[n]))"),
        ("2*k[n] - max(n, 2*k[n])", None),
        ("k[n] - max(n, 3*k[n])", "k[n] - 3*max(n, k[n])"),
        ("2*max(n, 3*k[n]) - 3*max(n, 2*k[n])", "0"),
        ("2*k[n] + max(n, q[n]) - max(n, 3*k[n])", "2*(k[n] - max(n, k[n])) + (max(n, q[n]) - max(n, k[n]))"),
        ("3*k[n] - 3*q[n]", None),
    ],
)
def test_differences_come_before_multiples(exponent: str, expected: str | None) -> None:
    system = parse_system(f"index n : N\nparam k[n], q[n]\ny[n] = {exponent}\n")
    found = multiples_last(system.equations[-1].expression, Meanings())
    assert (None if found is None else text(found)) == expected


@pytest.mark.parametrize(
    "loss",
    [
        "sum(n, (expm1(-z[n])/z[n] + w[n])^2)",
        "sum(n, (s[n] - w[n])^2)",
        "sum(n, ((1 - exp(-k*m[n]))/k - w[n])^2)",
    ],
)
def test_what_is_0_with_its_divisor_is_not_divided_by_exponents(loss: str) -> None:
    """1/f as exp(h)/m would be infinite where f = m*exp(-h) is small, and the quotient near 1."""
    text = "index n : N\ninput m[n], w[n]\nparam h\nk = exp(-h)\nz[n] = m[n]*k\ns[n] = sinh(z[n])/z[n]\n"
    model = loads(f"{text}loss E = {loss}\n")
    assert "sign" not in (source := model.derive().to_numpy(verify=False)), source
    module = model.derive().module(verify=False)
    for dtype, h, rtol in ((np.float64, 712, 1e-9), (np.float64, 0.3, 1e-13), (np.float32, 90, 1e-4)):
        values = {
            "m": np.array([900.0, 600.0], dtype) * dtype(1 if h > 1 else 1e-2),
            "w": np.array([0.5, -0.25], dtype),
            "h": np.array(h, dtype),
        }
        expected = truth_of(model.system, values, ("h",), 900)
        found, gradients = module.value_and_grad({"h": values["h"]}, values["m"], values["w"])
        np.testing.assert_allclose(found, expected["E"], rtol)
        scale = abs(float(expected["E"]))
        np.testing.assert_allclose(gradients["h"], expected["h"], rtol, atol=rtol * scale)
