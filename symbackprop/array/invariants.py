"""Loop-invariant values, computed once before the loop."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from symbackprop.array.cost import cost_of
from symbackprop.array.ir import Read
from symbackprop.array.layout import is_nameable
from symbackprop.array.program import Line, Loop, Statement, Store, rewrite_lines, statements_in
from symbackprop.array.slices import Conditional, Count, Pad
from symbackprop.array.value import Value, rewrite_values
from symbackprop.array.views import is_windowed
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.schedule.named_equations import Part


@dataclass(frozen=True)
class Invariants:
    """Values that have been named already, so that a tensor is padded once for all loops that read it."""

    names: Mapping[Value, str] = field(default_factory=dict)

    def taken_out(self, line: Line, taken: Collection[str]) -> tuple[tuple[Line, ...], Invariants]:
        """The line, after statements for what a loop's steps need not compute, and what has a name then.

        Windows are named as well, and what is padded for them, since others may read them.

        New names are none of those that are `taken`.
        """
        names = dict(self.names)
        before: list[Statement] = []
        found = _invariants_of(line) if isinstance(line, Loop) else _windows_in(line)
        for part in dict.fromkeys(found):
            value = rewrite_values(part, Invariants(names)._named)
            if not isinstance(value, Read):
                used = {*taken, *names.values()}
                names[value] = numbered_name(_stem(value, line), used)
                before.append(replace(_statement(names[value], part, line), value=value))
        (line,) = rewrite_lines((line,), Invariants(names)._named)
        # What was computed from arrays that hold other numbers now has no name any more.
        kept = {value: name for value, name in names.items() if not reads_any(value, line.written)}
        return (*before, line), Invariants(kept)

    def _named(self, value: Value) -> Value:
        if value not in self.names:
            return value
        return Read(self.names[value], value.indices, value.kind)


def _invariants_of(loop: Loop) -> Iterator[Value]:
    changing = {each.name for each in statements_in(loop.body)}
    for whole in loop.values:
        yield from _invariant_parts(whole, changing)


def _windows_in(line: Line) -> Iterator[Value]:
    """Windows, after what is padded for them."""
    pending = list(line.values)
    while pending:
        node = pending.pop(0)
        if is_windowed(node):
            padded = (part for part in node.walk() if isinstance(part, Pad))
            yield from (part for part in padded if isinstance(part.operand, Read))
            yield node
        else:
            pending += node.operands


def _statement(name: str, value: Value, line: Line) -> Statement:
    """The value under a name, for the equation of the first line that reads it."""
    lines = statements_in((line,))
    origin = next(each.origin for each in lines if any(value in part.walk() for part in each.values))
    return Statement(name, value, origin=origin.of_part(Part.INVARIANT), guarded=line.guarded)


def _invariant_parts(value: Value, changing: Collection[str]) -> Iterator[Value]:
    """The largest parts that cost something, have one axis an index, and depend on nothing of the loop."""
    changes = _changes(value, changing)
    nameable = bool(value.layout) and is_nameable(value.layout)
    reads = any(isinstance(node, Read) for node in value.walk())
    if not changes and nameable and reads and cost_of(value) > 0:
        yield value
    elif not isinstance(value, Conditional):
        for operand in value.operands:
            yield from _invariant_parts(operand, changing)


def without_constants(loop: Loop) -> tuple[list[Statement], Loop]:
    """The loop-invariant statements of a loop's body, which are hoisted, and the loop without them.

    The variable of an equation stays in the loop: it has not all of the equation's axes.
    """
    changing = {each.name for each in statements_in(loop.body)}
    filled = {each.name for each in statements_in(loop.body) if isinstance(each, Store)}
    constant: list[Statement] = []
    for line in loop.body:
        if not isinstance(line, Statement) or line.is_definition or line.name in filled:
            continue
        if not _changes(line.value, changing):
            changing.remove(line.name)
            constant.append(line)
    rest = tuple(line for line in loop.body if line not in constant)
    return constant, replace(loop, body=rest)


def _changes(value: Value, changing: Collection[str]) -> bool:
    """Whether a loop's steps compute different values: by its counter, or from what is written in it."""
    return reads_any(value, changing) or any(isinstance(node, Count) for node in value.walk())


def reads_any(value: Value, names: Collection[str]) -> bool:
    """Whether a value reads one of these names."""
    return any(isinstance(node, Read) and node.name in names for node in value.walk())


def _stem(value: Value, line: Line) -> str:
    if isinstance(value, Pad) and isinstance(value.operand, Read):
        return f"{value.operand.name}_padded"
    if is_windowed(value):
        name = next(node.name for node in value.walk() if isinstance(node, Read))
        return f"{name.removesuffix('_padded')}_windows"
    return f"{line.written[0]}_part"
