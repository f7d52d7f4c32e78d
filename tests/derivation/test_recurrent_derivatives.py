"""diff(...) through recurrences, backwards, forwards and within a step: autograd and quotients judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from symbackprop.derivation.chain_rules import ChainRule, ChainRuleForwards, PathRule
from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import chains, replayed
from symbackprop.derivation.result import Derivation
from symbackprop.derivation.reverse import chain_rule_between
from symbackprop.emission.loading import load_module
from symbackprop.errors import DerivationError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import ZERO, Element
from symbackprop.rewriting.justification import Justification
from symbackprop.rewriting.replay import is_anchored
from symbackprop.rewriting.rule import Step
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Role
from tests.models.inner_checker import check_inner_steps
from tests.models.step_checker import check_every_step
from tests.programs import numpy_source
from tests.sweeps import swept

PENALTY = """
index t : T
index n : N
index i : I
index j, k : J
input x[n,t,i]
param W[j,i], U[j,k], v[j]
h[n,t,j] = tanh(sum(i, W[j,i]*x[n,t,i]) + where(t > 0, sum(k, U[j,k]*h[n,t-1,k]), 0))
y[n] = sum(j, v[j]*h[n,size(t)-1,j])
g[n,t,i] = diff(y[n], x[n,t,i])
loss E = mean(n, (sqrt(sum(t, i, g[n,t,i]^2)) - 1)^2)
"""
# Model-agnostic meta-learning: the loss after steps of gradient descent, by where these start.
DESCENT = """
index t : T
index n : N
index i : I
input x[n,i]
target d[n], e[n]
param w0[i], eta
w[t,i] = where(t == 0, w0[i], w[t-1,i] - eta*g[t-1,i])
r[t,n] = sum(i, w[t,i]*x[n,i]) - d[n]
L[t] = mean(n, r[t,n]^4)
g[t,i] = diff(L[t], w[t,i])
loss E = mean(n, (sum(i, w[size(t)-1,i]*x[n,i]) - e[n])^2)
"""
LEAPFROG = """
index t : T
index s : S = T + 1
index i : I
index j : J
input q0[i], p0[i]
const dt
param A[j,i], c[j]
q[s,i] = where(s == 0, q0[i], q[s-1,i] + dt*p[s,i])
p[s,i] = where(s == 0, p0[i], p[s-1,i] - dt*f[s-1,i])
V[t] = sum(j, c[j]*log(1 + exp(sum(i, A[j,i]*q[t,i]))))
f[t,i] = diff(V[t], q[t,i])
loss E = sum(i, q[size(t),i]^2)
"""

Values = Mapping[str, Any]


def penalty(values: Values) -> Any:
    def critic(x: Any) -> Any:
        h = anp.zeros((x.shape[0], values["v"].size))
        for t in range(x.shape[1]):
            h = anp.tanh(anp.dot(x[:, t], values["W"].T) + anp.dot(h, values["U"].T))
        return anp.sum(anp.dot(h, values["v"]))

    slope = grad(critic)(values["x"])
    return anp.mean((anp.sqrt(anp.sum(anp.sum(slope**2, axis=2), axis=1)) - 1) ** 2)


def descent(values: Values, steps: int) -> Any:
    def inner(w: Any) -> Any:
        return anp.mean((anp.dot(values["x"], w) - values["d"]) ** 4)

    w = values["w0"]
    for _ in range(steps - 1):
        w = w - values["eta"] * grad(inner)(w)
    return anp.mean((anp.dot(values["x"], w) - values["e"]) ** 2)


def leapfrog(values: Values, steps: int) -> Any:
    def potential(q: Any) -> Any:
        return anp.dot(values["c"], anp.log(1 + anp.exp(anp.dot(values["A"], q))))

    q, p = values["q0"], values["p0"]
    for _ in range(steps):
        p = p - values["dt"] * grad(potential)(q)
        q = q + values["dt"] * p
    return anp.sum(q**2)


JUDGED: dict[str, tuple[str, Callable[[Values, int], Any]]] = {
    "gradient penalty": (PENALTY, lambda values, _: penalty(values)),
    "descent": (DESCENT, descent),
    "leapfrog": (LEAPFROG, leapfrog),
}
# Names of small models by the way their derivatives go; each is judged by the naive evaluator's quotients.
SMALL = {
    "forwards": """
index t : T
param w, u, x[t]
h[t] = tanh(where(t > 0, w*h[t-1], 0) + u*x[t])
s[t] = diff(h[t], w)
loss E = sum(t, s[t]^2)
""",
    "one step": """
index t : T
param w, x[t]
h[t] = where(t == 0, x[t], tanh(w*h[t-1] + x[t]))
g[t] = diff(h[t], x[t])
loss E = sum(t, g[t]^2)
""",
    "a sum over all steps, by the index's name": """
index t : T
param w, x[t]
h[t] = tanh(where(t > 0, w*h[t-1], 0) + x[t])
y[t] = 2*sum(t, h[t]) + h[t]^2
g[t] = diff(y[t], x[t])
loss E = sum(t, g[t]^2)
""",
    "coupled over T + 1": """
index t : T
index s : S = T + 1
param z0, a, x[t]
p[t] = sin(a*z[t]) + x[t]
z[s] = where(s == 0, z0, p[s-1]^2 + a*z[s-1])
y = z[size(t)]
g[t] = diff(y, p[t])
r[t] = diff(y, x[t])
q = diff(y, a)
loss E = sum(t, g[t]^2 + r[t]) + q^2
""",
    "forwards and back": """
index t, r : T
param w, x[t]
h[t] = where(t == 0, x[t], tanh(w*h[t-1] + x[t]))
g[t,r] = diff(h[t], x[r])
loss E = sum(t, r, g[t,r]^2)
""",
    "samples that meet": """
index t : T
index n, m : N
param w, u, x[n,t]
h[n,t] = tanh(x[n,t] + where(t > 0, w*h[n,t-1] + u*mean(m, h[m,t-1]), 0))
y[n] = h[n,size(t)-1]^2
g[n,t] = diff(y[n], x[n,t])
loss E = sum(n, t, g[n,t]^2)
""",
    "second order": """
index t : T
param w, x[t]
h[t] = where(t > 0, w*h[t-1], 0)^2 + x[t]
y = sum(t, h[t]^2)
c[t] = diff(y, x[t], 2)
loss E = sum(t, c[t]^2)
""",
    "start and decay": """
index t : T
index j : J
param a[j], b[j], h0[j], x[t,j]
h[t,j] = sigmoid(a[j])*where(t > 0, h[t-1,j], h0[j]) + b[j]*x[t,j]
s[t,j] = diff(h[t,j], a[j])
r[t,j] = diff(h[t,j], h0[j])
loss E = sum(t, j, s[t,j]^2 + r[t,j]^3)
""",
    "both ways at once": """
index t : T
param a, b, x[t]
f[t] = tanh(x[t] + where(t > 0, a*f[t-1], 0))
h[t] = sin(f[t] + where(t + 1 < size(t), b*h[t+1], 0))
g[t] = diff(h[t], x[t])
loss E = sum(t, g[t]^2)
""",
    "two indices": """
index i : I
index j : J
param a, b, x[i,j]
D[i,j] = x[i,j] + where(i > 0, a*sin(D[i-1,j]), 0) + where(j > 0, b*cos(D[i,j-1]), 0)
s[i,j] = diff(D[i,j], a)
loss E = sum(i, j, s[i,j]^2)
""",
    "parents": """
index t : T
input par[t] in T
param w, x[t]
h[t] = where(par[t] < t, sin(w*h[par[t]]), 0) + x[t]
y = h[size(t)-1]^2
g[t] = diff(y, x[t])
s[t] = diff(h[t], w)
loss E = sum(t, g[t]^2 + s[t]^2)
""",
}


@cache
def derivation_of(model: str) -> Derivation:
    return derive(parse_system(model, "recurrent"))


def drawn(model: str, sizes: Mapping[str, int]) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    declared = [t for t in parse_system(model).tensors.values() if t.role not in (Role.DERIVED, Role.SIZE)]
    shapes = {each.name: [sizes[index.axis.name] for index in each.indices] for each in declared}
    return {
        each.name: rng.normal(size=shapes[each.name]) / 2
        if each.values is None
        else rng.integers(0, sizes[each.values.name], shapes[each.name])
        for each in declared
    }


def sizes_of(model: str, steps: int) -> dict[str, int]:
    others = {"N": 2, "I": 3, "J": 4, "S": steps + 1} if steps > 1 else {"N": 1, "I": 2, "J": 1, "S": 2}
    axes = [axis.name for axis in parse_system(model).axes]
    return {name: steps if name == "T" else others[name] for name in axes}


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("name", JUDGED)
def test_against_autograd(name: str, steps: int) -> None:
    model, loss = JUDGED[name]
    sizes = sizes_of(model, steps)
    values = drawn(model, sizes)
    module = load_module(numpy_source(lower(derivation_of(model))), "model")
    params = {tensor: values[tensor] for tensor in module.PARAMETERS}
    others = {tensor: value for tensor, value in values.items() if tensor not in params}
    others |= {each.name: steps for each in derivation_of(model).model.with_role(Role.SIZE)}
    found, gradients = module.value_and_grad(params, **others)
    expected = grad(lambda chosen: loss({**values, **chosen}, steps))(params)
    np.testing.assert_allclose(found, loss(values, steps), rtol=1e-11)
    for tensor in params:
        scale = max(1.0, float(np.max(np.abs(expected[tensor]))))
        np.testing.assert_allclose(gradients[tensor], expected[tensor], rtol=1e-9, atol=1e-11 * scale)


@pytest.mark.parametrize("name", swept([*SMALL], always=4))
def test_every_step_and_the_meaning_of_diff(name: str) -> None:
    derivation = derivation_of(SMALL[name])
    assert sum(replayed(derivation).values()) > 30
    for steps in (1, 3):
        sizes = {axis.name: {"T": steps, "S": steps + 1}.get(axis.name, 2) for axis in derivation.model.axes}
        values = drawn(SMALL[name], sizes)
        stated, expanded = (evaluate(each, values, sizes) for each in (derivation.model, derivation.system))
        for tensor in stated:
            np.testing.assert_allclose(expanded[tensor], stated[tensor], rtol=1e-10, atol=1e-12)
    assert check_inner_steps(derivation, values, sizes) > 10
    assert check_every_step(derivation, values, sizes) > 10


def forged(rule: Justification) -> Iterator[PathRule]:
    """The rule with a path left out, or with none."""
    match rule:
        case ChainRuleForwards(_, operands):
            for at in range(len(operands)):
                yield replace(rule, operands=(*operands[:at], *operands[at + 1 :]))
        case ChainRule(consumers):
            for at in range(len(consumers)):
                yield replace(rule, consumers=(*consumers[:at], *consumers[at + 1 :]))


@pytest.mark.parametrize("model", [SMALL["forwards"], SMALL["one step"], DESCENT])
def test_a_path_left_out_is_noticed(model: str) -> None:
    refused = 0
    for chain in chains(derivation_of(model)):
        for step in chain.steps:
            assert is_anchored(step, chain.grounds)
            for wrong in forged(step.rule):
                assert not is_anchored(replace(step, rule=wrong), chain.grounds)
                refused += 1
    assert refused > 2


def test_the_root_s_own_equation_alone_is_no_way_back_through_its_earlier_steps() -> None:
    derivation = derivation_of(SMALL["forwards"])
    system = derivation.system
    root, target = system.definitions["h"].element, Element("w")
    total, rule = chain_rule_between(system, root, target, system.definitions.keys())
    step = Step(rule, (), total, rule.again(total) or ZERO)
    assert not any(is_anchored(step, chain.grounds) for chain in chains(derivation))


def equation(model: str, tensor: str) -> str:
    return equation_text(derivation_of(model).system.definitions[tensor])


def test_the_forms_are_those_of_textbooks() -> None:
    assert equation(DESCENT, "g") == "g[t,i] = 4*sum(n, r[t,n]^3*x[n,i])/size(n)"
    assert equation(LEAPFROG, "f") == "f[t,i] = sum(j, c[j]*sigmoid(u_V[t,j])*A[j,i])"
    assert equation(PENALTY, "g") == "g[n,t,i] = sum(j, dy_du_h[n,t,j]*W[j,i])"


def test_what_needs_one_index_over_the_steps_has_one() -> None:
    for name in ("forwards", "one step", "coupled over T + 1"):
        system = derivation_of(SMALL[name]).system
        over_steps = [
            [index for index in each.indices if index.axis.name in "TS"] for each in system.equations
        ]
        assert max(map(len, over_steps)) == 1, name


def test_samples_apart_need_no_jacobian_over_both() -> None:
    kept = [each for each in derivation_of(PENALTY).expansion.derivations if each.kept]
    assert kept and all(len(each.equation.indices) <= 3 for each in kept)


def test_a_recurrence_that_takes_its_own_derivatives_along_the_steps_is_refused() -> None:
    model = """
index t : T
param w, x[t]
h[t] = tanh(where(t > 0, w*h[t-1] - g[t-1], 0) + x[t])
g[t] = diff(h[t], w)
loss E = sum(t, h[t]^2)
"""
    with pytest.raises(DerivationError, match=r"diff\(h\[t\], w\) goes through 'g'") as caught:
        derive(parse_system(model))
    assert caught.value.place is not None and caught.value.place.line == 5
