"""Tensors over axes of different lengths that recur through each other: derivation, program and module."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from tests.models.recurrence_judges import drawn, expect_agreement
from tests.models.step_checker import check_every_step
from tests.programs import numpy_source

RELATED = "index t : T\nindex s : S = T + 1\n"
LABELS = RELATED + "index v : V\ninput y[t] in V\nparam A[s,v]\n"

MODELS = {
    "states between inputs": RELATED
    + "param a[t], z0\np[t] = tanh(z[t])\nz[s] = where(s == 0, z0, a[s-1]*p[s-1])\n"
    "loss E = sum(s, z[s]^2)",
    "backwards": RELATED + "param a[t], z0\np[t] = tanh(z[t+1])*a[t]\nz[s] = where(s < size(t), p[s], z0)\n"
    "loss E = sum(s, z[s]^2)",
    "two steps longer": "index t : T\nindex s : S = T + 2\nparam a[t], z0[s]\np[t] = a[t]*z[t]\n"
    "z[s] = where(s < 2, z0[s], z0[s] + p[s-2])\nloss E = sum(s, z[s]^2)",
    "filter": RELATED + "input y[t], K[t]\nparam a0, w\na[s] = where(s == 0, a0, w*m[s-1])\n"
    "m[t] = a[t] + K[t]*(y[t] - a[t])\nloss E = 1/2*sum(t, (y[t] - a[t])^2)",
    "read ahead of what reads back": "index t : T\nindex s : S = T + 2\nparam a[t], z0[s]\n"
    "p[t] = tanh(a[t]*z[t+1])\nz[s] = where(s < 2, z0[s], z0[s] + p[s-2])\nloss E = sum(s, z[s]^2)",
    "ahead and back along one axis": "index t : T\nindex h, k : H\nparam a[t,h], b[t], W[h,k]\n"
    "p[t,h] = tanh(a[t,h] + sum(k, W[h,k]*pad(z[t+1,k])))\nz[t,h] = b[t] + pad(p[t-2,h])*pad(z[t-1,h])\n"
    "loss E = sum(t, h, z[t,h]^2*p[t,h])",
    "further ahead than back": "index t : T\nparam a[t], b[t]\np[t] = tanh(a[t] + pad(z[t+2]))\n"
    "z[t] = b[t]*pad(p[t-1])\nloss E = sum(t, (z[t] + p[t])^2)",
    "three of them": RELATED
    + "index r : R = T + 3\nparam a[t], b[s], z0, w0[r]\np[t] = tanh(a[t]*z[t] + w[t+2])\n"
    "z[s] = where(s == 0, z0, b[s]*w[s+1])\nw[r] = where(r < 3, w0[r], w0[r]*p[r-3])\n"
    "loss E = sum(s, z[s]^2) + sum(t, p[t])",
    # labels stand on the shorter axis, and lack the last state's place
    "a label a step": LABELS
    + "h[s] = where(s == 0, A[0,0], sin(h[s-1] + A[s-1,y[s-1]]))\nloss E = h[size(t)]^2",
    "labels in a table": LABELS + "index h : H\nparam B[h]\nD[h,s] = where(s == 0, B[h], "
    "where(h == 0, D[h,s-1]*A[s-1,y[s-1]], sin(D[h-1,s]*D[h,s-1] + A[s-1,y[s-1]])))\nloss E = D[1,size(t)]",
    "not at the last": LABELS + "loss E = sum(s, where(s == size(s) - 1, 0, A[s,y[s]])^2)",
    "second index": "index t, s : T\nparam a[t,s]\nA[t,s] = a[t,s]*tanh(where(s == 0, 1, A[t,s-1]))\n"
    "loss E = sum(t, s, A[t,s]^2)",
}


@pytest.mark.parametrize("name", MODELS)
def test_every_judge_agrees(name: str) -> None:
    system = parse_system(MODELS[name])
    derivation = derive(system)
    program = lower(derivation)
    module = load_module(numpy_source(program), "model")
    rng = np.random.default_rng(5)
    longer = 2 if "T + 2" in MODELS[name] else 1
    for steps in (0, 1, 3):
        sizes = {"T": steps, "S": steps + longer, "R": steps + 3, "H": 2, "V": 4}
        values = drawn(system, sizes, rng)
        if steps == 3:
            assert check_every_step(derivation, values, sizes) > 10
        expect_agreement(derivation, program, module, values, sizes)


def test_the_steps_that_a_shorter_axis_lacks_have_a_loop_of_their_own() -> None:
    source = numpy_source(lower(derive(parse_system(MODELS["filter"]), ["a0", "m", "a"])))
    forward, backward = source.split("def value_and_grad")
    assert forward.index("for t in range(T):") < forward.index("for s in range(T, S):")
    assert backward.index("for s in reversed(range(T, S)):") < backward.index("for t in reversed(range(T)):")
    assert "if s < T" not in source  # decided: no step of the second loop has a place in the shorter axis


def test_a_recurrence_over_one_axis_has_one_loop() -> None:
    text = RELATED + "param a[t], z0\nz[s] = where(s == 0, z0, a[s-1]*z[s-1])\nloss E = sum(s, z[s]^2)"
    assert "range(T, S)" not in numpy_source(lower(derive(parse_system(text))))


def test_what_a_guard_leaves_out_is_read_as_zero_before_it_is_computed() -> None:
    """h[par[t]] of a parent that comes later must not be what memory held."""
    text = "index t : T\ninput par[t] in T\nparam x[t], w\n"
    text += "h[t] = x[t] + where(par[t] < t, w*h[par[t]], 0)\nloss E = sum(t, h[t]^2)"
    assert "h = np.zeros(" in numpy_source(lower(derive(parse_system(text))))


def test_what_reads_ahead_is_computed_as_many_steps_later() -> None:
    source = numpy_source(
        lower(derive(parse_system(MODELS["read ahead of what reads back"]), ["a", "z", "p"]))
    )
    forward, backward = source.split("def value_and_grad")
    assert "for s in range(1):" in forward and "z[t + 1] = " in forward and "p[t] = " in forward
    assert forward.index("for t in range(T):") < forward.index("for s in range(T + 1, S):")
    assert backward.index("for s in reversed(range(T + 1, S)):") < backward.index(
        "for t in reversed(range(T)):"
    )


@pytest.mark.parametrize(
    "equations",
    [
        "p[t] = tanh(z[t+1])\nz[s] = where(s == 0, z0, a[s-1]*p[s-1])\n",  # p[t] needs p[t]
        "p[t] = tanh(z[t+1]) + z[t]\nz[s] = where(s == 0, z0, a[s-1]*pad(p[s-2]) + pad(p[s]))\n",  # both ways
        "p[t] = tanh(z[t+1])\nz[s] = where(s == 0, z0, a[s-1]*pad(p[2*s-4]))\n",  # no fixed distance
    ],
)
def test_what_no_offset_puts_in_order_is_a_circle(equations: str) -> None:
    with pytest.raises(NotationError, match="in a circle: p needs z needs p"):
        derive(parse_system(f"{RELATED}param a[t], z0\n{equations}loss E = sum(s, z[s]^2)"))


def test_a_faster_module_agrees() -> None:
    derivation = sb.loads(MODELS["three of them"]).derive()
    modules = [derivation.module(), derivation.module(fast=True)]
    rng = np.random.default_rng(2)
    values = {"a": rng.normal(size=4), "b": rng.normal(size=5), "z0": np.array(0.3), "w0": rng.normal(size=7)}
    (loss, grads), (other, others) = (each.value_and_grad(values) for each in modules)
    np.testing.assert_allclose(other, loss)
    for name, array in grads.items():
        np.testing.assert_allclose(others[name], array, rtol=1e-12)
