"""Arrays that a loop fills step by step, as one statement over all steps: h = o*tanh(s) of an LSTM.

So it is where each step is made of what other arrays have at the same step, and of what is there anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from symbackprop.array.ir import AxisSize, Cast, Elementwise, Expand, Literal, Read
from symbackprop.array.program import Line, Loop, Program, Statement, Store
from symbackprop.array.slices import Allocate, Count, Pick, Select, Whole
from symbackprop.array.value import Value
from symbackprop.array.views import elementwise, lined_up
from symbackprop.notation.expressions import Index


def whole_statements(lines: Iterable[Line], program: Program) -> Iterator[Statement]:
    """A statement for each array of the lines that one store in a loop fills, where it can be written so."""
    for line in lines:
        if isinstance(line, Loop) and line.start == Literal(0) and line.stop == AxisSize(line.axis):
            yield from _of_loop(line, program)


def _of_loop(loop: Loop, program: Program) -> Iterator[Statement]:
    filled = {store.name: store for store in loop.body if isinstance(store, Store)}
    filled = {name: store for name, store in filled.items() if _is_filled_by(store, loop, program)}
    for store in filled.values():
        allocated = program.by_name[store.name].value
        place = _place_of_step(store, loop)
        assert place is not None
        step = allocated.indices[place]
        value = _Steps(loop, frozenset(filled), step, allocated.indices).value(store.value)
        if value is not None and value.layout == allocated.layout:
            yield Statement(store.name, value, origin=store.origin, opens=True, guarded=store.guarded)


def _is_filled_by(store: Store, loop: Loop, program: Program) -> bool:
    """Whether nothing else stores into the array, and this one store fills it."""
    allocated = program.by_name.get(store.name)
    writing = [line for line in program.statements if store.name in line.written]
    inside = [line for line in loop.body if store.name in line.written]
    return (
        allocated is not None
        and isinstance(allocated.value, Allocate)
        and all(len(group) == 1 for group in allocated.value.layout)
        and len(writing) == 2
        and len(inside) == 1
        and not store.accumulate
        and _place_of_step(store, loop) is not None
    )


def _place_of_step(part: Store | Select, loop: Loop) -> int | None:
    """The axis of which the items pick the loop's own step, where they take the others whole."""
    picked = [place for place, item in enumerate(part.items) if not isinstance(item, Whole)]
    is_step = len(picked) == 1 and part.items[picked[0]] == Pick(Count(loop.counter, loop.axis))
    return picked[0] if is_step else None


@dataclass(frozen=True)
class _Steps:
    """Writes what a step of a loop computes for all steps: `filled` are arrays of which it has all by then.

    `step` is the index that runs over the steps, `order` that of the axes.
    """

    loop: Loop
    filled: frozenset[str]
    step: Index
    order: tuple[Index, ...]

    def value(self, value: Value) -> Value | None:
        """All steps, the axes in order; None where that is more than one pass."""
        found = self._over_steps(value)
        return None if found is None else lined_up(found, self.order)

    def _over_steps(self, value: Value) -> Value | None:
        match value:
            case Literal() | AxisSize():
                return value
            case Read(name):
                inside = {*self.loop.variables, *self.loop.written}
                return None if name in inside or self.step in value.indices else value
            case Select(Read() as read):
                return self._whole(read, value)
            case Expand(operand):
                return self._over_steps(operand)
            case Cast(operand):
                inner = self._over_steps(operand)
                return None if inner is None else replace(value, operand=inner)
            case Elementwise(operation, arguments):
                found = [self._over_steps(each) for each in arguments]
                known = [each for each in found if each is not None]
                return elementwise(operation, known, self.order) if len(known) == len(found) else None
        return None

    def _whole(self, read: Read, part: Select) -> Value | None:
        """All of an array of which a step reads its own."""
        place = _place_of_step(part, self.loop)
        if place is None or (read.name in self.loop.written and read.name not in self.filled):
            return None
        if read.name in self.loop.variables or self.step in part.indices:
            return None
        positions = (*read.positions[:place], self.step, *read.positions[place + 1 :])
        return replace(read, positions=positions) if read.positions[place].axis == self.step.axis else None
