"""Each gradient is seen at each axis of size 1, unless it vanishes there whatever the others."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.language.model import parse_system
from symbackprop.sampling.draws import Draws
from symbackprop.semantics.systems import evaluate_system
from symbackprop.verification.unsimplified import chain_rule_of, unsimplified_adjoints

DENSE = """
index n : N
index i : I
index k : K
input x[n,i]
target d[n] in K
param W[k,i], b[k]
y[n,k] = sum(i, W[k,i]*x[n,i]) + b[k]
p[n,k] = softmax(k, y[n,k])
loss E = -mean(n, log(p[n,d[n]]))
"""
ATTENTION = """
index t : T
index s : S
index c : C
param Q[t,c], K[s,c], V[s,c]
P[t,s] = softmax(s, sum(c, Q[t,c]*K[s,c])/sqrt(size(c)))
loss E = sum(t, c, sum(s, P[t,s]*V[s,c])^2)
"""
CONVOLUTION = """
index n : N
index i : I
index o : O
index r : R = 3
index c : C
input x[n,c,i]
param W[o,c,r], b[o]
u[n,o,i] = b[o] + sum(c, r, W[o,c,r]*pad(x[n,c,i+r-1]))
loss E = 1/2*mean(n, sum(o, i, relu(u[n,o,i])^2))
"""
LAYER_NORM = """
index n : N
index j, k : J
param x[n,j], g[j], V[k,j]
m[n] = mean(j, x[n,j])
s[n] = sqrt(mean(j, (x[n,j] - m[n])^2) + 1e-5)
y[n,j] = g[j]*(x[n,j] - m[n])/s[n]
loss E = sum(n, k, tanh(sum(j, V[k,j]*y[n,j]))^2)
"""
RECURRENCE = """
index n : N
index t : T
index q : Q
index j, k : J
index c : C
input x[n,t,q]
target d[n] in C
param W[j,q], U[j,k], V[c,j]
h[n,t,j] = tanh(sum(q, W[j,q]*x[n,t,q]) + sum(k, U[j,k]*pad(h[n,t-1,k])))
y[n,c] = sum(j, V[c,j]*h[n,size(t) - 1,j])
p[n,c] = softmax(c, y[n,c])
loss E = -mean(n, log(p[n,d[n]]))
"""
# What vanishes at an axis of size 1 in any case.
VANISHING = {
    DENSE: {("K", "W"), ("K", "b")},
    ATTENTION: {("S", "Q"), ("S", "K")},
    CONVOLUTION: set(),
    LAYER_NORM: {("J", "x"), ("J", "g"), ("J", "V")},
    RECURRENCE: {("T", "U"), ("C", "W"), ("C", "U"), ("C", "V")},
}
NAMES = ("dense", "attention", "convolution", "layer norm", "recurrence")


def draws_of(derivation: Derivation) -> Draws:
    chain_rule = chain_rule_of(derivation)

    def adjoints(values: dict, sizes: dict) -> dict:
        known = evaluate_system(derivation.system, values, sizes)
        return unsimplified_adjoints(derivation, known, sizes, chain_rule=chain_rule)

    return Draws(derivation.model, adjoints, asked=frozenset(derivation.wrt))


@pytest.mark.parametrize("text", VANISHING, ids=NAMES)
def test_each_gradient_is_seen_at_each_axis_of_size_1(text: str) -> None:
    derivation = derive(parse_system(text))
    draws = [draw for draw in draws_of(derivation) if not draw.is_at_kinks]
    axes = [axis.name for axis in derivation.model.axes if axis.size is None]
    assert all(any(name in draw.told for draw in draws) for name in derivation.wrt)
    unseen = {
        (axis, name)
        for axis in axes
        for name in derivation.wrt
        if not any(draw.sizes[axis] == 1 and name in draw.told for draw in draws)
    }
    assert unseen == VANISHING[text]
    for axis, name in unseen:  # an axis at which nothing was seen has been 1 beside others that are not
        alone = [draw for draw in draws if draw.sizes[axis] == 1]
        assert all(np.max(np.abs(draw.adjoints[name])) < 1e-6 for draw in alone)
