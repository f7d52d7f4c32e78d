"""Tensors by which the loss does not move, since what they shift or scale cancels further on."""

from __future__ import annotations

import pytest

from symbackprop.language.model import parse_system
from symbackprop.systems.invariance import cancels_within, unmoved_tensors
from symbackprop.systems.system import System

HEAD = """index n : N
index k, l : K
index e : E
input c[n,k]
param s[n,k], v[k,e], a
"""
MASKED = "m[n] = max(k, s[n,k])\nP[n,k] = where(c[n,k] > 0, exp(s[n,k] - m[n]), 0)\n"
ONLINE = """index t : T
index e : E
param s[t], v[t,e]
m[t] = where(t == 0, s[t], max(m[t-1], s[t]))
z[t] = where(t == 0, {first}exp(s[t] - m[t]), z[t-1]*exp(m[t-1] - m[t]) + exp(s[t] - m[t]))
o[t,e] = where(t > 0, o[t-1,e]*exp(m[t-1] - m[t]), 0) + exp(s[t] - m[t])*v[t,e]
loss E = sum(e, (o[size(t)-1,e]/z[size(t)-1])^2){more}
"""
UNMOVED = {
    "a masked maximum": (HEAD + MASKED + "loss E = sum(n, e, (sum(k, P[n,k]*v[k,e])/sum(k, P[n,k]))^2)", "m"),
    "products over names": (
        HEAD + MASKED + "z[n] = sum(k, P[n,k])\no[n,e] = sum(k, P[n,k]*v[k,e])\n"
        "y[n,e] = o[n,e]/z[n]\nloss E = sum(n, e, sin(y[n,e]))",
        "m",
    ),
    "a shifted logarithm": (HEAD + MASKED + "loss E = sum(n, (m[n] + log(sum(k, P[n,k])) - s[n,0])^2)", "m"),
    "a temperature": (
        HEAD + "m[n] = max(k, s[n,k])\nP[n,k] = exp((s[n,k] - m[n])/a)\n"
        "loss E = sum(n, k, (P[n,k]/sum(k, P[n,k]))^2)",
        "m",
    ),
    "a scaled norm": (
        HEAD + "m[n] = max(k, abs(s[n,k]))\nr[n] = m[n]*sqrt(sum(k, (s[n,k]/m[n])^2))\n"
        "loss E = sum(n, sin(r[n]))",
        "m",
    ),
    "a mean": (
        HEAD + "m[n] = mean(k, s[n,k])\nP[n,k] = where(c[n,k] > 0, exp(s[n,k] - m[n]), 0)\n"
        "loss E = sum(n, k, (P[n,k]/sum(k, P[n,k]))^2)",
        "m",
    ),
    "one after another": (
        HEAD + "m[n] = max(k, s[n,k])\nq[n] = max(m[n], a)\nz[n] = sum(k, exp(s[n,k] - m[n]))\n"
        "y[n] = z[n]*exp(m[n] - q[n]) + exp(a - q[n])\nloss E = sum(n, (q[n] + log(y[n]))^2)",
        "q m",
    ),
    "a running maximum": (ONLINE.format(first="", more=""), "m"),
    "a parameter": (
        HEAD + "P[n,k] = exp(s[n,k] + a)\nloss E = sum(n, k, c[n,k]*P[n,k]/sum(k, P[n,k]))", "a",
    ),
    "the largest of what it scales": (
        HEAD + "P[n,k] = a*s[n,k]\nloss E = sum(n, k, abs(P[n,k])/max(k, relu(P[n,k])))", "a",
    ),
}  # fmt: skip
MOVED = {
    "read elsewhere": HEAD + MASKED
    + "loss E = sum(n, e, (sum(k, P[n,k]*v[k,e])/sum(k, P[n,k]))^2) + sum(n, k, P[n,k]^2)",
    "another sum below": HEAD + MASKED + "loss E = sum(n, e, sum(k, P[n,k]*v[k,e])/sum(k, exp(s[n,k])))",
    "a constant beside the sum": HEAD + MASKED
    + "loss E = sum(n, e, sum(k, P[n,k]*v[k,e])/(sum(k, P[n,k]) + 1))",
    "another power": HEAD + MASKED + "loss E = sum(n, e, sum(k, P[n,k]*v[k,e])/sum(k, P[n,k])^2)",
    "a branch that stays": HEAD + "m[n] = max(k, s[n,k])\nP[n,k] = where(c[n,k] > 0, exp(s[n,k] - m[n]), 1)\n"
    "loss E = sum(n, e, sum(k, P[n,k]*v[k,e])/sum(k, P[n,k]))",
    "a branch of exponents that stays": HEAD
    + "m[n] = max(k, s[n,k])\nP[n,k] = exp(where(c[n,k] > 0, s[n,k] - m[n], 0))\n"
    "loss E = sum(n, e, sum(k, P[n,k]*v[k,e])/sum(k, P[n,k]))",
    "other rows below": HEAD + "m[l] = max(n, s[n,l])\nP[n,k] = exp(s[n,k] - m[k])\n"
    "loss E = sum(n, k, (P[n,k]/sum(l, P[n,l]))^2)",
    "a divisor that stops": HEAD + MASKED + "loss E = sum(n, e, sum(k, P[n,k]*v[k,e])/stop(sum(k, P[n,k])))",
    "a logarithm without the shift": HEAD + MASKED + "loss E = sum(n, log(sum(k, P[n,k])))",
    "half of the shift": HEAD + MASKED + "loss E = sum(n, (m[n]/2 + log(sum(k, P[n,k])))^2)",
    "another temperature": HEAD + "m[n] = max(k, s[n,k])\nP[n,k] = exp(s[n,k] - m[n])\n"
    "z[n] = sum(k, exp((s[n,k] - m[n])/a))\nloss E = sum(n, k, (P[n,k]/z[n])^2)",
    "a running maximum that is read": ONLINE.format(first="", more=" + sum(t, z[t])"),
    "a recurrence that begins with another multiple": ONLINE.format(first="1 + ", more=""),
    "no tensor but in a condition": HEAD
    + "m[n] = max(k, s[n,k])\nloss E = sum(n, k, where(m[n] > 1, s[n,k], 0))",
    "a product of rows": HEAD + MASKED + "loss E = prod(n, sum(k, P[n,k]))/sum(n, k, P[n,k])",
}  # fmt: skip


@pytest.mark.parametrize(("text", "names"), UNMOVED.values(), ids=UNMOVED)
def test_what_cancels_is_seen(text, names):
    assert unmoved_tensors(parse_system(text)) == frozenset(names.split())


@pytest.mark.parametrize("text", MOVED.values(), ids=MOVED)
def test_what_does_not_cancel_is_not(text):
    assert unmoved_tensors(parse_system(text)) == frozenset()


def test_nothing_is_said_without_a_loss():
    assert unmoved_tensors(parse_system(HEAD + MASKED)) == frozenset()


def equation_of(text: str) -> tuple[System, str]:
    return parse_system(HEAD + "m[n] = max(k, s[n,k])\n" + text), "y"


@pytest.mark.parametrize(
    ("text", "cancels"),
    [
        ("y[n,k] = exp(s[n,k] - m[n])/sum(k, exp(s[n,k] - m[n]))", True),
        ("y[n,k] = exp(s[n,k] - m[n])", False),
    ],
)
def test_a_softmax_cancels_in_one_equation(text, cancels):
    system, name = equation_of(text)
    assert cancels_within(system.definitions[name].expression, system.tensors["m"].element) is cancels
