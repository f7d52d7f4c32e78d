"""From where to where each array of a program in three-address form is live.

(A. V. Aho, M. S. Lam, R. Sethi, J. D. Ullman, Compilers, 2nd edition, 9.2.5.) A view keeps what it is a view
of alive. What a loop reads and does not define itself is live up to the loop's end, for the next iteration
reads it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from symbackprop.array.aliasing import viewed_names
from symbackprop.array.ir import Read
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.buffers.three_address import ThreeAddress


@dataclass(frozen=True)
class Place:
    """A line at its number, and the first and last numbers of the loops around it, outermost first."""

    number: int
    line: Statement | Store
    loops: tuple[tuple[int, int], ...] = ()


def places_of(lines: Iterable[Line]) -> tuple[Place, ...]:
    """The lines that compute, numbered in order."""
    return tuple(_numbered(lines, 0, ()))


def _numbered(lines: Iterable[Line], start: int, loops: tuple[tuple[int, int], ...]) -> Iterator[Place]:
    number = start
    for line in lines:
        if isinstance(line, Loop):
            end = number + _count(line.body)
            yield from _numbered(line.body, number, (*loops, (number, end - 1)))
            number = end
        else:
            yield Place(number, line, loops)
            number += 1


def _count(lines: Iterable[Line]) -> int:
    return sum(_count(line.body) if isinstance(line, Loop) else 1 for line in lines)


def owners_of(program: ThreeAddress) -> Mapping[str, frozenset[str]]:
    """Each name that may be a view, with the names whose memory it may share; others own their memory."""
    views: dict[str, frozenset[str]] = {}
    statements = [*program.setup, *(place.line for place in places_of(program.steps))]
    for line in statements:
        if isinstance(line, Statement) and line.name not in program.buffered:
            seen = viewed_names(line.value)
            if seen:
                views[line.name] = frozenset().union(*(views.get(name, {name}) for name in seen))
    return views


def last_reads(program: ThreeAddress, results: Collection[str]) -> Mapping[str, int]:
    """The number of the last place at which each array that the steps compute is live.

    `results` are live behind the last of all. A name that nothing reads is live where it is defined.
    """
    places, owners = places_of(program.steps), owners_of(program)
    defined = {place.line.name: place for place in reversed(places) if isinstance(place.line, Statement)}
    last = {name: place.number for name, place in defined.items()}
    for place in places:
        for owner in memory_of(_touched(place.line), owners) & defined.keys():
            last[owner] = max(last[owner], _live_until(place, defined[owner].number))
    for owner in memory_of(results, owners):
        last[owner] = len(places)
    return last


def memory_of(names: Iterable[str], owners: Mapping[str, frozenset[str]]) -> set[str]:
    """The arrays whose memory these names may share: themselves, or what they are views of."""
    return {owner for name in names for owner in owners.get(name, (name,))}


def _touched(line: Statement | Store) -> Iterator[str]:
    """The names that a line reads, or stores into."""
    yield from (node.name for value in line.values for node in value.walk() if isinstance(node, Read))
    if isinstance(line, Store):
        yield line.name


def _live_until(place: Place, definition: int) -> int:
    for first, last in place.loops:
        if not first <= definition <= last:
            return last
    return place.number
