"""What is accepted forwards has an adjoint: fixed steps, several parents, positions that are rounded."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import equation_text
from tests.models.whole_language.judge import judged

PAST = "index t, s : T\nparam a[t], w\n"
MODELS = {
    "first step": PAST + "A[t] = where(t == 0, w, a[t]*A[t-1]*A[0])\nloss E = sum(t, A[t]^2)\n# data T=4",
    "a fixed step": PAST
    + "A[t] = a[t] + where(t > 1, w*A[t-1]*A[1], 0)\nloss E = sum(t, A[t]^3)\n# data T=5",
    "half of the way": PAST + "A[t] = where(t < 1, w, a[t]*sigmoid(A[floor(t/2)]))\n"
    "loss E = sum(t, A[t]^2)\n# data T=5",
    "two parents": "index t : T\ninput l[t], r[t] in T\nparam x[t], w\n"
    "h[t] = x[t] + where(l[t] < t and r[t] < t, w*h[l[t]]*h[r[t]], 0)\nloss E = sum(t, h[t]^2)\n# data T=5",
    "steps back": "index t : T\nindex c : C\ninput back[t] in C\nparam x[t], w\n"
    "h[t] = where(back[t] > 0 and back[t] <= t, tanh(w*h[t - back[t]]), x[t])\nloss E = sum(t, h[t]^2)\n"
    "# data T=5 C=4",
    "a season back": "index t : T\nindex p : P\nparam x[t], w, s0[p]\n"
    "h[t] = x[t] + w*where(t < size(p), s0[t+0], sin(h[t-size(p)]))\nloss E = sum(t, h[t]^2)\n# data T=5 P=2",
    "a season ahead, and the next step": "index t : T\nindex p : P\nparam x[t], w[p]\n"
    "h[t] = x[t] + sum(p, w[p]*where(t + size(p) < size(t), h[t + size(p)]*x[t]^p, 0))"
    " + sin(w[0]*pad(h[t+1]))\nloss E = sum(t, h[t]^2)\n# data T=5 P=2",
    "at least one step back": "index t : T\nindex c : C\ninput back[t] in C\nparam x[t], w[c]\n"
    "h[t] = x[t] + w[back[t]]*pad(h[t - 1 - back[t]])\nloss E = sum(t, sin(h[t]))\n# data T=5 C=3",
    "at least one step ahead, guarded": "index t : T\nindex c : C\ninput on[t] in C\nparam x[t], w[c]\n"
    "h[t] = where(t + on[t] + 1 < size(t), w[on[t]]*h[t + 1 + on[t]]^2, x[t])\n"
    "loss E = sum(t, h[t]^2)\n# data T=5 C=3",
    "a tree": "index t : T\nindex j, k : J\ninput par[t] in T\ninput x[t,j]\nparam U[j,k], h0[j]\n"
    "h[t,j] = where(par[t] < t, tanh(sum(k, U[j,k]*h[par[t],k]) + x[t,j]), h0[j])\n"
    "loss E = sum(t, j, h[t,j]^2)\n# data T=5 J=2",
    "a parent beside the step": "index t : T\nindex j, k : J\ninput par[t] in T\nparam x[t,j], U[j,k]\n"
    "h[t,j] = where(t < 2, x[t,j], tanh(sum(k, U[j,k]*where(par[t-2] < t, h[par[t-2],k], x[t,k]))))\n"
    "loss E = sum(t, j, h[t,j]^2)\n# data T=5 J=2",
    "a parent under an exponential": "index t : T\ninput par[t] in T\nparam x[t], w\n"
    "h[t] = x[t] + w*where(par[t] < t, exp(-w*h[par[t]])/(1 + exp(h[par[t]])), 1)\n"
    "loss E = sum(t, h[t]^2)\n# data T=5",
    "parents in a log-sum-exp": "index t : T\nindex c : C\nindex i, j : I\ninput par[t,c] in T\n"
    "param A[i,j], x[t,i]\nh[t,i] = x[t,i]"
    " + sum(c, where(par[t,c] < t, log(sum(j, exp(A[i,j] + h[par[t,c],j]))), 0))\n"
    "loss E = mean(t, i, h[t,i]^2)\n# data T=4 C=2 I=3",
    "a softmax of a parent": "index t : T\nindex j, k : J\ninput par[t] in T\nparam x[t,j], U[j,k]\n"
    "h[t,j] = x[t,j] + where(par[t] < t, sum(k, U[j,k]*softmax(k, h[par[t],k])), 0)\n"
    "loss E = sum(t, j, h[t,j]^2)\n# data T=5 J=2",
    "a later parent": "index t : T\ninput par[t] in T\nparam x[t], w\n"
    "h[t] = sin(x[t] + where(t < size(t) - 1, where(par[t+1] > t, w*h[par[t+1]], x[t]), 0))\n"
    "loss E = sum(t, h[t]^2)\n# data T=5",
    "steps back beside the step": "index t : T\ninput back[t] in T\nparam x[t], w\n"
    "h[t] = sin(x[t] + where(t > 0, where(back[t-1] > 0 and back[t-1] <= t, w*h[t - back[t-1]], x[t]), 0))\n"
    "loss E = sum(t, h[t]^2)\n# data T=5",
    "what the guard keeps inside too": "index t : T\ninput back[t] in T\nparam x[t], y[t]\n"
    "h[t] = x[t] + where(back[t] > 0 and back[t] <= t, y[back[t] - 1]*h[t - back[t]]/back[t], 0)\n"
    "loss E = sum(t, h[t]^2)\n# data T=5",
    "a tree of two parents with leaves": "index t : T\nindex i, j : J\ninput l[t], r[t] in T\n"
    "param x[t,i], U[i,j], V[i,j]\n"
    "h[t,i] = where(t < 2, x[t,i], sigmoid(x[t,i] - sum(j, U[i,j]*where(l[t] < t, h[l[t],j], 0))"
    " + sum(j, V[i,j]*where(r[t] < t - 1, h[r[t],j]^2, 0))))\n"
    "loss E = sum(t, i, h[t,i]^2)\n# data T=5 J=2",
    "a tree that is read from its end": "index t : T\ninput l[t], r[t] in T\nparam x[t], w\n"
    "h[t] = where(t == size(t) - 1, w, exp(-(w*where(l[t] > t, h[l[t]], 0)"
    " + x[t]*where(r[t] > t, sin(h[r[t]]), 0))))\nloss E = sum(t, h[t]^2)\n# data T=5",
    "one of two earlier steps, by a real number": "index t : T\nparam x[t], z[t], w\n"
    "h[t] = x[t] + where(t < 2, 0, tanh(w*h[where(z[t] > 0, t - 1, t - 2)]))\n"
    "loss E = sum(t, h[t]^2)\n# data T=5",
    "a parent or the first step": "index t : T\ninput par[t] in T\nparam x[t], z[t], w\n"
    "h[t] = x[t] + where(par[t] < t, w*sin(h[where(z[t] > 0, par[t], 0)]), 0)\n"
    "loss E = sum(t, h[t]^2)\n# data T=5",
    "the next step or the last": "index t : T\nparam x[t], z[t], w\n"
    "h[t] = x[t] + where(t < size(t) - 1, w*h[where(z[t] > 0, t + 1, size(t) - 1)], 0)\n"
    "loss E = sum(t, h[t]^2)\n# data T=5",
    "two choices under one guard": "index t : T\nparam x[t], z[t], w\n"
    "h[t] = where(t == 0, w, x[t]*h[where(z[t] > 0, t - 1, 0)] + w*h[where(z[t] < 0, t - 1, floor(t/2))])\n"
    "loss E = sum(t, h[t]^2)\n# data T=5",
    "a choice of each term of a sum": "index t : T\nindex k : K\nparam x[t], z[t,k], w[k,t]\n"
    "h[t] = x[t] + where(t == 0, 0, sum(k, w[k,t]*h[where(z[t,k] > 0, t - 1, 0)]))\n"
    "loss E = sum(t, h[t]^2)\n# data T=4 K=3",
    "the best of the earlier steps": "index t, s : T\nparam x[t], w, q[t,s]\n"
    "b[t] = argmax(s, where(s < t, q[t,s], -1000))\n"
    "h[t] = x[t] + where(b[t] < t, w*h[b[t]], 0)\nloss E = sum(t, h[t]^2)\n# data T=5",
    "two masked pasts": "index t, s : T\nparam x[t], w, A[t,s], B[t,s]\n"
    "h[t] = where(t == 0, w, x[t] + sin(sum(s, where(s < t, A[t,s]*h[s], 0))"
    " + sum(s, where(s < t - 1, B[t,s]*h[s], 0))))\nloss E = sum(t, h[t]^2)\n# data T=5",
    "a mean of the past by weights": "index t, s : T\nparam x[t], w\n"
    "h[t] = where(t == 0, w, x[t] - sum(s, where(s < t, exp(h[s])*x[s], 0))"
    "/sum(s, where(s < t, exp(h[s]), 0)))\nloss E = sum(t, h[t]^2)\n# data T=5",
    "a ratio of pasts": "index t, s : T\nparam x[t], w\n"
    "h[t] = x[t]^2 + where(t > 0, w*sum(s, where(s < t, h[s]^2, 0))/sum(s, where(s < t, h[s], 0)), 1)\n"
    "loss E = sum(t, h[t])\n# data T=5",
}


@pytest.mark.parametrize("name", MODELS)
def test_every_judge_agrees(name: str) -> None:
    verdict = judged(MODELS[name] + " seed=3 kind=normal\n")
    assert verdict.outcome == "right", f"{verdict.kind}\n{verdict.detail}"


def test_a_name_takes_the_condition_on_what_is_looked_up_with_it() -> None:
    before = "index t : T\ninput par[t], other[t] in T\nparam w\n"
    guarded = "h[t] = where({} < t, tanh(w*h[par[t]]), w)\nloss E = sum(t, h[t]^2)\n"
    steps = derive(parse_system(before + guarded.format("par[t]"))).system.definitions
    assert equation_text(steps["u_h"]) == "u_h[t] = where(par[t] < t, w*h[par[t]], 0)"
    with pytest.raises(NotationError, match="in a circle"):
        parse_system(before + guarded.format("other[t]"))


def test_a_season_has_steps() -> None:
    derivation = derive(parse_system(MODELS["a season back"]))
    assert lower(derivation).not_empty["P"] == "h[t]"
    texts = [equation_text(each) for each in derivation.equations]
    assert "delta_h[t] = pad(delta_h[size(p) + t])*cos(h[t])*w + 2*h[t]" in texts


def adjoint(name: str) -> str:
    return equation_text(derive(parse_system(MODELS[name])).equations[0])


def test_a_fixed_step_is_where_all_later_ones_are_read() -> None:
    assert adjoint("first step") == (
        "delta_A[t] = where(t + 1 < size(t), delta_A[t + 1]*a[t + 1]*A[0], 0)"
        " + where(t == 0, sum(t', where(t' != 0, a[t']*A[t' - 1]*delta_A[t'], 0)), 0) + 2*A[t]"
    )


def test_each_parent_has_a_sum_of_its_own() -> None:
    assert adjoint("two parents") == (
        "delta_h[t] = w*(sum(t', delta(l[t'],t)*where(t < t' and r[t'] < t', h[r[t']]*delta_h[t'], 0))"
        " + sum(t', delta(r[t'],t)*where(t < t' and l[t'] < t', h[l[t']]*delta_h[t'], 0))) + 2*h[t]"
    )


def test_a_delta_tells_how_many_steps_back_were_looked_up() -> None:
    assert adjoint("steps back") == (
        "delta_h[t] = sum(t', delta(t' - back[t'],t)*where(t' - t > 0, delta_u_h[t'], 0))*w + 2*h[t]"
    )
