"""A program whose arrays are in buffers: what is made once, and what computes into it again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from symbackprop.array.program import Line, Loop, Program, Statement
from symbackprop.array.slices import Allocate, Refold
from symbackprop.array.value import Value
from symbackprop.buffers.assignment import Buffers, Shape, assigned_buffers, shape_of
from symbackprop.buffers.live_ranges import places_of
from symbackprop.buffers.scopes import reading
from symbackprop.buffers.three_address import ThreeAddress, held, three_address
from symbackprop.notation.fresh_names import numbered_name


@dataclass(frozen=True)
class BufferedProgram:
    """`memory` makes the buffers, and names the arrays in them; `setup` what is constant, and views.

    A statement of the `steps` computes into the array of its name where that is among `buffered`.
    """

    memory: tuple[Statement, ...]
    setup: tuple[Statement, ...]
    steps: tuple[Line, ...]
    buffered: frozenset[str]


def buffered_program(program: Program) -> BufferedProgram:
    """The loss and the gradients of a program, in as few buffers as the order of its lines allows.

    Gradients are in buffers of their own. An intermediate result goes by the name of the array that is
    computed from it where both are in the same memory, or else by one that others in its memory have as well.
    """
    gradients = dict.fromkeys(program.gradients.values())
    flat = three_address(program, [*gradients, *([program.loss] if program.loss else [])])
    buffers = assigned_buffers(flat, [name for name in gradients if program.by_name[name].value.layout])
    names = _names(flat, buffers)
    return BufferedProgram(
        tuple(_memory(flat, buffers, names)),
        tuple(_renamed_statement(line, names) for line in flat.setup),
        tuple(_renamed(flat.steps, names)),
        frozenset(names.get(name, name) for name in flat.buffered),
    )


def _definitions(flat: ThreeAddress) -> Iterator[Statement]:
    for place in places_of(flat.steps):
        if isinstance(place.line, Statement) and place.line.name in flat.buffered:
            yield place.line


def _names(flat: ThreeAddress, buffers: Buffers) -> dict[str, str]:
    """The name that each intermediate result goes by."""
    types = {line.name: shape_of(line.value.type) for line in _definitions(flat)}
    where = {name: (buffers.buffer_of[name], shape) for name, shape in types.items()}
    taken = {*types, *(line.name for line in flat.setup)}
    shared: dict[tuple[str, Shape], str] = {}
    names: dict[str, str] = {}
    for part, whole in flat.parts.items():
        if part in where and where[part] == where.get(whole):
            names[part] = whole
        elif part in where:
            if where[part] not in shared:
                shared[where[part]] = numbered_name("work", taken)
                taken.add(shared[where[part]])
            names[part] = shared[where[part]]
    return names


def _memory(flat: ThreeAddress, buffers: Buffers, names: Mapping[str, str]) -> Iterator[Statement]:
    """A statement for each buffer, under the first name that an array in it goes by, and for other names."""
    made: dict[str, Value] = {}
    named: set[str] = set()
    for line in _definitions(flat):
        name, buffer = names.get(line.name, line.name), buffers.buffer_of[line.name]
        if name in named:
            continue
        named.add(name)
        layout = line.value.layout
        if buffer not in made:
            value: Value = Allocate(layout, line.value.kind)
            made[buffer] = held(name, value)
        else:
            value = made[buffer]
            if shape_of(value.type) != shape_of(line.value.type):
                value = Refold(value, layout)
        yield replace(line, name=name, value=value, opens=False)


def _renamed(lines: Iterable[Line], names: Mapping[str, str]) -> Iterator[Line]:
    for line in lines:
        if isinstance(line, Loop):
            yield replace(line, body=tuple(_renamed(line.body, names)))
        elif isinstance(line, Statement):
            yield _renamed_statement(line, names)
        else:
            yield replace(line, value=reading(line.value, names))


def _renamed_statement(line: Statement, names: Mapping[str, str]) -> Statement:
    return replace(line, name=names.get(line.name, line.name), value=reading(line.value, names))
