"""Powers of quotients of running sums of exponentials, and roots beside the sums that they nearly are."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.systems.printing import text
from tests.programs import schedule_of_system
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

SUMS = """
index i : I
index h : H
param u[i,h], x[i,h]
a[i,h] = exp(u[i,h])*x[i,h] + where(i > 0, a[i-1,h], 0)
b[i,h] = exp(u[i,h]) + where(i > 0, b[i-1,h], 0)
"""
LOSSES = {
    "a square": "loss E = sum(i, h, (a[i,h]/b[i,h])^2)",
    "a fourth power": "loss E = sum(i, h, (a[i,h]/b[i,h])^4)",
    "shares of all": "loss E = sum(i, tanh(sum(h, (a[i,h]/sum(h, b[i,h]))^2)))",
    "by the first of a row": "loss E = sum(i, h, (a[i,h]/b[i,0])^3)",
    "a function": "loss E = sum(i, h, tanh(a[i,h]/b[i,h]))",
    "the last one": "loss E = sum(h, sin(a[size(i)-1,h]/b[size(i)-1,h]))",
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_shift_of_all_exponents_changes_no_gradient(name: str) -> None:
    module = loads(SUMS + LOSSES[name] + "\n").derive().module(verify=False)
    random = np.random.default_rng(4)
    for sizes in ((3, 2), (1, 1)):
        u, x = (random.standard_normal(sizes) for _ in range(2))
        expected = module.value_and_grad({"u": u, "x": x})
        for dtype, shifts, rtol in ((np.float64, (300, 500, 690), 1e-11), (np.float32, (40, 80), 2e-4)):
            for shift in shifts:
                moved = {"u": (u + shift).astype(dtype), "x": x.astype(dtype)}
                with np.errstate(all="raise", under="ignore"):
                    loss, gradients = module.value_and_grad(moved)
                np.testing.assert_allclose(loss, expected[0], rtol=rtol)
                atol = rtol * max(np.max(np.abs(each)) for each in expected[1].values())
                for tensor, found in gradients.items():
                    np.testing.assert_allclose(
                        found, expected[1][tensor], rtol, atol, err_msg=f"{tensor} {shift}"
                    )


@pytest.mark.parametrize(("dtype", "shift", "rtol"), [(np.float64, 360, 1e-10), (np.float32, 80, 2e-4)])
def test_squares_beside_others_are_the_true_ones(dtype: type, shift: float, rtol: float) -> None:
    text = f"{SUMS}param c\nloss E = sum(i, h, log((c^2 + a[i,h]^2)/(1 + b[i,h])^2 + c^4 + 1))\n"
    model, module = loads(text), module_of(text)
    u, x = np.array([[0.3], [-1.1]]) + shift, np.array([[1.2], [0.7]])
    values = {"u": u.astype(dtype), "x": x.astype(dtype), "c": np.asarray(0.8, dtype)}
    expected = truth(model.system, values, 50)
    with np.errstate(over="ignore", under="ignore"):
        loss, gradients = module.value_and_grad(values)
    for tensor, found in {"E": loss, **gradients}.items():
        np.testing.assert_allclose(found, expected[tensor], rtol, err_msg=tensor)


@pytest.mark.parametrize(
    ("formula", "computed"),
    [
        ("x[i,h]^2/b[i,h]^2", "(x[i,h]/b[i,h])^2"),
        ("x[i,h]^3/b[i,h]^2", "(x[i,h]/b[i,h])^2*x[i,h]"),
        ("x[i,h]^2/b[i,h]^4", "(x[i,h]/b[i,h])^2/b[i,h]/b[i,h]"),
        (
            "(x[i,h] + a[i,h]^2)/b[i,h]^2",
            "x[i,h]*(exp(-2*b_shift[i,h])/b_shifted[i,h]/b_shifted[i,h])"
            " + exp(2*a_shift[i,h] - 2*b_shift[i,h])*(a_shifted[i,h]/b_shifted[i,h])^2",
        ),
        (
            "(x[i,h] + a[i,h])/b[i,h]^2",
            "x[i,h]*(exp(-2*b_shift[i,h])/b_shifted[i,h]/b_shifted[i,h])"
            " + exp(-2*b_shift[i,h] + a_shift[i,h])*(a_shifted[i,h]/b_shifted[i,h]/b_shifted[i,h])",
        ),
        ("x[i,h]/b[i,h]^3", "x[i,h]/b[i,h]/b[i,h]/b[i,h]"),
        ("1/b[i,h]^2", "1/b[i,h]^2"),
        ("x[i,h]^2/b[i,h]", "x[i,h]^2/b[i,h]"),
        ("x[i,h]^2/x[i,0]^2", "x[i,h]^2/x[i,0]^2"),
    ],
)
def test_what_is_computed(formula: str, computed: str) -> None:
    system = parse_system(f"{SUMS}y[i,h] = {formula}\n")
    last = schedule_of_system(system).equations[-1]
    assert text(last.equation.expression) == computed


ROOTS = {
    "the root beside the sum": (
        "s = exp(g) + exp(h)\nr[i] = s - sqrt(s^2 - exp(g))\nloss E = sum(i, (x[i] - r[i]/exp(g))^2)",
        lambda g, h, x: np.sum((x - (_s(g, h) - np.sqrt(_s(g, h) ** 2 - np.exp(g))) / np.exp(g)) ** 2),
    ),
    "by a name": (
        "s = exp(g) + exp(h)\nq = (s^2 + exp(h))^(1/2)\nloss E = sum(i, tanh((q - s)/exp(g)*x[i]))",
        lambda g, h, x: np.sum(np.tanh((np.sqrt(_s(g, h) ** 2 + np.exp(h)) - _s(g, h)) / np.exp(g) * x)),
    ),
}


def _s(g: float, h: float) -> float:
    return np.exp(g) + np.exp(h)


@pytest.mark.parametrize("name", ROOTS)
def test_what_a_sum_is_more_than_its_root_stays_as_typed(name: str) -> None:
    model, expected = ROOTS[name]
    module = loads(f"index i : I\ninput x[i]\nparam g, h\n{model}\n").derive().module(verify=False)
    x = np.array([0.4, -1.2])
    for g, h in ((0.3, -0.5), (0.2, 40.0), (-30.0, 1.0), (25.0, -3.0)):
        loss = module.loss({"g": np.float64(g), "h": np.float64(h)}, x)
        np.testing.assert_allclose(loss, expected(g, h, x), rtol=1e-14, err_msg=f"{g} {h}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "loss",
    [
        "sum(n, ((x[n]^2 + exp(u[n]))^r - exp(u[n])^r - 1)^2)",
        "sum(n, ((softplus(x[n])*c + e[n])^p - e[n]^p - 1)^2)",
    ],
)
def test_powers_that_cancel_are_rounded_alike(loss: str, dtype: type[np.float32 | np.float64]) -> None:
    """exp(r*u) for one of them would leave r*u roundings of what cancels."""
    text = "index n : N\ninput x[n]\nparam u[n], r, c\np = 1 + sigmoid(r)\ne[n] = exp(u[n])\n"
    module = loads(f"{text}loss E = {loss}\n").derive().module(verify=False)
    params = {"u": np.array([9.1, 19.3, 29.7, 33.3], dtype), "r": dtype(0.7), "c": dtype(0)}
    found, gradients = module.value_and_grad(params, np.zeros(4, dtype))
    assert found == 4
    assert not np.any(gradients["u"])
