"""Whole numbers that recurrences define, as positions: counters, automata, the largest so far, paths."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module
from symbackprop.errors import DerivationError
from symbackprop.explanation.instances.instance import instance_of
from tests.models.whole_language.judge import judged

STEPS = "index t : T\ninput x[t]\nparam w[t], y[t]\n"
STATES = "index t : T\nindex s, s' : S\nindex a : A\ninput o[t] in A\ninput n[s,a] in S\nparam w[s], y[t]\n"
SCORES = "index t : T\nindex k, j : K\nparam x[t,k], A[k,j], y[t]\n"
LOSS = "\nloss E = sum(t, y[t]*w[c[t]]^2)\n"

MODELS = {
    "a counter": STEPS + "c[t] = where(t == 0, 0, c[t-1] + where(x[t] > 0, 1, 0))" + LOSS,
    "backwards": STEPS + "c[t] = where(t == size(t) - 1, 0, where(x[t] > 0, c[t+1] + 1, 0))" + LOSS,
    "two steps back": STEPS + "c[t] = where(t < 2, t, where(x[t] > 0, c[t-2], c[t-1] + 1))" + LOSS,
    "since the last event": STEPS
    + "l[t] = where(t == 0, 0, where(x[t] > 0, t, l[t-1]))\nc[t] = t - l[t]"
    + LOSS,
    "a value too": STEPS
    + "c[t] = where(t == 0, 0, where(x[t] > 0, c[t-1] + 1, 0))\n"
    + "loss E = sum(t, y[t]*c[t]*where(c[t] > 0, w[c[t]-1], 0)/(1 + c[t])^2)\n",
    "the largest so far": "index n : N\nindex t : T\nparam x[n,t], w[t]\n"
    "b[n,t] = where(t == 0, 0, where(x[n,t] > x[n,b[n,t-1]], t, b[n,t-1]))\n"
    "loss E = sum(n, t, w[t]*x[n,b[n,t]]^2)\n",
    "an automaton": STATES + "q[t] = where(t == 0, 0, n[q[t-1],o[t-1]])\nloss E = sum(t, w[q[t]]*y[t])\n",
    "two at once": STATES
    + "p[t] = where(t == 0, 0, n[q[t-1],o[t]])\nq[t] = where(t == 0, size(s) - 1, n[p[t],o[t-1]])\n"
    "loss E = sum(t, y[t]*w[p[t]]*w[q[t]])\n",
    "a bounded counter": "index t : T\nindex k : K\ninput x[t]\nparam a[t], y[k]\n"
    "c[t] = where(t == 0, 0, min(c[t-1] + where(x[t] > 0, 1, 0), size(k) - 1))\n"
    "m[k] = sum(t, delta(c[t], k)*a[t]^2)\nloss E = sum(k, m[k]*y[k])\n",
    "real states that choose": "index t : T\nindex s : S\ninput z[t] in S\nparam x[t], w[s], y[t]\n"
    "h[t] = where(t == 0, x[0], sin(h[t-1])*w[q[t]] + x[t])\n"
    "q[t] = where(t == 0, z[0], where(h[t-1] > 0, mod(q[t-1] + z[t], size(s)), 0))\n"
    "loss E = sum(t, y[t]*h[t]^2)\n",
    "pointers among steps": "index t : T\nparam x[t], y[t]\n"
    "b[t] = where(t == 0, 0, where(x[t] > x[b[t-1]], t, b[t-1]))\n"
    "h[t] = where(t == 0, x[0], where(b[t-1] < t, tanh(h[b[t-1]]), 0) + x[t])\n"
    "loss E = sum(t, y[t]*h[t]^2)\n",
    "the best path (Viterbi)": SCORES + "v[t,k] = where(t == 0, x[0,k], x[t,k] + max(j, v[t-1,j] + A[j,k]))\n"
    "b[t,k] = where(t == 0, 0, argmax(j, v[t-1,j] + A[j,k]))\n"
    "s[t] = where(t == size(t) - 1, argmax(k, v[t,k]), b[t+1,s[t+1]])\n"
    "loss E = sum(t, y[t]*x[t,s[t]]^2)\n",
    "counts of each": "index t : T\nindex k : K\ninput o[t] in K\nparam w[t,k], a[k]\n"
    "c[t,k] = where(t == 0, 0, c[t-1,k] + delta(o[t], k))\nloss E = sum(t, k, w[c[t,k],k]*a[k])\n",
}


@pytest.mark.parametrize("name", MODELS)
def test_every_judge_agrees(name: str) -> None:
    verdict = judged(MODELS[name])
    assert verdict.outcome == "right", verdict.detail


def test_they_are_integers_from_the_first_step_on() -> None:
    model = sb.loads(MODELS["an automaton"], name="automaton")
    source = model.derive().to_numpy()
    assert "q = np.empty(T, dtype=np.intp)" in source
    assert "np.pad" not in source  # a step reads the step before it, and no array of all of them
    module = load_module(source, "automaton")
    table, seen = np.array([[1, 2], [2, 0], [0, 1]]), np.array([1, 0, 0, 1])
    loss, gradients = module.value_and_grad({"w": np.arange(1.0, 4.0), "y": np.ones(4)}, seen, table)
    assert loss == 1 + 3 + 1 + 2  # the states 0, 2, 0, 1
    np.testing.assert_array_equal(gradients["w"], [2.0, 1.0, 1.0])


@pytest.mark.parametrize("name", ["since the last event", "real states that choose"])
def test_in_a_workspace_and_on_an_instance(name: str) -> None:
    derivation = sb.loads(MODELS[name], name="held").derive()
    source = derivation.to_numpy(fast=True)  # held against the equations, in its workspace too
    assert "np.intp, (" in source.partition("workspace.memory(")[2]
    assert 'arrays["l"]' not in source  # no call brings it, so that none can look at it
    assert instance_of(derivation.derivation) is not None


def test_a_check_rounds_no_places() -> None:
    text = STEPS + "c[t] = where(t == size(t) - 1, size(t) - 1, where(x[t] > 0, t, c[t+1]))\n"
    assert sb.loads(text + "loss E = sum(t, y[t]*w[c[t]]*w[c[t] - t]^2)\n").check(budget=0.3).ok


def test_an_empty_axis_has_no_places() -> None:
    module = load_module(sb.loads(MODELS["a bounded counter"], name="bounded").derive().to_numpy(), "bounded")
    with pytest.raises(ValueError, match="axis K"):
        module.value_and_grad({"a": np.ones(2), "y": np.ones(0)}, np.ones(2))


def test_nothing_is_differentiated_by_them() -> None:
    with pytest.raises(DerivationError, match="'c' holds integers"):
        sb.loads(MODELS["a counter"], name="counter").derive(["c"])
