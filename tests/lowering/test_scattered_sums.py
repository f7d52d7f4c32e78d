"""Sums over the steps of a recurrence whose place is data: the steps add to it, none looks at all of them."""

from __future__ import annotations

import pytest

from symbackprop.array.ir import Positions
from symbackprop.array.program import Loop, Program, Store, statements_in
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from tests.models.whole_language.judge import judged

CELL = "index n : N\nindex t, s : T\nindex c : C\nindex j, k : J\ninput x[t,j]\nparam U[j,k], h0[j]\n"
MODELS = {
    "a heap": "index t : T\nparam w[t], A0\nA[t] = where(t == 0, A0, tanh(A[floor((t-1)/2)]*w[t]))\n"
    "loss E = sum(t, A[t]^2)\n# data T=6",
    "a tree": CELL + "input par[t] in T\n"
    "h[t,j] = where(par[t] < t, tanh(sum(k, U[j,k]*h[par[t],k]) + x[t,j]), h0[j])\n"
    "loss E = sum(t, j, h[t,j]^2)\n# data T=5 J=2 N=1 C=1",
    "a tree for each sample": CELL + "input par[n,t] in T\n"
    "h[n,t,j] = where(par[n,t] < t, tanh(sum(k, U[j,k]*h[n,par[n,t],k]) + x[t,j]), h0[j])\n"
    "loss E = sum(n, t, j, h[n,t,j]^2)\n# data T=4 J=2 N=3 C=1",
    "several parents": CELL + "input par[t,c] in T\n"
    "h[t,j] = tanh(sum(c, where(par[t,c] < t, sum(k, U[j,k]*h[par[t,c],k]), h0[j])) + x[t,j])\n"
    "loss E = sum(t, j, h[t,j]^2)\n# data T=4 J=2 N=1 C=3",
    "a number of steps back": CELL + "input back[t] in C\n"
    "h[t,j] = where(back[t] > 0 and back[t] <= t, tanh(sum(k, U[j,k]*h[t - back[t],k])), x[t,j]*h0[j])\n"
    "loss E = sum(t, j, h[t,j]^2)\n# data T=5 J=2 N=1 C=4",
    "children that come later": CELL + "input par[t] in T\n"
    "h[t,j] = x[t,j] + where(par[t] > t, sin(sum(k, U[j,k]*h[par[t],k])), h0[j])\n"
    "loss E = sum(t, j, h[t,j]^2)\n# data T=5 J=2 N=1 C=1",
}


def lowered(name: str) -> Program:
    return lower(derive(parse_system(MODELS[name])))


@pytest.mark.parametrize("name", MODELS)
def test_every_judge_agrees(name: str) -> None:
    verdict = judged(MODELS[name] + " seed=3 kind=normal\n")
    assert verdict.outcome == "right", f"{verdict.kind}\n{verdict.detail}"


@pytest.mark.parametrize("name", MODELS)
def test_no_step_looks_at_all_steps(name: str) -> None:
    *_, loop = [line for line in lowered(name).statements if isinstance(line, Loop)]
    assert any(isinstance(line, Store) and line.accumulate for line in loop.body)
    for value in (value for line in statements_in((loop,)) for value in line.values):
        counted = {node.index.axis.name for node in value.walk() if isinstance(node, Positions)}
        assert "T" not in counted | {index.axis.name for index in value.indices}
