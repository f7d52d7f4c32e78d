"""What comes again in a sequence: the nodes of its suffix tree at which it goes on differently on both sides.

D. Gusfield, Algorithms on Strings, Trees, and Sequences (1997), 7.12; the tree's nodes are the intervals of
the suffix array between small common prefixes (Abouelhoda, Kurtz, Ohlebusch, J. Discrete Algorithms 2, 2004).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise, product


@dataclass(frozen=True)
class RepeatedWord:
    """`length` items that begin at each place between `begin` and `end` in the order of the suffixes.

    `parent` is the place, in the list of words, of the next shorter one that begins at all of these, too.
    """

    length: int
    begin: int
    end: int
    parent: int | None

    @property
    def count(self) -> int:
        """At how many places it begins."""
        return self.end - self.begin


class RepeatedWords:
    """All words that come again and go on in two ways or more, each behind its parent.

    `before` says by a number what stands before each place.
    """

    def __init__(self, sequence: Sequence[int], before: Sequence[int]) -> None:
        self._order = _suffixes(sequence)
        self._common = _common_prefixes(sequence, self._order)
        self._before = before
        changes = [before[one] != before[other] for one, other in pairwise(self._order)]
        self._changes = list(accumulate(changes, initial=0))
        self._changed = [place + 1 for place, is_other in enumerate(changes) if is_other]
        self._ends: dict[int, list[int]] = {}
        for place, length in enumerate(self._common):
            self._ends.setdefault(length, []).append(place + 1)
        self.words = tuple(_words(self._common))

    def place_of(self, word: RepeatedWord) -> int:
        """One of the places at which it begins."""
        return self._order[word.begin]

    def overlaps_itself(self, word: RepeatedWord) -> bool:
        """Whether it begins again before it ends."""
        return any(
            other - one < word.length for one, other in pairwise(sorted(self._order[word.begin : word.end]))
        )

    def has_pairs(self, word: RepeatedWord) -> bool:
        """Whether any two places differ both in what stands before and behind it."""
        return self._changes[word.begin] != self._changes[word.end - 1]

    def pairs(self, word: RepeatedWord) -> Iterator[tuple[int, int]]:
        """The word's places, two at a time, that differ in what stands before and behind it; the first first.

        Words without pairs, as most in a chain of equal parts, cost no time.
        """
        if not self.has_pairs(word):
            return
        seen: dict[int, list[range]] = {}
        for branch in self._branches(word):
            sides: dict[int, list[range]] = {}
            for begin, end in _cut(branch, self._changed):
                sides.setdefault(self._before[self._order[begin]], []).append(range(begin, end))
            for left, stretches in sides.items():
                others = [each for side, found in seen.items() if side != left for each in found]
                ones = chain(*stretches) if others else ()
                for one, other in product(ones, chain(*others)):
                    places = self._order[one], self._order[other]
                    yield min(places), max(places)
            for left, stretches in sides.items():
                seen.setdefault(left, []).extend(stretches)

    def _branches(self, word: RepeatedWord) -> Iterator[range]:
        """Where each way in which it goes on stands in the order."""
        for begin, end in _cut(range(word.begin, word.end), self._ends[word.length]):
            yield range(begin, end)


def _cut(stretch: range, places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The parts of a stretch between those of the places, in order, that lie inside it."""
    inside = places[bisect_right(places, stretch.start) : bisect_left(places, stretch.stop)]
    return pairwise((stretch.start, *inside, stretch.stop))


def _words(common: Sequence[int]) -> Iterator[RepeatedWord]:
    """The words between suffixes whose neighbours have so many items in `common`, the outer ones first."""
    unfinished: list[tuple[int, int]] = []
    spans: list[tuple[int, int, int]] = []
    for place, length in enumerate((*common, 0)):
        begin = place
        while unfinished and unfinished[-1][0] > length:
            longer, begin = unfinished.pop()
            spans.append((begin, -place - 1, longer))
        if length and (not unfinished or unfinished[-1][0] < length):
            unfinished.append((length, begin))
    around: list[tuple[int, int]] = []
    for number, (begin, end, length) in enumerate(sorted(spans)):
        while around and around[-1][0] <= begin:
            around.pop()
        yield RepeatedWord(length, begin, -end, around[-1][1] if around else None)
        around.append((-end, number))


def _suffixes(sequence: Sequence[int]) -> list[int]:
    """Where the suffixes begin, in their order; by twice as many items in every round."""
    ranks = _ranks(sequence)
    size, width = len(ranks), 1
    while size and max(ranks) < size - 1:
        behind = [rank + 1 for rank in ranks[width:]] + [0] * min(width, size)
        ranks = _ranks([rank * (size + 1) + follower for rank, follower in zip(ranks, behind, strict=True)])
        width *= 2
    return sorted(range(size), key=ranks.__getitem__)


def _ranks(keys: Sequence[int]) -> list[int]:
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    return [places[key] for key in keys]


def _common_prefixes(sequence: Sequence[int], order: Sequence[int]) -> list[int]:
    """How many items each suffix and the next one in the order begin with alike (Kasai et al., CPM 2001)."""
    size, following = len(sequence), dict(pairwise(order))
    found: dict[int, int] = {}
    length = 0
    for place in range(size):
        other = following.get(place, size)
        most = size - max(place, other)
        while length < most and sequence[place + length] == sequence[other + length]:
            length += 1
        found[place] = min(length, most)
        length = max(found[place] - 1, 0)
    return [found[place] for place in order[:-1]]
