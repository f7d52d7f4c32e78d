"""Maxima that a model takes off by hand, or divides by, to no effect: nothing of them is in its gradient."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.derivation.driver import derive
from symbackprop.derivation.named_parts import Shifts
from symbackprop.derivation.replaying import replayed
from symbackprop.derivation.reverse import Invariance
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import ZERO
from symbackprop.systems.printing import equation_text
from tests.models.classics import small_sample
from tests.models.judges import judge
from tests.models.recurrence_judges import drawn, expect_agreement
from tests.models.step_checker import check_every_step
from tests.programs import numpy_source

MASKED = """index n : N
index k : K
input c[n,k], d[n]
param s[n,k], v[k]
{maximum}P[n,k] = where(c[n,k] > 0, exp(s[n,k] - {shift}), 0)
y[n] = sum(k, P[n,k]*v[k])/sum(k, P[n,k])
loss E = sum(n, d[n]*sin(y[n]))
"""
BLOCKS = """index i : I
index a : A
index b : B
param r[i,a], s[i,b], v[a], w[b]
m[i] = max(a, r[i,a])
z[i] = sum(a, exp(r[i,a] - m[i]))
o[i] = sum(a, exp(r[i,a] - m[i])*v[a])
m2[i] = max(m[i], max(b, s[i,b]))
z2[i] = z[i]*exp(m[i] - m2[i]) + sum(b, exp(s[i,b] - m2[i]))
o2[i] = o[i]*exp(m[i] - m2[i]) + sum(b, exp(s[i,b] - m2[i])*w[b])
loss E = sum(i, (o2[i]/z2[i])^2)
"""
ONLINE = """index t : T
param s[t], v[t]
m[t] = where(t == 0, s[t], max(m[t-1], s[t]))
z[t] = where(t == 0, exp(s[t] - m[t]), z[t-1]*exp(m[t-1] - m[t]) + exp(s[t] - m[t]))
o[t] = where(t == 0, exp(s[t] - m[t])*v[t], o[t-1]*exp(m[t-1] - m[t]) + exp(s[t] - m[t])*v[t])
loss E = sum(t, (o[t]/z[t] - v[t])^2)
"""
NORM = """index n : N
index i : I
input x[n,i]
param w[i]
u[n,i] = w[i]*x[n,i]
m[n] = max(i, abs(u[n,i]))
r[n] = m[n]*sqrt(sum(i, (u[n,i]/m[n])^2))
loss E = sum(n, r[n])
"""
MODELS = {
    "a named maximum": MASKED.format(maximum="m[n] = max(k, s[n,k])\n", shift="m[n]"),
    "a maximum without a name": MASKED.format(maximum="", shift="max(k, s[n,k])"),
    "the least": MASKED.format(maximum="", shift="min(k, s[n,k])"),
    "two blocks": BLOCKS,
    "a scaled norm": NORM,
}


@pytest.mark.parametrize("text", MODELS.values(), ids=MODELS)
def test_no_place_of_a_maximum_is_left(text):
    derivation = judge(text)
    assert not [each for each in map(equation_text, derivation.equations) if "arg" in each]
    assert any(isinstance(step.rule, Invariance) for step in derivation.steps)


def test_a_running_maximum_has_no_gradient():
    derivation = derive(parse_system(ONLINE))
    assert replayed(derivation)["invariance"] == 1
    assert not [each for each in map(equation_text, derivation.equations) if ">=" in each]
    program, rng = lower(derivation), np.random.default_rng(0)
    module = load_module(numpy_source(program), "online")
    for steps in (1, 2, 5):
        sizes = {"T": steps}
        expect_agreement(derivation, program, module, drawn(derivation.model, sizes, rng), sizes)


def test_the_gradient_of_a_scaled_norm_is_that_of_a_norm():
    gradient = str(sb.loads(NORM).derive().gradients["w"])
    assert gradient == "dE/dw[i] = sum(n, u[n,i]*x[n,i]/r[n])"


def test_the_gradient_by_the_maximum_is_0():
    text = MODELS["a named maximum"]
    system = parse_system(text)
    derivation = derive(system, ["m", "s"])
    assert check_every_step(derivation, *small_sample(system))
    assert derivation.gradients["m"].expression == ZERO


@pytest.mark.parametrize(
    "text",
    [
        MODELS["a maximum without a name"].replace("loss E =", "loss E = sum(n, k, P[n,k]^2) +"),
        MODELS["a maximum without a name"].replace("/sum(k, P[n,k])", "/(sum(k, P[n,k]) + 1)"),
    ],
    ids=["read elsewhere", "beside a constant"],
)
def test_a_maximum_that_does_not_cancel_keeps_its_gradient(text):
    derivation = judge(text)
    assert [each for each in map(equation_text, derivation.equations) if "argmax" in each]
    assert not any(isinstance(step.rule, Invariance | Shifts) for step in derivation.steps)


def test_a_softmax_keeps_its_maximum():
    text = (
        "index k : K\nparam s[k]\ninput d[k]\n"
        "p[k] = exp(s[k] - max(k, s[k]))/sum(k, exp(s[k] - max(k, s[k])))\nloss E = sum(k, d[k]*p[k])\n"
    )
    assert not any(isinstance(step.rule, Shifts) for step in derive(parse_system(text)).steps)


@pytest.mark.parametrize(
    "logits",
    ["s*(x[n,k] - max(k, x[n,k]))", "(h[n,k] - max(k, h[n,k]))/exp(s)", "s*x[n,k]^2 - max(k, s*x[n,k]^2)"],
)
def test_a_maximum_in_logits_that_get_a_name_leaves_nothing(logits):
    text = f"""index n : N
index j, k : K
input w[n,k], v[n,k]
param x[n,k], s, B[j,k]
h[n,k] = sum(j, x[n,j]*B[j,k])
q[n,k] = softmax(k, {logits})
loss L = sum(n, k, (w[n,k]*q[n,k] - v[n,k])^2)
"""
    derivation = judge(text)
    assert not [each for each in map(equation_text, derivation.equations) if "arg" in each]


THREE_ARMS = """index n : N
input g[n], p[n], q[n], r[n]
param a, ls
func softmin(u, v, w) = min(u, min(v, w)) - log(
    exp(min(u, min(v, w)) - u) + exp(min(u, min(v, w)) - v) + exp(min(u, min(v, w)) - w))
c[n] = exp(ls)*softmin((p[n] + a)*exp(-ls), (q[n]*a)/exp(ls), r[n]/exp(ls))
loss E = sum(n, g[n]*c[n])
"""


def test_an_extremum_of_several_values_gets_a_name_where_it_cancels_in_its_own_equation():
    """By cases of which value it is, the derivative of a soft minimum is a rounding over its temperature."""
    found = sb.loads(THREE_ARMS).derive()
    assert any(isinstance(step.rule, Shifts) for step in found.derivation.steps)
    module = found.module()
    rng = np.random.default_rng(4)
    g, p, q, r = rng.normal(size=(4, 7))
    parameters = {"a": np.array(0.8), "ls": np.array(-33.0)}
    _, gradient = module.value_and_grad(parameters, g, p, q, r)
    # So cold, it is the minimum itself.
    least = np.argmin([p + 0.8, q * 0.8, r], axis=0)
    assert gradient["a"] == pytest.approx(
        np.sum(g * np.choose(least, [np.ones(7), q, np.zeros(7)])), rel=1e-13
    )
    assert abs(gradient["ls"]) < 1e-12
