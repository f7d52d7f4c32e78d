"""Tensors over axes of different lengths that recur through each other: derivation, program and module."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from tests.models.recurrence_judges import drawn, expect_agreement
from tests.models.step_checker import check_every_step
from tests.programs import numpy_source

RELATED = "index t : T\nindex s : S = T + 1\n"

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
        sizes = {"T": steps, "S": steps + longer}
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
