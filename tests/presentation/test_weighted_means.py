"""A value and its weighted mean stay beside one another: f - sum(i, f*w) + 1."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import Add
from symbackprop.presentation.means.weighted import parts_a_weighted_mean, places_of_weighted_mean
from symbackprop.systems.printing import equation_text
from tests.programs import numpy_source

SYSTEM = parse_system(
    "index i, j : I\nindex n : N\nparam f[i], w[i], g[n,i], q[n,i], a, c, m\n"
    "loss E = a*c*sum(i, f[i]) + m*sum(j, w[j]) + sum(n, i, g[n,i]*q[n,i])\n"
)


@pytest.mark.parametrize(
    ("terms", "places"),
    [
        ("f[i] + 1 - sum(j, w[j]*f[j])", (0, 2)),
        ("c + 2*a*sum(j, w[j]*f[j]) - 2*a*f[i]", (2, 1)),
        ("f[i]^2 + c - sum(j, w[j]*f[j]^2)/a", (0, 2)),
        ("a*q[n,i] + c - a^2*q[n,i]*c - a*sum(j, g[n,j]*q[n,j])", (0, 3)),
        ("f[i] + 1 - sum(j, w[j]*g[n,j])", None),
        ("f[i] + 1 + sum(j, w[j]*f[j])", None),
        ("f[i] + 1 - 2*sum(j, w[j]*f[j])", None),
        ("c*f[i] + 1 - a*sum(j, w[j]*f[j])", None),
    ],
)
def test_a_pair_is_a_value_and_its_weighted_sum_with_the_same_in_front(
    terms: str, places: tuple[int, int] | None
) -> None:
    total = parse_expression(terms, SYSTEM)
    assert isinstance(total, Add)
    assert places_of_weighted_mean(total) == places


def test_a_form_that_parts_the_two_is_found_by_name_too() -> None:
    mean, name = parse_expression("sum(j, w[j]*f[j])", SYSTEM), parse_expression("m", SYSTEM)
    before = parse_expression("a*f[i] + a - a*m", SYSTEM)
    assert parts_a_weighted_mean(parse_expression("a*f[i] + a*(1 - m)", SYSTEM), before, {name: mean})
    assert not parts_a_weighted_mean(parse_expression("a*(f[i] - m + 1)", SYSTEM), before, {name: mean})
    assert not parts_a_weighted_mean(parse_expression("a*f[i] + a*(1 - m)", SYSTEM), before, {})


def test_a_multiple_of_the_name_has_a_name_too() -> None:
    names = {
        parse_expression("m", SYSTEM): parse_expression("sum(j, w[j]*f[j])", SYSTEM),
        parse_expression("c", SYSTEM): parse_expression("2*m", SYSTEM),
    }
    before = parse_expression("c + 3*(c*f[i] - c*m)", SYSTEM)
    assert parts_a_weighted_mean(parse_expression("3*c*f[i] + c*(1 - 3/2*c)", SYSTEM), before, names)
    assert not parts_a_weighted_mean(parse_expression("3*c*f[i] + c - 3/2*c^2", SYSTEM), before, names)


HEAD = "index b : B\nindex i : I\nparam t[b,i]\n"
MODELS = {
    "minimum": "loss E = 1/2*sum(b, sum(i, softmax(i, -t[b,i])*t[b,i])^2)\n",
    "scaled": "w[b,i] = softmax(i, 2*t[b,i])\nm[b] = sum(i, w[b,i]*t[b,i])\nloss E = 1/2*sum(b, m[b]^2)\n",
    "scaled, without a name": "loss E = 1/2*sum(b, sum(i, softmax(i, 3*t[b,i])*t[b,i])^2)\n",
    "beside another": "w[b,i] = softmax(i, t[b,i])\nm[b] = sum(i, w[b,i]*t[b,i])\n"
    "loss E = 1/2*sum(b, m[b]^2) + 1e-9*sum(b, logsumexp(i, t[b,i]))\n",
}


FORMS = {
    "w[b,i] = softmax(i, 3*t[b,i])\nm[b] = sum(i, w[b,i]*t[b,i])\nloss E = sum(b, m[b]^2)\n": (
        "w[b,i]*(6*m[b]*(t[b,i] - m[b]) + 2*m[b])"
    ),
    "w[b,i] = softmax(i, -3*t[b,i])\nm[b] = sum(i, w[b,i]*t[b,i])\nloss E = sum(b, m[b]^3)\n": (
        "w[b,i]*(9*m[b]^2*(m[b] - t[b,i]) + 3*m[b]^2)"
    ),
    "w[b,i] = softmax(i, t[b,i])\nm[b] = sum(i, 3*w[b,i]*t[b,i])\nloss E = sum(b, m[b]^2)\n": (
        "w[b,i]*(2*m[b]*(3*t[b,i] - m[b]) + 6*m[b])"
    ),
}


@pytest.mark.parametrize("model", FORMS)
def test_what_both_are_multiplied_by_stands_outside(model: str) -> None:
    derivation = derive(parse_system(HEAD + model), ["t"])
    replayed(derivation)
    assert FORMS[model] in equation_text(derivation.equations[-1])


@pytest.mark.parametrize("name", MODELS)
def test_what_a_saturated_softmax_leaves_does_not_drown_in_the_offset(name: str) -> None:
    system = parse_system(HEAD + MODELS[name])
    derivation = derive(system, ["t"])
    replayed(derivation)
    forms = [equation_text(each) for each in derivation.equations]
    module = load_module(numpy_source(lower(derivation)), name)
    for dtype, offset in ((np.float32, 1e4), (np.float64, 1e12)):
        t = (np.array([[0.0, 900.0, 300.0], [500.0, -700.0, 100.0]]) + offset).astype(dtype)
        chosen = t == (t.min if name == "minimum" else t.max)(axis=1, keepdims=True)
        _, gradients = module.value_and_grad({"t": t})
        np.testing.assert_allclose(
            gradients["t"], np.where(chosen, t, 0), rtol=1e-5, atol=1e-90, err_msg=str(forms)
        )
