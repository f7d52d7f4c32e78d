"""Each line computes one array, and all of them what the program computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbackprop.array.aliasing import is_view
from symbackprop.array.interpreter import interpret
from symbackprop.array.ir import Elementwise, Read
from symbackprop.array.program import Line, Program, statements_in
from symbackprop.array.slices import Conditional
from symbackprop.array.value import Value
from symbackprop.buffers.three_address import ThreeAddress, three_address
from symbackprop.notation.expressions import Expression
from tests.array.random_expressions import data, expressions, system_of
from tests.buffers.models import NAMES, derived
from tests.programs import lower_system

RANDOM = settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def as_program(program: Program, flat: ThreeAddress) -> Program:
    """A program of straight lines, in which each view and constant stands ahead of what reads it."""
    lines: list[Line] = []
    waiting, known = list(flat.setup), {tensor.name for tensor in program.tensors}
    for step in (*flat.steps, None):
        ready = [line for line in waiting if known.issuperset(line.reads)]
        while ready:
            lines += ready
            known |= {line.name for line in ready}
            waiting = [line for line in waiting if line not in ready]
            ready = [line for line in waiting if known.issuperset(line.reads)]
        lines += [step] if step else []
        known |= set(step.written) if step else set()
    return replace(program, statements=tuple(lines))


@pytest.mark.usefixtures("sums_by_numpy")
@RANDOM
@given(st.lists(expressions(), min_size=1, max_size=3), st.booleans())
def test_it_computes_the_same_to_the_bit(drawn: list[Expression], reverse: bool) -> None:
    program = lower_system(system_of(*drawn, reverse=reverse))
    expected = interpret(program, data())
    found = interpret(as_program(program, three_address(program, program.outputs)), data())
    for name in program.outputs:
        np.testing.assert_array_equal(found[name], expected[name])


def operations_in(value: Value) -> int:
    """The nodes of a value that compute an array."""
    if isinstance(value, Conditional):
        return 0
    own = bool(value.layout) and not (isinstance(value, Read) or is_view(value))
    return own + sum(map(operations_in, value.operands))


@pytest.mark.parametrize("name", NAMES)
def test_a_line_is_one_operation(name: str) -> None:
    program = derived(name).program
    flat = three_address(program, list(program.gradients.values()))
    assert all(operations_in(line.value) <= 1 for line in statements_in(flat.steps))
    assert max(operations_in(line.value) for line in statements_in(program.statements)) > 1


def test_what_reads_no_array_is_computed_once() -> None:
    flat = three_address(derived("attended").program, list(derived("attended").program.gradients.values()))
    masks = [line for line in flat.setup if line.name in flat.constants and not line.reads]
    assert any(isinstance(line.value, Elementwise) and line.value.operation in ("<=", ">=") for line in masks)


def test_a_view_is_taken_once_unless_a_loop_moves_it() -> None:
    flat = three_address(derived("recurrent").program, list(derived("recurrent").program.gradients.values()))
    assert any(line.name == "U_T" for line in flat.setup)
    moved = {name for line in statements_in(flat.steps) for name in line.reads}
    assert "h" in moved and "U_T" in moved
