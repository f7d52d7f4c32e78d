"""Questions about any stretch of a sequence, answered by those of 1, 2, 4, 8, .. items.

R. M. Karp, R. E. Miller, A. L. Rosenberg, Rapid identification of repeated patterns (STOC 1972).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, eq=False)
class CommonStretches:
    """How far a sequence goes on alike from two places."""

    sequence: Sequence[Hashable]

    def common(self, one: int, other: int, most: int) -> int:
        """How many items from both places on are the same, of `most` that stand behind each."""
        found = 0
        for level in range(len(self._numbers) - 1, -1, -1):
            numbers, width = self._numbers[level], 1 << level
            while found + width <= most and numbers[one + found] == numbers[other + found]:
                found += width
        return found

    @cached_property
    def _numbers(self) -> tuple[Sequence[int], ...]:
        """By each width, a number for the stretch from each place on, the same for those that are alike."""

        def numbered(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[int]:
            known: dict[Hashable, int] = {}
            return [known.setdefault(pair, len(known)) for pair in zip(left, right, strict=True)]

        return _doubled(numbered(self.sequence, self.sequence), numbered)


@dataclass(frozen=True, eq=False)
class LargestOfStretches:
    """The largest number of any stretch of a sequence."""

    sequence: Sequence[int]

    def largest(self, begin: int, end: int) -> int:
        """That from the place `begin` on, before `end`: of the two widest stretches within."""
        level = (end - begin).bit_length() - 1
        numbers = self._largest[level]
        return max(numbers[begin], numbers[end - (1 << level)])

    @cached_property
    def _largest(self) -> tuple[Sequence[int], ...]:
        return _doubled(list(self.sequence), lambda left, right: list(map(max, left, right)))


def _doubled(
    single: list[int], joined: Callable[[Sequence[int], Sequence[int]], list[int]]
) -> tuple[Sequence[int], ...]:
    """What is asked of stretches of 1, 2, 4, .. items: each is `joined` from its halves."""
    levels = [single]
    while len(levels[-1]) > 1 << (len(levels) - 1):
        last, width = levels[-1], 1 << (len(levels) - 1)
        levels.append(joined(last[:-width], last[width:]))
    return tuple(levels)
