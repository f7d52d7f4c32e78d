"""The closed forms: the seed's, the functions' derivatives, and the classics' published ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from symbackprop.algebra import consequences
from symbackprop.algebra import phases as order
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.phases import scope_of, simplify
from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.functions.table import FUNCTIONS
from symbackprop.language.model import parse_system
from symbackprop.rewriting.rule import Rule
from symbackprop.rewriting.strategies import result_of
from symbackprop.rules.stated_facts import FactRule
from symbackprop.systems.printing import equation_text, text
from tests.derivation.derivations import derivation_of
from tests.models.classics import NAMES, load_classic, small_sample
from tests.models.inner_checker import check_inner_steps
from tests.models.published import assert_as_published, evaluated, shape, terms
from tests.models.step_checker import check_every_step

SEED = """
index b : B
index i : I
index j : J
index k : K
input x[b,i]
target d[b,k]
param W1[j,i], b1[j], W2[k,j], b2[k]
u1[b,j] = sum(i, W1[j,i]*x[b,i]) + b1[j]
z1[b,j] = sigmoid(u1[b,j])
u2[b,k] = sum(j, W2[k,j]*z1[b,j]) + b2[k]
y[b,k] = u2[b,k]
loss E = 1/2*sum(b, k, (y[b,k] - d[b,k])^2)
"""


def printed(derivation: Derivation) -> list[str]:
    return [equation_text(equation) for equation in derivation.equations]


POWER_MEAN = """
index n : N
index k : K
input x[n,k]
param a[k], p
m[n] = mean(k, exp(p*(x[n,k] + a[k])))
y[n] = log(m[n])/p
loss E = sum(n, y[n]^3)
"""


def test_a_divisor_goes_where_it_cancels_and_a_sum_of_differences_stays_one() -> None:
    """An adjoint that is read twice loses its name where its readers are no costlier for it, and shorter.

    Log-sum-exp pooling lost digits far from 0 by the difference of two sums over the batch.
    """
    (delta_y, grad_p, grad_a) = printed(derive(parse_system(POWER_MEAN), ("a", "p")))
    assert delta_y == "delta_y[n] = 3*y[n]^2"
    assert grad_p.count("sum(n,") == 1 and "delta_m" not in grad_p
    assert "*p" not in grad_a and "/p" not in grad_a


def test_seed() -> None:
    assert printed(derive(parse_system(SEED))) == [
        "delta2[b,k] = y[b,k] - d[b,k]",
        "grad_W2[k,j] = sum(b, delta2[b,k]*z1[b,j])",
        "grad_b2[k] = sum(b, delta2[b,k])",
        "delta1[b,j] = sum(k, delta2[b,k]*W2[k,j])*z1[b,j]*(1 - z1[b,j])",
        "grad_W1[j,i] = sum(b, delta1[b,j]*x[b,i])",
        "grad_b1[j] = sum(b, delta1[b,j])",
    ]


def test_seed_by_one_weight() -> None:
    assert printed(derive(parse_system(SEED), ["W2"])) == ["grad_W2[k,j] = sum(b, (y[b,k] - d[b,k])*z1[b,j])"]


# What a textbook prints for z = f(u): in terms of z where that is cheaper.
DERIVATIVES = {
    "exp": "z[i]",
    "log": "1/u[i]",
    "sign": "0",
    "sin": "cos(u[i])",
    "cos": "-sin(u[i])",
    "tan": "1 + z[i]^2",
    "asin": "1/sqrt(1 - u[i]^2)",
    "acos": "-1/sqrt(1 - u[i]^2)",
    "atan": "1/(1 + u[i]^2)",
    "sinh": "cosh(u[i])",
    "cosh": "sinh(u[i])",
    "tanh": "1 - z[i]^2",
    "lgamma": "digamma(u[i])",
    "digamma": "trigamma(u[i])",
    "sigmoid": "z[i]*(1 - z[i])",
    "relu": "where(u[i] > 0, 1, 0)",
    "softplus": "sigmoid(u[i])",
    "silu": "sigmoid(u[i]) + z[i]*(1 - sigmoid(u[i]))",
    "log1p": "1/(1 + u[i])",
    "abs": "sign(u[i])",
}


@pytest.mark.parametrize("function", DERIVATIVES)
def test_derivative_of_a_function(function: str) -> None:
    model = f"index i : I\nparam u[i]\nz[i] = {function}(u[i])\nloss E = sum(i, z[i])\n"
    (gradient,) = derive(parse_system(model), ["u"]).equations
    expected = parse_system(f"{model}g[i] = {DERIVATIVES[function]}\n").definitions["g"]
    assert shape(gradient.expression) == shape(expected.expression), text(gradient.expression)


@pytest.mark.parametrize("function", sorted(set(DERIVATIVES) - {"sign"}))
def test_deltas_of_a_deep_net(function: str) -> None:
    """Each delta is the sum that comes back times f', in terms of what the layer has already computed."""
    model = f"""
index b : B
index i : I
index j : J
index k : K
input x[b,i]
param W1[j,i], W2[k,j]
u1[b,j] = sum(i, W1[j,i]*x[b,i])
z1[b,j] = {function}(u1[b,j])
u2[b,k] = sum(j, W2[k,j]*z1[b,j])
z2[b,k] = {function}(u2[b,k])
loss E = 1/2*sum(b, k, z2[b,k]^2)
"""
    first = DERIVATIVES[function].replace("u[i]", "u1[b,j]").replace("z[i]", "z1[b,j]")
    second = DERIVATIVES[function].replace("u[i]", "u2[b,k]").replace("z[i]", "z2[b,k]")
    published = f"delta2[b,k] = z2[b,k]*({second})\ndelta1[b,j] = sum(k, delta2[b,k]*W2[k,j])*({first})\n"
    system = parse_system(model)
    derivation = derive(system, ["W1", "W2"])
    together = parse_system(model + published)
    derived = {equation.tensor: equation for equation in derivation.equations}
    for name in ("delta2", "delta1"):
        if name in derived:
            expected = together.definitions[name].expression
            assert terms(derived[name].expression) == terms(expected), equation_text(derived[name])
    assert "delta1" in derived or "delta2" in derived


def test_the_argument_of_an_atom_stays_as_typed() -> None:
    """Not sin(log(1 + exp(u))), which is what the rational algebra computes with."""
    model = "index i : I\nparam u[i]\nz[i] = u[i]*sin(softplus(u[i]))\nloss E = sum(i, z[i])\n"
    (gradient,) = derive(parse_system(model), ["u"]).equations
    found = text(gradient.expression)
    assert "sin(softplus(u[i]))" in found and "sigmoid(u[i])" in found
    assert "exp" not in found and "log" not in found


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS) - {"trigamma", "max", "min", "exp_of_sum"}))
def test_steps_of_a_function(function: str) -> None:
    name = FUNCTIONS[function].spelling or function
    model = parse_system(f"index i : I\nparam u[i]\nz[i] = {name}(u[i])\nloss E = sum(i, z[i]^2)\n")
    values = {"u": np.array([0.3, 0.9, 0.55])}
    assert check_every_step(derive(model, ["u"]), values, {"I": 3}) > 0


@pytest.mark.parametrize("name", NAMES)
def test_classic_is_as_published(name: str) -> None:
    assert_as_published(derivation_of(name), load_classic(name))


@pytest.mark.parametrize("name", NAMES)
def test_classic_has_the_published_value_and_right_steps(name: str) -> None:
    classic = load_classic(name)
    derivation = derivation_of(name)
    values, sizes = small_sample(classic.system)
    assert check_every_step(derivation, values, sizes) > 0
    # Naming a part is a step as well, so that models without derivatives inside may have some.
    assert check_inner_steps(derivation, values, sizes) > 0 or not derivation.expansion.derivations
    ours = evaluated(derivation.system, derivation.equations, values, sizes)
    theirs = evaluated(derivation.system, tuple(classic.published.values()), values, sizes)
    for tensor in classic.published:
        np.testing.assert_allclose(ours[tensor], theirs[tensor], rtol=1e-9, atol=1e-12, err_msg=tensor)


def _shuffled(seed: int) -> Callable[..., NormalForm]:
    """A normal form whose rules, those of recurrences and matrices included, stand in another order."""

    def normal_form(rules: tuple[Rule, ...], facts: tuple[FactRule, ...] = ()) -> NormalForm:
        SHUFFLED[len(rules)] += 1
        return NormalForm(tuple(random.Random(seed).sample(rules, len(rules))), facts)

    return normal_form


SHUFFLED: Counter[int] = Counter()  # how often a phase of so many rules has been shuffled


@pytest.mark.parametrize("name", NAMES)
def test_normal_form_is_idempotent_and_independent_of_the_order_of_rules(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    classic = load_classic(name)
    first = derivation_of(name)
    scope = scope_of(first.system)
    for equation in first.equations:
        again = simplify(equation.expression, scope, frozenset(equation.indices))
        assert shape(result_of(again, equation.expression)) == shape(equation.expression)
    SHUFFLED.clear()
    for seed in range(3):
        for module in (order, consequences):
            monkeypatch.setattr(module, "NormalForm", _shuffled(seed))
        other = derive(classic.system, classic.wrt)
        assert [shape(e.expression) for e in other.equations] == [
            shape(e.expression) for e in first.equations
        ]
    assert len(SHUFFLED) >= 3, "each phase has its own rules"


PACKED = """
index b : B
index t, s : T
index i : I
index h : H
index p : P = (k v)*H
input x[b,t,i], c[b,t,s]
param W[i,p]
u[b,t,p] = sum(i, x[b,t,i]*W[i,p])
loss L = sum(b, t, s, h, c[b,t,s]*u[b,s,(k h)]*u[b,t,(v h)])
"""


def test_an_adjoint_in_blocks_is_one_tensor_that_is_summed_over() -> None:
    assert printed(derive(parse_system(PACKED))) == [
        "delta_u[b,t,p] = where(p >= size(h), sum(s, c[b,t,s]*u[b,s,p - size(h)]),"
        " sum(s, c[b,s,t]*u[b,s,size(h) + p]))",
        "grad_W[i,p] = sum(b, t, delta_u[b,t,p]*x[b,t,i])",
    ]


def test_an_adjoint_whose_terms_overlap_is_put_in() -> None:
    shifted = PACKED.replace("(k v)*H", "H + 1").replace("(k h)", "h").replace("(v h)", "h+1")
    (gradient,) = printed(derive(parse_system(shifted)))
    assert gradient.count("sum(b, t, sum(s,") == 2
