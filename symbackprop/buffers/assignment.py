"""Which arrays share a buffer, by a linear scan (M. Poletto, V. Sarkar, ACM TOPLAS 21, 1999, 895-913)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from symbackprop.array.ir import Read
from symbackprop.array.program import Statement
from symbackprop.array.value import Value, ValueType
from symbackprop.buffers.destinations import overwritable
from symbackprop.buffers.live_ranges import Place, last_reads, memory_of, owners_of, places_of
from symbackprop.buffers.three_address import ThreeAddress
from symbackprop.notation.arithmetic import factors_of
from symbackprop.notation.expressions import Axis, Number, Size
from symbackprop.schedule.kinds import Kind

# As many elements of one kind: the names of their axes, and numbers, in some order. Of one shape: by axes.
Room: TypeAlias = tuple[Kind, tuple[str, ...]]
Shape: TypeAlias = tuple[tuple[str, ...], ...]
# The first and the last place of each time at which a buffer is live.
Times: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Buffers:
    """`types` has each buffer, called after the first array in it; `buffer_of` says in which an array is.

    `times` says when one of the arrays in a buffer is live.
    """

    types: Mapping[str, ValueType]
    buffer_of: Mapping[str, str]
    times: Mapping[str, Times]


def assigned_buffers(program: ThreeAddress, results: Collection[str]) -> Buffers:
    """A buffer for each array that is computed into one; no two that are live at a time share it.

    An element-wise result is written over an operand that nobody reads any more, where there is one.
    """
    scan = _Scan(owners_of(program), last_reads(program, results))
    for place in places_of(program.steps):
        line = place.line
        if isinstance(line, Statement) and line.name in program.buffered:
            scan.assign(line.name, line.value, place)
    return Buffers(scan.types, scan.buffer_of, {name: _joined(each) for name, each in scan.times.items()})


def _joined(times: Iterable[tuple[int, int]]) -> Times:
    """The times in order, those that overlap or follow one another as one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(times):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return tuple(joined)


@dataclass
class _Scan:
    """The state of the scan; `live_until` has the buffers, those that were taken last behind the others."""

    owners: Mapping[str, frozenset[str]]
    last: Mapping[str, int]
    types: dict[str, ValueType] = field(default_factory=dict)
    buffer_of: dict[str, str] = field(default_factory=dict)
    live_until: dict[str, int] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    loops_of: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    times: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def assign(self, name: str, value: Value, place: Place) -> None:
        """Give the array that a place computes a buffer."""
        found = self._over(value, place) or self._free(value.type, place.number) or name
        self.types.setdefault(found, value.type)
        self.rooms.setdefault(found, room_of(value.type))
        self.buffer_of[name] = found
        self.live_until.pop(found, None)
        self.live_until[found] = self.last[name]
        self.loops_of[name] = place.loops
        self.times.setdefault(found, []).append((place.number, self.last[name]))

    def _free(self, type_: ValueType, number: int) -> str | None:
        """The buffer with room for an array that was read last, of its shape if there is one."""
        room, shape = room_of(type_), shape_of(type_)
        free = [each for each, end in reversed(self.live_until.items()) if end < number]
        roomy = [each for each in free if self.rooms[each] == room]
        alike = [each for each in roomy if shape_of(self.types[each]) == shape]
        return next(iter((*alike, *roomy)), None)

    def _over(self, value: Value, place: Place) -> str | None:
        """The buffer of an operand that the result may be written over; None where there is none."""
        reads = {node.name for node in value.walk() if isinstance(node, Read)}
        for name in overwritable(value):
            buffer = self.buffer_of.get(name)
            # What a loop around the place reads once more in its next iteration stays.
            dies = (
                buffer is not None and self.last[name] == place.number and self.loops_of[name] == place.loops
            )
            others = reads - {name}
            if dies and all(buffer not in self._buffers(other) for other in others):
                return buffer
        return None

    def _buffers(self, name: str) -> set[str | None]:
        """The buffers that an array, or a view, may be in."""
        return set(map(self.buffer_of.get, memory_of((name,), self.owners)))


def room_of(type_: ValueType) -> Room:
    """What two arrays have in common that may be in one buffer; of a packed axis, D = H*E, the axes in it."""
    indices = (index for group in type_.layout for index in group)
    return type_.kind, tuple(sorted(name for index in indices for name in _axes_in(index.axis)))


def _axes_in(axis: Axis) -> Iterator[str]:
    """The names of the axes, and the numbers, that an axis is stated to be the product of, or its own."""
    factors = () if axis.formula is None else factors_of(axis.formula)
    if factors and all(isinstance(each, Size | Number) for each in factors):
        for each in factors:
            yield from _axes_in(each.axis) if isinstance(each, Size) else (str(each),)
    else:
        yield axis.name


def shape_of(type_: ValueType) -> Shape:
    """The names of the axes that each axis of an array is merged of."""
    return tuple(tuple(index.axis.name for index in group) for group in type_.layout)
