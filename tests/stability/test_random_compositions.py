"""Compositions of saturating and exponential functions, and random ones: finite wherever the truth is."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from symbackprop.pipeline import loads
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.semantics.number_systems import PRECISE
from symbackprop.systems.system import System
from tests.stability.random_compositions import composition

HEAD = "index b : B\nparam u[b], q[b]\nloss E = sum(b, {})\n"
KINDS = {
    "logarithm of softplus": "sigmoid(q[b])*log(softplus(-u[b]))",
    "mish of mish": "u[b]*tanh(softplus(u[b]*tanh(softplus(u[b]))))",
    "tanh of softplus of softplus": "q[b]*tanh(softplus(softplus(u[b])))",
    "complement of a complement": "log(1 - (1 - sigmoid(u[b])))",
    "complement of e^-softplus": "log(1 - exp(-softplus(u[b])))",
    "three exponentials": "tanh(log(exp(u[b]) + (1 + exp(-u[b]))))",
    "one exponential less": "log(exp(softplus(u[b])) - 1)*tanh(q[b])",
    "reciprocal of a complement": "sigmoid(u[b])*log(1 - 1/(1 + exp(u[b] - q[b])))",
    "an exponential beside a name": "exp(-softplus(-q[b] - log(1 + exp(u[b] - q[b]))))",
    "sigmoid of the logarithm of softplus": "q[b]*sigmoid(log(softplus(u[b])))",
    "large within log1p": "log1p(3*cosh(u[b])) + log(1 + 2*exp(q[b]))",
}
FIRST, COUNT = 1, 3
LARGEST = {np.float64: 1e250, np.float32: 1e30}


def truth(system: System, values: dict[str, Array], digits: int) -> dict[str, Array]:
    """The loss and its derivatives by complex steps in mpmath, on the model as typed."""
    loss = str(system.loss)

    def at(known: dict[str, Array]) -> mpmath.mpf:
        return evaluate(system, known, None, PRECISE, only=[loss])[loss][()]

    with mpmath.workdps(digits):
        exact = {
            name: np.vectorize(lambda each: mpmath.mpf(float(each)), otypes=[object])(array)
            for name, array in values.items()
        }
        found = {loss: np.array(float(at(exact)))}
        step = mpmath.mpf(10) ** (-digits)
        for name, array in exact.items():
            gradient = np.empty(array.shape)
            for place in np.ndindex(array.shape):
                moved = array.copy()
                moved[place] += 1j * step
                gradient[place] = float(mpmath.im(at({**exact, name: moved})) / step)
            found[name] = gradient
    return found


def expect_the_truth(text: str, seed: int) -> None:
    model = loads(text)
    module = model.derive().module(verify=False)
    rng = np.random.default_rng(seed)
    for dtype, scale, rtol, digits in ((np.float64, 800.0, 1e-9, 400), (np.float32, 80.0, 3e-4, 100)):
        far = np.array([-scale, -0.4 * scale, 0.0, 1.5, 0.3 * scale, scale])
        shape = (2, 2) if "K" in str(module.SHAPES) else (4,)
        values = {name: rng.permutation(far)[:4].astype(dtype).reshape(shape) for name in module.SHAPES}
        expected = truth(model.system, values, digits)
        with np.errstate(all="ignore"):
            loss, gradients = module.value_and_grad(values)
        for tensor, found in {str(model.system.loss): loss, **gradients}.items():
            true = expected[tensor]
            largest = float(np.max(np.abs(true), initial=1e-3))
            if largest < LARGEST[dtype]:
                message = f"{tensor} at {scale}\n{text}"
                np.testing.assert_allclose(found, true, rtol=rtol, atol=rtol * largest, err_msg=message)


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    expect_the_truth(HEAD.format(KINDS[name]), 1)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_random_compositions(seed: int) -> None:
    expect_the_truth(composition(seed), seed)
