"""A program that keeps little of its forward pass: cheap lines run once more on the way back.

An array is kept, or it is recomputed from kept ones and from what is given, by lines that take a few passes
over their elements: no matrix product, no solve and no recurrence runs twice. The kept ones are the lightest
such set, a minimum cut between the lines that may not run twice and the backward pass (H. He and S. Yu,
"Transcending runtime-memory tradeoffs in checkpointing by being fusion aware", MLSys 2023). A batch norm
keeps nothing but its input. Axes without a declared size count as typical.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from symbackprop.array.aliasing import viewed_name
from symbackprop.array.ir import (
    AsDoubles,
    AsIntegers,
    AxisSize,
    Cast,
    Copy,
    Elementwise,
    Expand,
    Fill,
    Identity,
    Literal,
    Positions,
    Read,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.array.program import Line, Loop, Program, Statement, Store
from symbackprop.array.segments import segments_of
from symbackprop.array.slices import Conditional, Count, Flip, OfPythonInts, Pad, Select, Windows, item_values
from symbackprop.array.value import Value, rewrite_values
from symbackprop.cost.assumptions import PROGRAM
from symbackprop.notation.fresh_names import lengthened_name
from symbackprop.recomputation.min_cut import UNLIMITED, smallest_cut
from symbackprop.recomputation.stored_steps import whole_statements
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import Part
from symbackprop.systems.system import Equation

BYTES = 8  # of a number in float64, and of a place
# What takes a pass over its elements, or none.
_CHEAP = (
    AsDoubles, AsIntegers, AxisSize, Cast, Conditional, Copy, Count, Elementwise, Expand, Fill, Flip,
    Identity, Literal, OfPythonInts, Pad, Positions, Read, Reduce, Reshape, Select, Transpose, Windows,
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """What is kept from forward to backward, and the lines that run once more, in their order."""

    kept: frozenset[str]
    recomputed: tuple[Statement, ...]


def in_less_memory(program: Program) -> Program:
    """The program in which what `choice_for` recomputes has names of its own, where it is read first."""
    choice = choice_for(program)
    if not choice.recomputed:
        return program
    again = _Again({line.name: line for line in choice.recomputed}, _taken(program))
    backward = _backward(program)
    lines: list[Line] = []
    for line in program.statements:
        if id(line) in backward:
            lines += again.before(line)
            line = again.reading(line)
        lines.append(line)
    return replace(program, statements=tuple(lines))


def choice_for(program: Program) -> Choice:
    """The lightest set of arrays to keep; the program's own where nothing can be recomputed."""
    backward = _backward(program)
    ahead = [line for line in program.statements if id(line) not in backward]
    cheap = _recomputable(ahead, program)
    names = dict.fromkeys(name for line in ahead for name in line.written)
    read = {name for line in program.statements if id(line) in backward for name in line.reads}
    sinks = [name for name in names if name in read]
    readers: dict[str, list[str]] = {}
    for line in cheap.values():
        for name in line.reads:
            readers.setdefault(name, []).append(line.name)
    weights = {name: _weight(name, program) for name in names}
    kept = smallest_cut(weights, readers, [name for name in names if name not in cheap], sinks)
    wanted = _closure(sinks, kept, cheap)
    return Choice(kept, tuple(line for name, line in cheap.items() if name in wanted))


def _backward(program: Program) -> set[int]:
    backward = segments_of(program).backward
    return {id(line) for line in backward.statements} if backward else set()


def _recomputable(lines: Iterable[Line], program: Program) -> dict[str, Statement]:
    """The lines that take a few passes over their elements, by the array that they make.

    An array in which places are read is none, nor is one that is stored into, but for one whose steps are
    all made of the same steps of others.
    """
    stored = {name for line in program.statements if not isinstance(line, Statement) for name in line.written}
    places = {
        node.name for value in _places(program.statements) for node in value.walk() if isinstance(node, Read)
    }
    lines = tuple(lines)
    made = [line for line in lines if isinstance(line, Statement) and line.name not in stored]
    made += whole_statements(lines, program)
    return {line.name: line for line in made if line.name not in places and _is_cheap(line.value)}


def _is_cheap(value: Value) -> bool:
    """Whether no node is more than a pass, and none is over more elements than what is read or made."""
    nodes = tuple(value.walk())
    counts = [PROGRAM.count(node.indices) for node in nodes]
    whole = [PROGRAM.count(node.indices) for node in nodes if node is value or isinstance(node, Read)]
    return all(isinstance(node, _CHEAP) for node in nodes) and max(counts) <= max(whole)


def _places(lines: Iterable[Line]) -> Iterator[Value]:
    """The ends of loops and the places of stores, which are read as they are."""
    for line in lines:
        if isinstance(line, Loop):
            yield from (line.start, line.stop)
            yield from _places(line.body)
        elif isinstance(line, Store):
            yield from (value for item in line.items for value in item_values(item))


def _weight(name: str, program: Program) -> int:
    """The bytes of an array; a view has no memory of its own and is made again instead."""
    statement = program.by_name.get(name)
    if statement is None or viewed_name(statement.value) is not None:
        return UNLIMITED
    size = 1 if statement.value.kind is Kind.BOOLEAN else BYTES
    return size * PROGRAM.count(statement.value.indices)


def _closure(sinks: Iterable[str], kept: Iterable[str], cheap: Mapping[str, Statement]) -> set[str]:
    """What has to run again so that all sinks are there."""
    wanted: set[str] = set()
    pending = [name for name in sinks if name not in kept]
    while pending:
        name = pending.pop()
        if name in cheap and name not in wanted:
            wanted.add(name)
            pending.extend(read for read in cheap[name].reads if read not in kept)
    return wanted


def _taken(program: Program) -> set[str]:
    names = {tensor.name for tensor in program.tensors}
    return names | {node for line in program.statements for node in (*line.written, *line.reads)}


@dataclass
class _Again:
    """Writes each recomputed line under a name of its own, once, before the first line that reads it."""

    lines: Mapping[str, Statement]
    taken: set[str]
    names: dict[str, str] = field(default_factory=dict)

    def before(self, line: Line) -> Iterator[Line]:
        """The lines that have to run again before this one."""
        for name in line.reads:
            if name in self.lines and name not in self.names:
                own = self.lines[name]
                yield from self.before(own)
                fresh = lengthened_name(f"{name}_again", "_", self.taken)
                self.taken.add(fresh)
                self.names[name] = fresh
                yield self._copy(own, fresh)

    def _copy(self, line: Statement, fresh: str) -> Statement:
        stated = line.origin.stated
        same = Equation(fresh, stated.indices, stated.expression)
        value = rewrite_values(line.value, self._renamed)
        origin = line.origin.of_part(Part.COPY, same)
        return replace(line, name=fresh, value=value, origin=origin, opens=True)

    def reading(self, line: Line) -> Line:
        """The line with what has been computed again in the place of what it read."""
        if isinstance(line, Loop):
            return replace(line, body=tuple(self.reading(inner) for inner in line.body))
        return replace(line, value=rewrite_values(line.value, self._renamed))

    def _renamed(self, node: Value) -> Value:
        return replace(node, name=self.names.get(node.name, node.name)) if isinstance(node, Read) else node
