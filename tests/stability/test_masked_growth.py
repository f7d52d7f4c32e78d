"""Masks beside exponentials that overflow where they are not chosen: 0*inf is no number."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import ZERO, Element, Expression, Where
from symbackprop.pipeline import loads
from symbackprop.presentation.masked_sums import on_the_smaller_factor
from symbackprop.schedule.undefined_factors import infinite_rule
from symbackprop.systems.partial import Ranges

HEAD = "index t, s : T\nindex d : D\nparam a[t,d], b[t,d], g[t]\n"
PRODUCT = "sum(d, a[t,d]*b[s,d])"
# Decays that are at most 1 where s <= t, and infinite elsewhere.
MODELS = {
    "typed": f"M[t,s] = where(s <= t, {PRODUCT}*exp(g[t] - g[s]), 0)\n",
    "named": f"W[t,s] = exp(g[t] - g[s])\nM[t,s] = where(s <= t, {PRODUCT}*W[t,s], 0)\n",
    "squared": f"M[t,s] = where(s <= t, {PRODUCT}^2*exp(g[t] - g[s]), 0)\n",
    "two exponentials": f"M[t,s] = where(s <= t, {PRODUCT}*exp(g[t])*exp(-g[s]), 0)\n",
    "power of a number": f"M[t,s] = where(s <= t, {PRODUCT}*2^(g[t] - g[s]), 0)\n",
    "chosen by data": f"M[t,s] = where(g[s] >= g[t], {PRODUCT}*exp(g[t] - g[s]), 0)\n",
}
LOSSES = {"of each": "sum(t, s, M[t,s]^2)", "of rows": "sum(t, d, sum(s, M[t,s]*b[s,d])^2)"}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_what_is_not_chosen_may_be_infinite(name: str, loss: str) -> None:
    """What lies 2,000 apart adds nothing to the chosen: the gradient by a and b is that of the diagonal."""
    system = loads(f"{HEAD}{MODELS[name]}loss E = {LOSSES[loss]}\n")
    module = system.derive().module()
    rng = np.random.default_rng(3)
    given = {"a": rng.normal(size=(3, 2)), "b": rng.normal(size=(3, 2)), "g": np.array([0.0, -2e3, -4e3])}
    with np.errstate(over="ignore", invalid="raise"):  # a name that nothing masks is computed as stated
        total, found = module.value_and_grad(given)
    assert np.isfinite(total)
    assert all(np.isfinite(each).all() for each in found.values())
    step = 1e-6
    for wrt in ("a", "b"):
        for place in np.ndindex(3, 2):
            losses = []
            for sign in (1, -1):
                moved = given[wrt].copy()
                moved[place] += sign * step
                with np.errstate(over="ignore"):
                    losses.append(module.loss({**given, wrt: moved}))
            difference = (losses[0] - losses[1]) / (2 * step)
            np.testing.assert_allclose(found[wrt][place], difference, rtol=1e-6, atol=1e-8)


SYSTEM = parse_system(
    "index t, s : T\nindex d : D\nparam a[t,d], f[t,s], g[t]\nW[t,s] = exp(g[t] - g[s])\n"
    "P[t,s] = exp(g[t] - g[s])/(1 + sum(s, exp(g[t] - g[s])))\nR[t,s] = exp(-f[t,s]^2)\n"
    "M[t,s] = where(s <= t, f[t,s]*exp(g[s]), 0)\nN[t,s] = where(s <= t, f[t,s]*exp(-g[s]^2), 0)\n"
    "o[t,d] = sum(s, f[t,s]*where(s <= t, W[t,s]*a[s,d], 0))\n"
    "r[t,d] = sum(s, f[t,s]*where(s <= t, R[t,s]*P[t,s]*a[s,d], 0))\n"
    "loss E = sum(t, d, o[t,d]*r[t,d])\n"
)
RANGES = Ranges.of(SYSTEM)


def test_names_of_exponentials_may_be_infinite_and_shares_are_not() -> None:
    assert RANGES.infinite == {"W", "M", "o", "E"}


def _of(tensor: str) -> Expression:
    return SYSTEM.definitions[tensor].expression


def test_a_mask_stays_on_what_may_be_infinite() -> None:
    assert _masked(on_the_smaller_factor(_of("o"), RANGES)) == ["W"]
    assert _masked(on_the_smaller_factor(_of("r"), RANGES)) == ["f"]


def _masked(expression: Expression | None) -> list[str]:
    """The tensors on which masks stand."""
    assert expression is not None
    masks = [each.chosen for each in expression.walk() if isinstance(each, Where) and each.otherwise == ZERO]
    return [each.tensor for each in masks if isinstance(each, Element)]


def test_what_is_finite_leaves_the_mask_of_an_exponential() -> None:
    rule = infinite_rule(RANGES)
    assert rule.apply(_of("M")) is not None
    assert rule.apply(_of("N")) is None
