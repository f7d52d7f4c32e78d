"""How the work of a derivation grows with its equations: counted in calls, which no load disturbs."""

from __future__ import annotations

import sys
from types import FrameType

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.systems.system import System


def side_by_side(count: int) -> System:
    """That many layers which read one input, and a loss that reads them all."""
    lines = ["index n : N", "input x[n]", *(f"param w{k}" for k in range(count))]
    lines += [f"h{k}[n] = tanh(w{k}*x[n])" for k in range(count)]
    loss = " + ".join(f"sum(n, h{k}[n]^2)" for k in range(count))
    return parse_system("\n".join([*lines, f"loss E = {loss}", ""]))


def long_sum(count: int) -> System:
    """A sum of that many terms of one parameter, each stated with a fraction of its own."""
    terms = " + ".join(f"sin({k}/{count + 1}*w + x)" for k in range(1, count + 1))
    return parse_system(f"input x\nparam w\nloss E = {terms}\n")


def calls_of_derivation(system: System) -> int:
    """The number of Python functions that are called while every parameter's gradient is derived."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        derive(system, [tensor.name for tensor in system.tensors.values() if tensor.name.startswith("w")])
    finally:
        sys.setprofile(None)
    return calls


def test_equations_that_share_an_input_are_not_compared_with_each_other() -> None:
    calls_of_derivation(side_by_side(2))  # imports SymPy
    few, many = (calls_of_derivation(side_by_side(count)) for count in (20, 60))
    assert many < 4 * few  # three times the equations; nine times where each looks at all others


def test_the_parts_of_a_long_sum_are_put_in_together() -> None:
    calls_of_derivation(long_sum(2))
    few, many = (calls_of_derivation(long_sum(count)) for count in (64, 192))
    assert many < 4 * few  # two parts and six, of which each would go through the whole sum anew
