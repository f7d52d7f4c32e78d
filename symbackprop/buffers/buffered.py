"""A program whose arrays are in buffers: what is made once, and what computes into it again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from symbackprop.array.ir import Read
from symbackprop.array.program import Line, Loop, Program, Statement
from symbackprop.array.slices import Allocate, Refold
from symbackprop.array.value import Value
from symbackprop.buffers.assignment import Buffers, Shape, Times, assigned_buffers, shape_of
from symbackprop.buffers.destinations import put_onto
from symbackprop.buffers.inner_products import with_inner_products
from symbackprop.buffers.live_ranges import places_of
from symbackprop.buffers.loop_operands import with_copied_operands
from symbackprop.buffers.packed_blocks import with_packed_blocks
from symbackprop.buffers.parts import first_places, is_invariant, memory_for
from symbackprop.buffers.scopes import reading
from symbackprop.buffers.shared_copies import with_shared_copies
from symbackprop.buffers.stored_blocks import with_stored_blocks
from symbackprop.buffers.three_address import ThreeAddress, held, three_address
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.systems.system import Role


@dataclass(frozen=True)
class BufferedProgram:
    """`memory` makes the buffers, and names the arrays in them; `setup` what is constant, and views.

    `times` says of each array in memory when the steps need what is in its buffer.
    A loop names the parts of buffers that it computes blocks in first. Another statement of the
    `steps` computes into the array of its name where that is among `buffered`.
    """

    memory: tuple[Statement, ...]
    setup: tuple[Statement, ...]
    steps: tuple[Line, ...]
    buffered: frozenset[str]
    times: Mapping[str, Times]


def buffered_program(program: Program) -> BufferedProgram:
    """The loss and the gradients of a program, in as few buffers as the order of its lines allows.

    Gradients are in buffers of their own. An intermediate result goes by the name of the array that is
    computed from it where both are in the same memory, or else by one that others in its memory have as well.
    """
    gradients = dict.fromkeys(program.gradients.values())
    results = [*gradients, *([program.loss] if program.loss else [])]
    flat = with_shared_copies(with_copied_operands(three_address(program, results)))
    flat = with_stored_blocks(with_packed_blocks(flat, results))
    buffers = assigned_buffers(flat, [name for name in gradients if program.by_name[name].value.layout])
    names = _names(flat, buffers)
    blocks = _blocks(flat, buffers, names)
    inputs = {tensor.name for tensor in program.tensors if tensor.role is not Role.SIZE}
    steps = with_inner_products(flat.steps, flat.parts.keys() & flat.buffered, inputs | flat.buffered)
    return BufferedProgram(
        (*_memory(flat, buffers, names), *blocks.memory),
        tuple(_renamed_statement(line, names) for line in flat.setup),
        tuple(_renamed(_without_copies(steps, buffers), names, blocks)),
        frozenset(names.get(name, name) for name in flat.buffered),
        {
            **blocks.times,
            **{names.get(name, name): buffers.times[room] for name, room in buffers.buffer_of.items()},
        },
    )


def _definitions(flat: ThreeAddress) -> Iterator[Statement]:
    for place in places_of(flat.steps):
        if isinstance(place.line, Statement) and place.line.name in flat.buffered:
            yield place.line


def _without_copies(lines: Iterable[Line], buffers: Buffers) -> Iterator[Line]:
    """The lines, of which none copies an array onto itself to put something into it."""
    for line in lines:
        if isinstance(line, Loop):
            yield replace(line, body=tuple(_without_copies(line.body, buffers)))
        elif isinstance(line, Statement) and line.name in buffers.buffer_of:
            shape, buffer = shape_of(line.value.type), buffers.buffer_of[line.name]
            reads = (node for node in line.value.operands if isinstance(node, Read))
            alike = (node.name for node in reads if shape_of(node.type) == shape)
            same = {name for name in alike if buffers.buffer_of.get(name) == buffer}
            yield replace(line, value=put_onto(line.name, line.value, same))
        else:
            yield line


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
    """A statement for each buffer, under the first name that an array in it goes by, and for other names.

    That of blocks goes by a name of its own.
    """
    made: dict[str, Value] = {}
    named: set[str] = set()
    for line in _definitions(flat):
        name, buffer = names.get(line.name, line.name), buffers.buffer_of[line.name]
        if name in named or not is_invariant(line.value.layout):
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


@dataclass(frozen=True)
class _Blocks:
    """The memory of blocks, and the views of it by the names of the arrays that a loop computes there."""

    memory: tuple[Statement, ...]
    times: Mapping[str, Times]
    views: Mapping[str, Statement]

    def within(self, loop: Loop) -> Iterator[Statement]:
        """The views that a loop computes into, those of the same places by the first one's name."""
        own = (line.name for line in loop.body if isinstance(line, Statement) and line.name in self.views)
        found: dict[Value, Statement] = {}
        for name in dict.fromkeys(own):
            view = self.views[name]
            first = found.setdefault(view.value, view)
            yield view if first is view else replace(view, value=held(first.name, first.value))


def _blocks(flat: ThreeAddress, buffers: Buffers, names: Mapping[str, str]) -> _Blocks:
    """The memory that the blocks of loops are computed in: as large as the largest."""
    taken = {line.name for line in (*flat.setup, *_definitions(flat))} | {*names.values()}
    memory: dict[str, Statement] = {}
    views: dict[str, Statement] = {}
    for line in _definitions(flat):
        layout, buffer = line.value.layout, buffers.buffer_of[line.name]
        if is_invariant(layout):
            continue
        if buffer not in memory:
            room = numbered_name(f"{buffer}_memory", taken)
            taken.add(room)
            memory[buffer] = replace(
                line, name=room, value=Allocate(memory_for(layout), line.value.kind), opens=False
            )
        name = names.get(line.name, line.name)
        whole = held(memory[buffer].name, memory[buffer].value)
        views[name] = replace(line, name=name, value=first_places(whole, layout), opens=False)
    times = {line.name: buffers.times[buffer] for buffer, line in memory.items()}
    return _Blocks(tuple(memory.values()), times, views)


def _renamed(lines: Iterable[Line], names: Mapping[str, str], blocks: _Blocks) -> Iterator[Line]:
    for line in lines:
        if isinstance(line, Loop):
            body = tuple(_renamed(line.body, names, blocks))
            yield replace(line, body=(*blocks.within(replace(line, body=body)), *body))
        elif isinstance(line, Statement):
            yield _renamed_statement(line, names)
        else:
            yield replace(line, value=reading(line.value, names))


def _renamed_statement(line: Statement, names: Mapping[str, str]) -> Statement:
    return replace(line, name=names.get(line.name, line.name), value=reading(line.value, names))
