"""No buffer holds a value that is read later when another is written into it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbackprop.array.program import Program
from symbackprop.buffers.assignment import Buffers, assigned_buffers, room_of
from symbackprop.buffers.live_ranges import last_reads, places_of
from symbackprop.buffers.three_address import ThreeAddress, three_address
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Expression
from symbackprop.pipeline import loads
from tests.array.random_expressions import expressions, system_of
from tests.buffers.models import NAMES, derived
from tests.buffers.stale_reads import stale_reads
from tests.programs import lower_system

RANDOM = settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def results_of(program: Program) -> list[str]:
    return [name for name in program.gradients.values() if program.by_name[name].value.layout]


def assigned(program: Program, results: list[str]) -> tuple[ThreeAddress, Buffers]:
    flat = three_address(program, [*results, *([program.loss] if program.loss else [])])
    return flat, assigned_buffers(flat, results)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_read_that_has_been_written_over(name: str) -> None:
    program = derived(name).program
    results = results_of(program)
    flat, buffers = assigned(program, results)
    assert stale_reads(flat, buffers, results) == []
    assert len(buffers.types) < len(buffers.buffer_of)
    assert len({buffers.buffer_of.get(name, name) for name in results}) == len(results)


@RANDOM
@given(st.lists(expressions(), min_size=1, max_size=4), st.booleans())
def test_nor_in_a_random_program(drawn: list[Expression], reverse: bool) -> None:
    program = lower_system(system_of(*drawn, reverse=reverse))
    results = [name for name in program.outputs if program.by_name[name].value.layout]
    flat = three_address(program, program.outputs)
    assert stale_reads(flat, assigned_buffers(flat, results), results) == []


@pytest.mark.parametrize("name", ["recurrent", "attended"])
def test_two_arrays_that_are_live_at_a_time_cannot_share_a_buffer(name: str) -> None:
    """What the other tests look at sees it where they do."""
    program = derived(name).program
    results = results_of(program)
    flat, buffers = assigned(program, results)
    last, starts = (
        last_reads(flat, results),
        {place.line.name: place.number for place in places_of(flat.steps)},
    )
    types = {place.line.name: place.line.value.type for place in places_of(flat.steps)}
    merged = 0
    for one, other in combinations(flat.buffered, 2):
        first, second = sorted((one, other), key=lambda name: starts[name])
        if room_of(types[one]) == room_of(types[other]) and starts[second] < last[first]:
            shared = {**buffers.buffer_of, second: buffers.buffer_of[first]}
            if last[second] > starts[second]:
                assert stale_reads(flat, replace(buffers, buffer_of=shared), results)
                merged += 1
    assert merged > 10


def test_an_element_wise_chain_is_computed_in_place() -> None:
    program = lower_system(parse_system("index i : I\ninput w[i], c[i]\nz[i] = exp(tanh(w[i]*c[i]) + c[i])"))
    flat = three_address(program, ["z"])
    buffers = assigned_buffers(flat, ["z"])
    assert len(buffers.buffer_of) == 4 and len(buffers.types) == 1


def test_a_matrix_is_not_written_over_beside_its_transpose() -> None:
    model = loads(
        "index i, j : I\nparam w[i,j]\nu[i,j] = exp(w[i,j])\nloss E = sum(i, j, (u[i,j]*u[j,i] + w[i,j])^2)"
    )
    program = model.derive().program
    flat, buffers = assigned(program, results_of(program))
    beside = [place.line for place in places_of(flat.steps) if {"u", "u_T"} <= set(place.line.reads)]
    assert beside and all(buffers.buffer_of[line.name] != buffers.buffer_of["u"] for line in beside)
    assert stale_reads(flat, buffers, results_of(program)) == []


@pytest.mark.parametrize(
    ("relation", "shared"), [("E = G*F", True), ("E = 2*G*F", False), ("E = G + F", False)]
)
def test_a_packed_axis_has_the_room_of_the_axes_in_it(relation: str, shared: bool) -> None:
    text = (
        f"index n : N\nindex g : G\nindex f : F\nindex e : {relation}\n"
        "input x[n,e], w[n,g,f]\nu[n,e] = exp(x[n,e])\nv[n,g,f] = sin(w[n,g,f])"
    )
    program = lower_system(parse_system(text))
    types = [program.by_name[name].value.type for name in "uv"]
    assert (room_of(types[0]) == room_of(types[1])) == shared
