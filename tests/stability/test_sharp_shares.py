"""Shares at a temperature exp(-s), which may be small: what is taken off a maximum is 0 to the last digit."""

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.exponentials.exponents import summands
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import text

HEAD = "index n : N\nindex k : K\nparam x[n,k], s\nq[n,k] = softmax(k, exp(s)*x[n,k])\n"
FREE_ENERGY = f"{HEAD}loss F = exp(-s)*sum(n, k, q[n,k]*log(q[n,k])) - sum(n, k, q[n,k]*x[n,k])\n"
ENTROPY = f"{HEAD}loss H = sum(n, -sum(k, q[n,k]*log(q[n,k])))\n"


def _shares(x, s):
    """The shares, their logarithms and the mean of these, in long doubles."""
    logits = np.exp(np.longdouble(s)) * np.longdouble(x)
    logits -= logits.max(axis=1, keepdims=True)
    logarithms = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    shares = np.exp(logarithms)
    return shares, logarithms, (shares * logarithms).sum(axis=1, keepdims=True)


def _data(dtype, shift):
    rng = np.random.default_rng(5)
    return (rng.normal(0.0, 0.5, (3, 4)) + shift).astype(dtype)


@pytest.mark.parametrize(("dtype", "s"), [(np.float32, 2.0), (np.float32, -2.0), (np.float64, 3.5)])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_the_entropy_of_sharp_shares_keeps_its_digits(dtype, s, shift):
    x = _data(dtype, shift)
    module = sb.loads(ENTROPY).derive().module(verify=False)
    found = module.value_and_grad({"x": x, "s": np.asarray(s, dtype)})[1]["x"]
    shares, logarithms, mean = _shares(x, s)
    expected = -np.exp(np.longdouble(s)) * shares * (logarithms - mean)
    # log(q) + 1 is rounded, and so is exp(s)*x, which decides the shares; exp(s) multiplies both.
    rounded = 2 * np.finfo(dtype).eps * np.exp(s)
    error = rounded * (1 + np.abs(np.exp(s) * x).max() * np.abs(shares * (1 - shares)).max())
    np.testing.assert_allclose(found, np.float64(expected), rtol=0, atol=error)


@pytest.mark.parametrize(("dtype", "s"), [(np.float32, 12.0), (np.float64, 30.0)])
def test_the_mean_energy_of_one_state_is_not_lost(dtype, s):
    """Where one share is 1, log(q) is 0 and F is -x there, exactly: dF/dx is -q."""
    x = _data(dtype, 0.0)
    module = sb.loads(FREE_ENERGY).derive().module(verify=False)
    found = module.value_and_grad({"x": x, "s": np.asarray(s, dtype)})[1]["x"]
    np.testing.assert_allclose(found, -np.float64(_shares(x, s)[0]), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("x[n,k] - max(l, x[n,l]) - s", ["x[n,k] - max(l, x[n,l])", "-s"]),
        ("s + 2*x[n,k] - 2*max(l, x[n,l])", ["s", "2*x[n,k] - 2*max(l, x[n,l])"]),
        ("max(l, x[n,l] + s) - s - x[n,k]", ["-x[n,k] - s + max(l, x[n,l] + s)"]),
        ("x[n,k] + max(l, x[n,l])", ["x[n,k]", "max(l, x[n,l])"]),
        ("x[n,k] - 2*max(l, x[n,l])", ["x[n,k]", "-2*max(l, x[n,l])"]),
        ("x[k,n] - max(l, x[n,l])", ["x[k,n]", "-max(l, x[n,l])"]),
    ],
)
def test_a_maximum_stays_beside_what_it_is_the_largest_of(typed, expected):
    head = "index n, k, l : K\nparam x[n,k], s\n"
    equation = parse_system(f"{head}y[n,k] = {typed}\n").definitions["y"]
    assert [text(each) for each in summands(equation.expression)] == expected
