"""An array whose axes two products want in another order is copied once, and the copy read by both.

Only where nobody else reads the array behind the first copy: then that takes the array's place, and no more
memory is live than before.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace

from symbackprop.array.aliasing import viewed_names
from symbackprop.array.ir import Copy, Read
from symbackprop.array.program import Line, Statement, rewrite_lines
from symbackprop.array.value import Value, rewrite_values
from symbackprop.buffers.live_ranges import memory_of, owners_of
from symbackprop.buffers.three_address import ThreeAddress


def with_shared_copies(program: ThreeAddress) -> ThreeAddress:
    """The program, where equal copies of an array outside of loops are one."""
    owners = owners_of(program)
    first: dict[Value, Statement] = {}
    names: dict[str, str] = {}
    for line in program.steps:
        if isinstance(line, Statement) and isinstance(line.value, Copy) and line.name in program.parts:
            held = first.setdefault(line.value, line)
            if held is not line and _is_read_by_copies_alone(held, program, owners):
                names[line.name] = held.name
    if not names:
        return program

    def shared(node: Value) -> Value:
        return replace(node, name=names[node.name]) if isinstance(node, Read) and node.name in names else node

    return replace(
        program,
        setup=tuple([replace(line, value=rewrite_values(line.value, shared)) for line in program.setup]),
        steps=rewrite_lines(_without(program.steps, names), shared),
        buffered=program.buffered - names.keys(),
    )


def _without(steps: Iterable[Line], names: Container[str]) -> Iterator[Line]:
    """The other lines; what a line that is left out begins to compute, the next one does."""
    opens = False
    for line in steps:
        if isinstance(line, Statement) and line.name in names:
            opens = opens or line.opens
        else:
            yield replace(line, opens=line.opens or opens)
            opens = False


def _is_read_by_copies_alone(
    first: Statement, program: ThreeAddress, owners: Mapping[str, frozenset[str]]
) -> bool:
    """Whether no other line than copies like the first one reads, or writes, its array behind it."""
    memory = memory_of(viewed_names(first.value.operands[0]), owners)
    behind = program.steps[program.steps.index(first) + 1 :]
    others = [line for line in behind if line.values != first.values]
    return not any(memory & memory_of((*line.reads, *line.written), owners) for line in others)
