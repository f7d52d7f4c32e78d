"""exp(-h*exp(k)) is 0 before exp(k) beside it is infinite: their product is 0, not 0*inf."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from symbackprop.derivation.driver import derive
from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.lesson.rulebook.examples import parsed
from symbackprop.pipeline import loads
from symbackprop.schedule.driver import schedule_of
from symbackprop.stability.masks import where_not_vanished
from symbackprop.systems.printing import equation_text
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

HEAD = "index n : N\nindex k : K\ninput x[n], y[n]\nparam m[k], s[k], c[k]\n"
X, Y = np.array([0.5, -1.25, 2.0]), np.array([0.25, 1.0, -0.5])
M, C = np.array([0.75, -0.5]), np.array([1.5, -0.75])

MODELS = {
    "a survival curve": (
        "H[n,k] = (x[n] + 2)*exp(s[k] + y[n]*m[k])\nS[n,k] = exp(-H[n,k])\n"
        "loss E = mean(n, (sum(k, c[k]*S[n,k]) - y[n])^2)"
    ),
    "a radial basis with a named distance": (
        "d[n,k] = (x[n] - m[k])^2*exp(-2*s[k])\np[n,k] = exp(-d[n,k]/2)\n"
        "loss E = mean(n, (sum(k, c[k]*p[n,k]) - y[n])^2)"
    ),
    "a concentration": (
        "w[n,k] = exp(s[k])*(cos(x[n] - m[k]) - 1)\nq[n,k] = sigmoid(w[n,k] + 1)\n"
        "loss E = mean(n, (sum(k, c[k]*q[n,k]) - y[n])^2)"
    ),
    "a residual that a bound leaves out": (
        "r[n,k] = (x[n] - m[k])/exp(s[k])\n"
        "loss E = sum(n, k, c[k]*where(abs(r[n,k]) <= 3, r[n,k]^2*(9 - r[n,k]^2), 2))"
    ),
    "shares of densities": (
        "d[n,k] = (x[n] - m[k])^2*exp(-s[k])\np[n,k] = exp(-d[n,k])/(exp(-d[n,k]) + exp(-y[n]^2))\n"
        "loss E = mean(n, (sum(k, c[k]*p[n,k]) - y[n])^2)"
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_finite_where_an_exponential_has_vanished(name: str) -> None:
    """At +-50 the density is 0 already, and everything finite; at +-800 the exponential is not."""
    text = f"{HEAD}{MODELS[name]}\n"

    def at(s: float) -> dict[str, NDArray[np.float64]]:
        with np.errstate(all="ignore"):
            loss, gradients = module_of(text).value_and_grad({"m": M, "s": np.array([s, -0.5]), "c": C}, X, Y)
        return {"E": loss, **gradients}

    values = {"x": X, "y": Y, "m": M, "s": np.array([0.3, -0.5]), "c": C}
    expected = truth(loads(text).system, values, 50)
    for each, found in at(0.3).items():
        np.testing.assert_allclose(found, expected[each], 1e-12, 1e-14, err_msg=each)
    for s in (-1.0, 1.0):
        near, far = at(50.0 * s), at(800.0 * s)
        for each in near:
            np.testing.assert_allclose(near[each], far[each], 1e-12, 1e-20, err_msg=each)


UNGUARDED = {
    "a branch with another exponent": (
        "p[n,k] = exp(where(x[n] > 0, -m[k]*exp(s[k]), -c[k]^2))\nloss E = sum(n, (sum(k, p[n,k]) - y[n])^2)"
    ),
    "an attention with a temperature": (
        "p[n,k] = softmax(k, x[n]*m[k]*exp(s[0]))\nloss E = sum(n, (sum(k, p[n,k]*c[k]) - y[n])^2)"
    ),
    "an exponential of its own": (
        "p[n,k] = exp(-(x[n] - m[k])^2)\nloss E = sum(n, (sum(k, p[n,k]*exp(s[k])*c[k]) - y[n])^2)"
    ),
}


@pytest.mark.parametrize("name", UNGUARDED)
def test_what_no_exponential_makes_vanish_has_no_mask(name: str) -> None:
    items = schedule_of(derive(parse_system(f"{HEAD}{UNGUARDED[name]}\n"))).equations
    formulas = [equation_text(each.equation) for each in items]
    assert not any("!= 0" in each for each in formulas), formulas


@pytest.mark.parametrize(
    "formula",
    [
        "exp(-c^2*exp(x[i])/sum(i2, exp(x[i2])))*exp(x[i])",
        "sum(i, exp(-exp(x[i])))*exp(x[i2])",
        "(exp(-exp(c)) + exp(-c^2))*exp(c)",
        "exp(max(i, -exp(c)*x[i]) - max(i2, -exp(c)*x[i2]))*exp(c)",
    ],
)
def test_what_may_be_0_for_another_reason_has_no_mask(formula: str) -> None:
    assert where_not_vanished(parsed(formula), Meanings()) is None


@pytest.mark.parametrize(
    "formula", ["exp(-c^2*exp(x[i]))*exp(x[i])", "(exp(-exp(c)) + exp(-2*exp(c)))*exp(c)"]
)
def test_a_density_beside_its_own_exponential_has_a_mask(formula: str) -> None:
    assert where_not_vanished(parsed(formula), Meanings()) is not None
