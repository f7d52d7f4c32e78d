"""Recurrences over two indices, a loop within a loop: derivation, program and module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from symbackprop.array.program import Program
from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import equation_text
from tests.models.recurrence_judges import drawn, expect_agreement
from tests.programs import lower_system, numpy_source

GRID = "index i : N\nindex j : M\n"
MODELS: Mapping[str, str] = {
    "layers and time": "index l : N\nindex t : M\nindex j, k : J\ninput x[t,j]\nparam U[l,j,k], W[l,j,k]\n"
    "h[l,t,j] = tanh(sum(k, W[l,j,k]*where(l == 0, x[t,k], h[l-1,t,k])) + sum(k, U[l,j,k]*pad(h[l,t-1,k])))\n"
    "loss E = sum(t, j, pad(h[size(l)-1,t,j])^2)",
    "transducer": GRID + "param b[i,j], y[i,j]\n"
    "A[i,j] = where(i == 0, b[i,j], log(exp(A[i-1,j] + b[i-1,j])"
    " + exp(where(j > 0, A[i,j-1] + y[i,j-1], -9))))\n"
    "loss E = -sum(i, j, A[i,j]^2)",
    "opposite ways": GRID + "param x[i,j], a, b\n"
    "s[i,j] = x[i,j] + a*sin(pad(s[i+1,j])) + b*pad(s[i,j-1])*pad(s[i+1,j+1])\nloss E = sum(i, j, s[i,j]^3)",
    "states one longer": GRID + "index p : P = N + 1\nindex q : Q = M + 1\nparam a[i,j], y0[p]\nconst z0[q]\n"
    "g[i,j] = tanh(z[i,j+1]*a[i,j] + z[i,j])\n"
    "z[p,q] = where(p == 0, z0[q], where(q == 0, y0[p], g[p-1,q-1]*z[p,q-1]))\nloss E = sum(p, q, z[p,q]^2)",
}


@cache
def worked_out(name: str) -> tuple[Derivation, Program, str]:
    """The derivation, its program, and the module's text."""
    derivation = derive(parse_system(MODELS[name]))
    program = lower(derivation)
    return derivation, program, numpy_source(program)


def arrays(text: str, rows: int, columns: int) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    system = parse_system(text)
    sizes = {"N": rows, "M": columns, "P": rows + 1, "Q": columns + 1, "J": 2}
    sizes = {axis.name: sizes[axis.name] for axis in system.axes}
    return drawn(system, sizes, np.random.default_rng(5)), sizes


@pytest.mark.parametrize("name", MODELS)
def test_every_judge_agrees(name: str) -> None:
    derivation, program, source = worked_out(name)
    module = load_module(source, "model")
    for rows, columns in ((2, 2), (3, 1)):
        values, sizes = arrays(MODELS[name], rows, columns)
        expect_agreement(derivation, program, module, values, sizes)


def test_empty_grids_have_a_loss_of_zero() -> None:
    module = load_module(worked_out("opposite ways")[2], "model")
    for shape in ((0, 3), (3, 0), (0, 0)):
        loss, grads = module.value_and_grad({"x": np.zeros(shape), "a": 1.0, "b": 2.0})
        assert loss == 0
        assert grads["x"].shape == shape
        assert grads["a"] == grads["b"] == 0


def test_layers_and_time_in_the_published_form() -> None:
    delta, *weights = worked_out("layers and time")[0].equations
    assert equation_text(delta) == (
        "delta_u_h[l,t,j] = (1 - h[l,t,j]^2)*("
        "where(l + 1 < size(l), sum(k, delta_u_h[l + 1,t,k]*W[l + 1,k,j]), 0)"
        " + 2*h[l,t,j]*delta(size(l) - 1,l)"
        " + where(t + 1 < size(t), sum(k, U[l,k,j]*delta_u_h[l,t + 1,k]), 0))"
    )
    assert sorted(map(equation_text, weights)) == [
        "grad_U[l,j,k] = sum(t, delta_u_h[l,t,j]*pad(h[l,t - 1,k]))",
        "grad_W[l,j,k] = sum(t, delta_u_h[l,t,j]*where(l == 0, x[t,k], h[l - 1,t,k]))",
    ]


def test_what_recurs_over_one_index_alone_is_vectorised_over_the_other() -> None:
    text = GRID + "param x[i,j], w[i]\nu[i,j] = where(i == 0, x[i,j], h[i-1,j])\nm[i] = mean(j, u[i,j])\n"
    text += "c[i,j] = sigmoid(u[i,j] - m[i])*pad(c[i,j-1]) + w[i]*u[i,j]\nh[i,j] = tanh(c[i,j]) + u[i,j]\n"
    source = numpy_source(lower_system(parse_system(text)))
    body = source[source.index("for i in range(N):") :]
    inner = body[body.index("for j in range(M):") :]
    # u and m of a row stand before the loop over j, h after it; c alone is in the loop.
    assert body.index("m = ") < body.index("for j in range(M):")
    assert inner.index("c[i, j] =") < inner.index("h[i] =")


def test_the_adjoint_runs_over_both_indices_the_other_way() -> None:
    source = worked_out("opposite ways")[2]
    forward, backward = source.split("def value_and_grad")
    assert forward.index("for i in reversed(range(N)):") < forward.index("for j in range(M):")
    assert backward.index("for i in range(N):") < backward.index("for j in reversed(range(M)):")
