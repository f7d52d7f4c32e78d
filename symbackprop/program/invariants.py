"""What a loop computes anew in every step though nothing in it changes, computed once before the loop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from symbackprop.program.cost import cost_of
from symbackprop.program.ir import Read
from symbackprop.program.layout import is_nameable
from symbackprop.program.program import Line, Loop, Statement, rewrite_lines
from symbackprop.program.slices import Choice, Count, Pad
from symbackprop.program.value import Value


@dataclass
class Invariants:
    """Values that have been named already, so that a tensor is padded once for all loops that read it."""

    names: dict[Value, str] = field(default_factory=dict)

    def taken_out(self, line: Line, name: Callable[[str], str]) -> list[Line]:
        """The line, after statements for what a loop's steps need not compute; `name` finds a free name."""
        before: list[Line] = []
        if isinstance(line, Loop):
            parts = (part for whole in line.values for part in _invariant_parts(whole, line.written))
            for value in dict.fromkeys(parts):
                if value not in self.names:
                    self.names[value] = name(_stem(value, line))
                    before.append(Statement(self.names[value], value, "", guarded=line.guarded))
        return [*before, *rewrite_lines((line,), self._named)]

    def _named(self, value: Value) -> Value:
        if value not in self.names:
            return value
        return Read(self.names[value], value.indices, value.kind)


def _invariant_parts(value: Value, written: Collection[str]) -> Iterator[Value]:
    """The largest parts that cost something, have one axis an index, and depend on nothing of the loop."""
    changes = any(
        isinstance(node, Count) or (isinstance(node, Read) and node.name in written) for node in value.walk()
    )
    nameable = bool(value.layout) and is_nameable(value.layout)
    reads = any(isinstance(node, Read) for node in value.walk())
    if not changes and nameable and reads and cost_of(value) > 0:
        yield value
    elif not isinstance(value, Choice):
        for operand in value.operands:
            yield from _invariant_parts(operand, written)


def _stem(value: Value, loop: Loop) -> str:
    if isinstance(value, Pad) and isinstance(value.operand, Read):
        return f"{value.operand.name}_padded"
    return f"{loop.written[0]}_part"
