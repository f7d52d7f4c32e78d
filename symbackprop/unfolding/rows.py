"""The names of a deep system by those of the same system with few of its equal blocks.

A row holds what one name of a block is called from block to block: W1, W2, .., W96. With few blocks the
first names of a row and its last are left. What has been worked out for a block is that of another in the
names so many places further on: its `shift`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property

from symbackprop.systems.system import System

_NUMBER = re.compile(r"(\d+)")


class NotUnfolded(Exception):
    """What is asked for does not come of the few blocks alone: everything is worked out plainly then."""


@dataclass(frozen=True)
class Rows:
    """The rows of a deep system, the `few` names of each and how many `more` the system has in between."""

    few: tuple[tuple[str, ...], ...]
    whole: tuple[tuple[str, ...], ...]
    more: int

    @classmethod
    def of(cls, following: Mapping[str, str], few: System, whole: System, more: int) -> Rows:
        """Those of names by what is `following` each; NotUnfolded where blocks differ in what is declared."""
        rows = [[name for name in row if name in whole.tensors] for row in _rows(following)]
        left = [tuple([name for name in row if name in few.tensors]) for row in rows]
        found = cls(tuple(left), tuple(map(tuple, rows)), more)
        for short, long, head in zip(found.few, found.whole, found._heads, strict=True):
            declared = {replace(whole.tensors[name], name="") for name in long[head - 2 : head + more]}
            is_between = short == (*long[:head], *long[head + more :])
            if not is_between or head < 2 or len(declared) > 1:
                raise NotUnfolded
        outside = whole.tensors.keys() - {name for row in rows for name in row}
        if outside != few.tensors.keys() - {name for row in left for name in row}:
            raise NotUnfolded
        return found

    @cached_property
    def moving(self) -> frozenset[str]:
        """The few names that are others in other blocks."""
        return frozenset([name for row in self.few for name in row])

    @property
    def shifts(self) -> tuple[int | None, ...]:
        """All that a source may have."""
        return (None, *dict.fromkeys((0, self.more, *range(2, self.more + 2))))

    @cached_property
    def _heads(self) -> tuple[int, ...]:
        """How many names of each row come before those that are left out."""
        return tuple(
            [
                next((place for place, name in enumerate(short) if name != long[place]), len(short))
                for short, long in zip(self.few, self.whole, strict=True)
            ]
        )

    @cached_property
    def _places(self) -> Mapping[str, tuple[int, int]]:
        return {
            name: (row, place) for row, names in enumerate(self.whole) for place, name in enumerate(names)
        }

    def source(self, name: str) -> tuple[str, int | None]:
        """What a name's own things are to be taken from, and their shift; None outside of all blocks.

        Names in the middle have theirs from the last but one before what is left out: its neighbours are
        those that it has in the deep system.
        """
        if name not in self._places:
            return name, None
        row, place = self._places[name]
        head = self._heads[row]
        if place < head:
            return name, 0
        if place >= head + self.more:
            return name, self.more
        return self.whole[row][head - 2], place - (head - 2)

    def shifted(self, shift: int | None) -> dict[str, str]:
        """Few names to those so many places further on, as far as the rows go; all to themselves by None."""
        if shift is None:
            return {name: name for row in self.few for name in row}
        return {
            name: long[place + shift]
            for short, long in zip(self.few, self.whole, strict=True)
            for place, name in enumerate(short)
            if place + shift < len(long)
        }


def _rows(following: Mapping[str, str]) -> list[list[str]]:
    """Each name with those that follow, but for names that stay the same from block to block."""
    moving = {name: other for name, other in following.items() if name != other}
    followed = set(moving.values())
    rows: list[list[str]] = []
    for name in moving:
        if name not in followed:
            rows.append([name])
            while rows[-1][-1] in moving:
                rows[-1].append(moving[rows[-1][-1]])
    if not moving.keys() <= {name for row in rows for name in row}:  # names that change places
        raise NotUnfolded
    return rows


@dataclass(frozen=True)
class Shift:
    """The names that one block's have so many places further on."""

    names: Mapping[str, str]

    def expect_order(self, tensors: Iterable[str]) -> None:
        """NotUnfolded for a name that stands for none, or where what is read together comes in another order.

        Numbers in names are ordered by what they count. The order breaks ties.
        """
        read = set(tensors)
        if not self.names.keys() >= read:
            raise NotUnfolded
        ordered = [natural(self.names[name]) for name in sorted(read, key=natural)]
        if not all(first < second for first, second in itertools.pairwise(ordered)):
            raise NotUnfolded


@cache
def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A name to sort by, such that x9 comes before x10."""
    parts = _NUMBER.split(name)
    return tuple([(1, int(each), "") if number % 2 else (0, 0, each) for number, each in enumerate(parts)])
