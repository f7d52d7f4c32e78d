"""What would go wrong with an assignment of buffers, found by following what is in each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from symbackprop.array.ir import Read
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.buffers.assignment import Buffers
from symbackprop.buffers.destinations import overwritable
from symbackprop.buffers.live_ranges import owners_of
from symbackprop.buffers.three_address import ThreeAddress


def stale_reads(program: ThreeAddress, buffers: Buffers, results: Iterable[str]) -> list[str]:
    """The arrays that are read after their buffer has been written over; every loop runs three times."""
    run = _Run(program, buffers, owners_of(program))
    found = [*run.lines(program.steps), *run.stale(results)]
    return list(dict.fromkeys(found))


@dataclass
class _Run:
    program: ThreeAddress
    buffers: Buffers
    owners: Mapping[str, frozenset[str]]
    content: dict[str, str] = field(default_factory=dict)

    def lines(self, lines: Iterable[Line]) -> Iterator[str]:
        for line in lines:
            if isinstance(line, Loop):
                for _ in range(3):
                    yield from self.lines(line.body)
            else:
                yield from self.line(line)

    def line(self, line: Statement | Store) -> Iterator[str]:
        reads = {node.name for value in line.values for node in value.walk() if isinstance(node, Read)}
        yield from self.stale(reads | ({line.name} if isinstance(line, Store) else set()))
        if isinstance(line, Statement) and line.name in self.program.buffered:
            buffer = self.buffers.buffer_of[line.name]
            kept = reads - set(overwritable(line.value))
            yield from (
                name for name in kept for own in self.owned(name) if self.buffers.buffer_of[own] == buffer
            )
            self.content[buffer] = line.name

    def stale(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            for own in self.owned(name):
                if self.content.get(self.buffers.buffer_of[own]) != own:
                    yield name

    def owned(self, name: str) -> list[str]:
        return [owner for owner in self.owners.get(name, (name,)) if owner in self.program.buffered]
