"""Floors and caps under what has a domain: log(max(v, c)) has the derivative 0 at v = 0, and no nan."""

from __future__ import annotations

import random

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import text
from tests.models.step_checker import total_gradient
from tests.programs import numpy_source
from tests.sweeps import swept

# What is kept within bounds, and its derivative by v[n].
FORMS = {
    "log(max(v[n], 0.01))": "where(v[n] >= 0.01, 1/v[n], 0)",
    "log(max(0.01, v[n]))^2": "2*where(v[n] > 0.01, log(v[n])/v[n], 0)",
    "log(clip(v[n], 0.01, 1))": "where(v[n] <= 1 and v[n] >= 0.01, 1/v[n], 0)",
    "log(1 - min(v[n], 1/2))": "-where(v[n] <= 1/2, 1/(1 - v[n]), 0)",
    "1/max(abs(v[n]), 1/2)": "-where(abs(v[n]) >= 1/2, sign(v[n])/abs(v[n])^2, 0)",
    "max(v[n], 1/2)^(3/2)": "3/2*where(v[n] >= 1/2, sqrt(v[n]), 0)",
    "exp(min(v[n], 5))": "where(v[n] <= 5, exp(v[n]), 0)",
    "min(v[n], 5)^2": "2*v[n]*where(v[n] <= 5, 1, 0)",
}
# Both sides of the bounds, exactly at them, 0, and where an exponential overflows.
POINTS = np.array([0.0, -0.0, 1e-5, 0.01, 0.02, 0.5, 0.9, 1.0, -1.0, 2.0, 5.0, 7.0, -800.0, 800.0])


def gradients_of(model: str, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The module's gradient by v, and that by the complex step through the equations."""
    system = parse_system(model)
    module = load_module(numpy_source(lower(derive(system))), "floors")
    with np.errstate(all="ignore"):
        _, found = module.value_and_grad({"v": values})
        expected = total_gradient(system, {"v": values}, {"N": len(values)}, "v")
    return found["v"], expected


@pytest.mark.parametrize("bounded", FORMS)
def test_no_divisor_leaves_its_mask(bounded: str) -> None:
    model = f"index n : N\nparam v[n]\nloss E = sum(n, {bounded})"
    assert text(derive(parse_system(model)).gradients["v"].expression) == FORMS[bounded]
    found, expected = gradients_of(model, POINTS)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-30)


def composition(seed: int) -> str:
    """A sum of terms with domains of their own, over arguments that bounds keep inside."""
    choose = random.Random(seed).choice

    def term() -> str:
        inner = choose(["v[n]", "v[n]^2", "abs(v[n])", "2*v[n]", "sum(k, v[k]^2)", "v[n]*(n + 1)"])
        bound = choose(["max({}, 0.01)", "max(0.01, {})", "clip({}, 0.01, 4)", "where({0} > 0.01, {0}, 1)"])
        outer = choose(["log({})", "1/{}", "sqrt({})", "{}^(-1/2)", "1/(1 + {})", "log({})^2", "exp(-1/{})"])
        return choose(["", "n*", "v[n]*", "relu(v[n])*"]) + outer.format(bound.format(inner))

    return "index n, k : N\nparam v[n]\nloss E = sum(n, " + " + ".join(term() for _ in range(3)) + ")"


@pytest.mark.parametrize("seed", swept(range(200), always=6))
def test_compositions_over_bounded_arguments(seed: int) -> None:
    for values in (np.zeros(3), np.array([0.0, 0.01, 2.0]), np.array([-1.0, 0.1, 0.0]), np.ones(2)):
        found, expected = gradients_of(composition(seed), values)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=composition(seed))
