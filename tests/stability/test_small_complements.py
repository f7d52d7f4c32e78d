"""1 - sigmoid(f) keeps its digits where an exponential multiplies it that is as large as it is small."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.stability.small_complements import (
    complement_beside_exponential,
    complement_beside_reciprocal,
    less_indicator,
    log_of_complement,
)
from symbackprop.systems.printing import text
from tests.stability.test_far_data import truth

MODELS = {
    "a score by its name": "index n : N\nparam x[n], v[n]\np[n] = sigmoid(x[n])\n"
    "loss E = sum(n, log(p[n])*exp(v[n]) - p[n]^2)\n",
    "a weight by its name": "index n : N\nparam x[n], v[n]\nw[n] = exp(2*v[n])\np[n] = 1/(1 + exp(-x[n]))\n"
    "loss E = 3*sum(n, w[n]*log(p[n])) + sum(n, p[n]*v[n])\n",
}


BEHIND_NAMES = {
    "a cube root of what is left": "p[n] = sigmoid(w*x[n] + v[n])\n"
    "loss E = sum(n, p[n]/(1 - p[n])^(1/3)) - 1/10*sum(n, p[n]^2*log(1 - p[n]))\n",
    "a learned power of what is left": "p[n] = sigmoid(v[n] + w*x[n])\n"
    "loss E = -sum(n, (1 - p[n])^w*log(p[n])*x[n] + p[n]^w*log(1 - p[n]))\n",
    "a logarithm of a slope": "t[n] = tanh(w*x[n] - v[n])\n"
    "loss E = sum(n, t[n]^2*log(1 - t[n]^2)) + sum(n, x[n]*sqrt(1 - t[n]^2))\n",
}


@pytest.mark.parametrize("name", BEHIND_NAMES)
def test_a_quotient_by_a_name_keeps_what_it_divides_by(name: str) -> None:
    """delta_p divides by 1 - p, and p*(1 - p) multiplies it: finite where p is 1 to all its digits."""
    model = loads(f"index n : N\nparam x[n], v[n], w\n{BEHIND_NAMES[name]}")
    values = {"x": np.array([20.0, 41.0, -3.0]), "v": np.array([-4.0, 3.0, 2.0]), "w": np.array(1.25)}
    expected = truth(model.system, values, ("x", "v", "w"), 120)
    _, gradients = model.derive().module(verify=False).value_and_grad(values)
    for tensor, found in gradients.items():
        np.testing.assert_allclose(found, expected[tensor], rtol=1e-11, err_msg=tensor)


FLOORED = {
    "a squashed Gaussian": "loss E = sum(n, exp(w)*log(1 - tanh(x[n])^2 + 1e-6) - v[n]*tanh(x[n]))\n",
    "a floor under a chance": "loss E = sum(n, exp(w)*log(1 - sigmoid(x[n]) + 1e-5)*v[n])\n",
    "nothing large beside it": "loss E = sum(n, v[n]/(3 - 3*tanh(w*x[n])^2 + 1e-4))\n",
}


@pytest.mark.parametrize("name", FLOORED)
def test_what_is_left_above_a_floor_is_rounded_as_the_factor_beside_it_is(name: str) -> None:
    """(1 - tanh(u)^2)/(1 - tanh(u)^2 + 1e-6): one rounded and one not, the quotient is off."""
    model = loads(f"index n : N\nparam x[n], v[n], w\n{FLOORED[name]}")
    values = {
        "x": np.array([6.5, 8.0, -3.0, 11.0]),
        "v": np.array([0.5, -2.0, 1.5, 3.0]),
        "w": np.array(1.25),
    }
    expected = truth(model.system, values, ("x", "v", "w"), 60)
    loss, gradients = model.derive().module(verify=False).value_and_grad(values)
    for tensor, found in {"E": loss, **gradients}.items():
        atol = 2e-14 * float(np.max(np.abs(expected[tensor])))
        np.testing.assert_allclose(found, expected[tensor], rtol=2e-14, atol=atol, err_msg=tensor)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_right_in_the_tail(name: str) -> None:
    """At x = 40 the sigmoid is 1 to all its digits."""
    model = loads(MODELS[name])
    derivation = model.derive()
    module = derivation.module(verify=False)
    values = {"x": np.array([40.0, 37.5, -3.0, 300.0]), "v": np.array([39.0, 60.0, 2.0, 290.0])}
    expected = truth(model.system, values, ("x", "v"), 300)
    loss, gradients = module.value_and_grad(values)
    for tensor, found in {"E": loss, **gradients}.items():
        np.testing.assert_allclose(found, expected[tensor], rtol=1e-13, err_msg=tensor)


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("exp(u[k])*(1 - p[k])", "exp(u[k])*sigmoid(-u[k])"),
        ("exp(u[k])*(q[k]*(1 - p[k]) + 2)", "exp(u[k])*(q[k]*sigmoid(-u[k]) + 2)"),
        ("w[k]*q[k]*(1 - p[k])", "w[k]*q[k]*sigmoid(-u[k])"),
        ("(w[k] - q[k])*(1 - p[k])", "(w[k] - q[k])*sigmoid(-u[k])"),
        ("exp(-u[k]^2)*(1 - p[k])", None),
        ("q[k]*(1 - p[k])", None),
        ("exp(u[k])*(2 - p[k])", None),
        ("exp(u[k])*p[k]", None),
    ],
)
def test_which_complements(product: str, expected: str | None) -> None:
    system = parse_system(
        f"index k : K\nparam u[k], q[k]\np[k] = sigmoid(u[k])\nw[k] = exp(q[k])\ny[k] = {product}\n",
    )
    known = {each.tensor: (number, each) for number, each in enumerate(system.equations[:2])}
    found = complement_beside_exponential(system.equations[2].expression, Meanings(known, known=2))
    assert (None if found is None else text(found)) == expected


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("r[k]*p[k]*(1 - p[k])", "r[k]*p[k]*sigmoid(-u[k])"),
        ("(r[k] - q[k])*(1 - p[k])^2", "(r[k] - q[k])*sigmoid(-u[k])^2"),
        ("exp(softplus(u[k]) - q[k])*(2 - 2*p[k])", "2*exp(softplus(u[k]) - q[k])*sigmoid(-u[k])"),
        (
            "where(q[k] > 0, (1 - p[k])^(q[k] - 1), 0)*(1 - p[k])",
            "where(q[k] > 0, (1 - p[k])^(q[k] - 1), 0)*sigmoid(-u[k])",
        ),
        ("where(q[k] > 0, (1 - p[k])^2, 0)*(1 - p[k])", None),
        ("q[k]/p[k]*(1 - p[k])", None),
        ("r[k]*(1 - q[k])", None),
        ("exp(softplus(-u[k]))*(1 - p[k])", None),
    ],
)
def test_which_divide(product: str, expected: str | None) -> None:
    system = parse_system(
        "index k : K\nparam u[k], q[k]\np[k] = sigmoid(u[k])\nr[k] = q[k]/sqrt(1 - p[k])\n"
        f"y[k] = {product}\n",
    )
    known = {each.tensor: (number, each) for number, each in enumerate(system.equations[:2])}
    found = complement_beside_reciprocal(system.equations[2].expression, Meanings(known, known=2))
    assert (None if found is None else text(found)) == expected


@pytest.mark.parametrize("step", ["v*q[k]", "v + v*q[k]", "where(q[k] > 0, v/q[k], 0)"])
@pytest.mark.parametrize("first", ["q[k]/(1 - p[k])", "q[k]*(1 - p[k])"])
def test_a_divisor_is_found_behind_a_chain_of_names(first: str, step: str) -> None:
    """By however many ways the chain leads to it: v + v*q doubles their number at every name."""
    chain = [f"v{n}[k] = {step.replace('v', f'v{n - 1}[k]')}" for n in range(1, 300)]
    head = ["index k : K", "param u[k], q[k]", "p[k] = sigmoid(u[k])", f"v0[k] = {first}"]
    system = parse_system("\n".join([*head, *chain, "y[k] = v299[k]*(1 - p[k])", ""]))
    known = {each.tensor: (number, each) for number, each in enumerate(system.equations)}
    found = complement_beside_reciprocal(system.equations[-1].expression, Meanings(known, len(known)))
    is_divided = first.startswith("q[k]/")
    assert (None if found is None else text(found)) == ("v299[k]*sigmoid(-u[k])" if is_divided else None)


ENDS = {
    # Hits and misses, told apart by a condition: what is left of 1 is as small as 1e-30.
    "labels by a condition": "q[n] = x[n] + w\n"
    "loss E = -sum(n, where(v[n] > 0, log(sigmoid(q[n])), log(1 - sigmoid(q[n]))))\n",
    # A survival time of 1e-30, and one of 50, by the logarithm of its rate.
    "deaths before a time": "r[n] = exp(x[n])\nloss E = sum(n, log1p(-exp(-r[n]))*v[n]^2) + sum(n, w*r[n])\n",
    "an average log-probability": "q[n] = exp(x[n])/200\nloss E = sum(n, v[n]^2*log1p(-exp(-q[n]))) + w^2\n",
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ENDS)
def test_ends_of_probabilities(name: str, dtype: type) -> None:
    model = loads(f"index n : N\nparam x[n], v[n], w\n{ENDS[name]}")
    if name == "labels by a condition":
        values = {"x": np.array([70.0, 68.0, 75.0]), "v": np.array([1.0, 2.0, 0.5]), "w": np.array(-0.5)}
    else:
        values = {"x": np.array([-70.0, 4.0, -3.0]), "v": np.array([1.0, 2.0, 0.5]), "w": np.array(0.25)}
    values = {each: array.astype(dtype) for each, array in values.items()}
    expected = truth(model.system, {each: array.astype(float) for each, array in values.items()}, "xvw", 120)
    loss, gradients = model.derive().module(verify=False).value_and_grad(values)
    for tensor, found in {"E": loss, **gradients}.items():
        assert found.dtype == dtype
        tolerance = 1e-5 if dtype is np.float32 else 1e-13
        np.testing.assert_allclose(found, expected[tensor], rtol=tolerance, err_msg=tensor)


@pytest.mark.parametrize(
    ("rule", "typed", "expected"),
    [
        (log_of_complement, "log1p(-exp(g[k]))", "where(g[k] > -1, log(-expm1(g[k])), log1p(-exp(g[k])))"),
        (log_of_complement, "log1p(-2*exp(g[k]))", None),
        (log_of_complement, "log1p(exp(g[k]))", None),
        (
            less_indicator,
            "2*sigmoid(g[k]) - 2*where(f > g[k], 1, 0)",
            "2*where(f > g[k], -1, 1)*sigmoid(where(f > g[k], -g[k], g[k]))",
        ),
        (
            less_indicator,
            "where(f > 1, 1, 0) - sigmoid(g[k])",
            "-where(f > 1, -1, 1)*sigmoid(where(f > 1, -g[k], g[k]))",
        ),
        (less_indicator, "sigmoid(g[k]) - where(f > 1, 2, 0)", None),
        (less_indicator, "sigmoid(g[k]) - 2*where(f > 1, 1, 0)", None),
        (less_indicator, "sigmoid(g[k]) - where(f > 1, 1, 0) + f", None),
    ],
)
def test_the_rules_of_the_ends(rule, typed, expected):
    system = parse_system(f"index k : K\nparam g[k], f\ny[k] = {typed}\n")
    found = rule(system.definitions["y"].expression, Meanings())
    assert (found and text(found)) == expected


def test_a_power_of_a_named_exponential_less_1() -> None:
    """A mean-reverting process that hardly reverts: dv/dk is a difference of e^2 from 1 that is as small."""
    typed = (
        "param a, s\nconst d, r\nk = exp(a)\ne = exp(-k*d)\nv = exp(2*s)*(1 - exp(-2*k*d))/(2*k)\n"
        "loss L = (r*e)^2/v + log(v)\n"
    )
    system, module = loads(typed).system, loads(typed).derive().module()
    for rate in (-2.0, -20.0, -30.0, -60.0):
        values = {"a": np.array(rate), "s": np.array(0.3), "d": np.array(0.25), "r": np.array(0.7)}
        given = {each: values[each] for each in "as"}
        _, gradients = module.value_and_grad(given, d=values["d"], r=values["r"])
        expected = truth(system, values, ("a", "s"), 120)
        for each, found in gradients.items():
            np.testing.assert_allclose(found, expected[each], 0.0, 1e-14, err_msg=f"{each} at {rate}")
