"""Runs of lines that are equal but for names of tensors and axes: what a person would write as one function.

They are found by their shapes, whatever they compute. Of all runs those are taken that spare most: the
operations that are not written again, less the tensors that a call names. Where runs could begin at several
places, as in a chain of equal blocks, they are cut where the numbers in the names of tensors change.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from symbackprop.array.cost import own_cost
from symbackprop.array.program import Line, Statement, Store, statements_in
from symbackprop.passes.doubled_stretches import LargestOfStretches
from symbackprop.passes.matching_lines import FreeLines, MatchingLines
from symbackprop.passes.maximal_repeats import RepeatedWord, RepeatedWords

# A function of fewer statements hides more than it spares, but for one of a chain of three layers or more.
FEWEST_STATEMENTS = 8
FEWEST_IN_CHAIN = 4

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Repeat:
    """Where in a sequence of lines equal runs begin; none overlaps another."""

    starts: tuple[int, ...]
    length: int

    @property
    def runs(self) -> tuple[range, ...]:
        """The places of each run's lines."""
        return tuple(range(start, start + self.length) for start in self.starts)

    @property
    def is_chain(self) -> bool:
        """Whether three or more follow right behind one another."""
        pairs = zip(self.starts, self.starts[1:], strict=False)
        return len(self.starts) > 2 and all(other - one == self.length for one, other in pairs)


@dataclass(frozen=True)
class Repeats:
    """Finds repeats among lines that run one after another; `results` are names that are read elsewhere."""

    matching: MatchingLines
    results: Collection[str]

    @property
    def lines(self) -> Sequence[Line]:
        """All lines."""
        return self.matching.lines

    @cached_property
    def found(self) -> tuple[Repeat, ...]:
        """The repeat that spares most, then that which spares most of the rest, and so on."""
        taken: set[int] = set()
        repeats: list[Repeat] = []
        while (best := _Search(self, self.matching.but_for(taken)).best()) is not None:
            repeats.append(best)
            taken.update(place for run in best.runs for place in run)
        return tuple(sorted(repeats, key=lambda repeat: repeat.starts))

    @property
    def left_over(self) -> int:
        """How many operations stand in no run."""
        in_runs = sum(self.operations(run.start, len(run)) for repeat in self.found for run in repeat.runs)
        return self._operations[-1] - in_runs

    def is_made_of_equal_runs(self, start: int, length: int) -> bool:
        """Whether a run is made of equal shorter ones, or parts of them: some layers of many are no block."""
        shapes = self.matching.shapes[start : start + length]
        return any(shapes[period:] == shapes[:-period] for period in range(length // 2, 0, -1))

    def is_worth_a_function(self, repeat: Repeat) -> bool:
        """Whether what it is given and gives back is little beside what it computes."""
        statements = self.statements(repeat.starts[0], repeat.length)
        return (
            statements >= (FEWEST_IN_CHAIN if repeat.is_chain else FEWEST_STATEMENTS)
            and 2 * self.crossing(repeat) <= statements * len(repeat.starts)
            and all(map(self._owns_what_it_fills, repeat.runs))
        )

    def statements(self, start: int, length: int) -> int:
        """How many statements so many lines are."""
        return self._statements[min(start + length, len(self.lines))] - self._statements[start]

    def operations(self, start: int, length: int) -> int:
        """How many operations on arrays so many lines are."""
        return self._operations[min(start + length, len(self.lines))] - self._operations[start]

    @cached_property
    def _statements(self) -> tuple[int, ...]:
        """How many statements there are before each place."""
        return tuple(accumulate((sum(1 for _ in statements_in((line,))) for line in self.lines), initial=0))

    @cached_property
    def _operations(self) -> tuple[int, ...]:
        """How many operations there are before each place, those of a loop's body once."""
        shapes = self.matching.shapes
        lines = dict(zip(shapes, self.lines, strict=True))
        operations = {shape: sum(map(_operations_in, statements_in((lines[shape],)))) for shape in lines}
        return tuple(accumulate(map(operations.__getitem__, shapes), initial=0))

    def crossing(self, repeat: Repeat) -> int:
        """How many tensors that this sequence computes the runs are given, or give to it."""
        return sum(len(self._given(run)) + len(self.given_back(run)) for run in repeat.runs)

    def named_by_calls(self, repeat: Repeat) -> int:
        """As many in each call as in the one with most: a function's arguments are as many in each.

        So that a chain is not cut elsewhere since its first layer is given what nothing computes.
        """
        given = max(len(self._given(run)) for run in repeat.runs)
        return len(repeat.starts) * (given + max(len(self.given_back(run)) for run in repeat.runs))

    def named_at_least(self, repeat: Repeat) -> int:
        """What that is at least, by the calls being as long as the one in the middle."""
        run = repeat.runs[len(repeat.starts) // 2]
        return len(repeat.starts) * (len(self._given(run)) + len(self.given_back(run)))

    def other_numbers(self, repeat: Repeat) -> int:
        """How many names that the runs mention have another number than most names of their run.

        A person who counts layers has told by it where a layer begins: u2 and xhat2 are of one.
        """
        return sum(map(self._other_numbers, repeat.runs))

    def _other_numbers(self, run: range) -> int:
        numbers = {name: number for place in run for name, number in self._numbered[place].items()}
        most = Counter(numbers.values()).most_common(1)
        return len(numbers) - sum(count for _, count in most)

    @cached_property
    def _numbered(self) -> tuple[Mapping[str, str], ...]:
        """The names with a number that each line mentions, and the last one in each."""
        lines = self.matching.described
        found = ({name: _NUMBER.findall(name) for name in each.tensors} for each in lines)
        return tuple([{name: each[-1] for name, each in names.items() if each} for names in found])

    @cached_property
    def _computed(self) -> frozenset[str]:
        return frozenset(self._defined(range(len(self.lines))))

    @cached_property
    def _reads(self) -> tuple[tuple[str, ...], ...]:
        """What each line reads of what this sequence computes."""
        return tuple([tuple(filter(self._computed.__contains__, line.reads)) for line in self.lines])

    @cached_property
    def _readers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, line in enumerate(self.lines):
            for name in line.reads:
                found.setdefault(name, []).append(place)
        return found

    def _given(self, run: range) -> set[str]:
        read = {name for reads in self._reads[run.start : run.stop] for name in reads}
        return read.difference(self._defined(run))

    def given_back(self, run: range) -> tuple[str, ...]:
        """The names of a run that other lines of the sequence read, or that are results."""
        return tuple(
            name for name in self._defined(run) if name in self.results or not self._is_read_within(name, run)
        )

    def _is_read_within(self, name: str, run: range) -> bool:
        readers = self._readers.get(name)
        return readers is None or (readers[0] >= run.start and readers[-1] < run.stop)

    def _defined(self, places: Iterable[int]) -> Iterator[str]:
        lines = (self.lines[place] for place in places)
        return (line.name for line in lines if isinstance(line, Statement))

    def _owns_what_it_fills(self, run: range) -> bool:
        """Whether the arrays that the lines store into are made by them."""
        written = {name for place in run for name in self.lines[place].written}
        return written <= set(self._defined(run))


class _Search:
    """The best repeat of the lines that are free, by branch and bound.

    Runs that match begin at both places of a pair of a repeated word, and are as long as the word at most;
    where the places are nearer to one another than that, runs begin behind them, too. What a pair can spare
    is bounded by how often words, or lines, come, and by the operations of all lines.
    """

    def __init__(self, repeats: Repeats, free: FreeLines) -> None:
        self._repeats = repeats
        self._free = free
        self._best: Repeat | None = None
        self._preference: tuple[int, int, tuple[int, ...], int] = (0, 0, (), 0)
        self._tried: set[tuple[int, int]] = set()
        self._places: dict[int, list[int]] = {}
        for place, number in enumerate(free.numbers):
            self._places.setdefault(number, []).append(place)
        weights = [repeats.operations(place, 1) if n >= 0 else 0 for place, n in enumerate(free.numbers)]
        self._behind = tuple(accumulate(reversed(weights), initial=0))[::-1]

    def best(self) -> Repeat | None:
        """The one that is preferred to all others; None where none is worth a function."""
        found = RepeatedWords(self._free.numbers, self._free.before())
        bounds = self._bounds(found.words, found)
        for number in sorted(range(len(bounds)), key=lambda each: -bounds[each]):
            if bounds[number] < max(-self._preference[0], FEWEST_IN_CHAIN):
                break
            partners: dict[int, list[int]] = {}
            for one, other in found.pairs(found.words[number]):
                partners.setdefault(one, []).append(other)
            for one, others in partners.items():
                self._try_pairs(one, sorted(others), found.words[number].length)
        return self._best

    def _bounds(self, words: Sequence[RepeatedWord], found: RepeatedWords) -> list[int]:
        """How many operations the runs that are as long as each word, or shorter, can spare at most."""
        bounds: list[int] = []
        for word in words:
            own = self._bound(word.count, found.place_of(word), word.length)
            bounds.append(own if word.parent is None else max(own, bounds[word.parent]))
        counts = LargestOfStretches([len(self._places[each]) for each in self._free.numbers])
        for number, word in enumerate(words):
            if found.has_pairs(word) and found.overlaps_itself(word):
                place, end = found.place_of(word), found.place_of(word) + word.length
                bounds[number] = self._bound(counts.largest(place, end), place, word.length)
        return bounds

    def _bound(self, count: int, place: int, length: int) -> int:
        most = self._behind[0] - FEWEST_IN_CHAIN
        return min((count - 1) * self._repeats.operations(place, length), most)

    def _try_pairs(self, one: int, others: Sequence[int], length: int) -> None:
        """All repeats of the longest runs that begin at both places, or later in a chain of such runs."""
        for other in others:
            common = self._free.common(one, other, length)
            longest = min(common, other - one)
            if not self._repeats.is_made_of_equal_runs(one, longest):
                for shift in range(common - longest + 1):
                    self._try(one + shift, longest)

    def _try(self, start: int, length: int) -> None:
        operations = self._repeats.operations(start, length)
        is_short = self._repeats.statements(start, length) < FEWEST_IN_CHAIN
        is_hopeless = is_short or self._behind[start] - operations < -self._preference[0]
        if is_hopeless or (start, length) in self._tried:
            return
        self._tried.add((start, length))
        repeat = self._all_runs(start, length)
        spared = (len(repeat.starts) - 1) * operations
        if spared and spared >= -self._preference[0]:
            at_least = self._repeats.named_at_least(repeat) - spared
            if self._best is not None and at_least > self._preference[0]:
                return
            net = self._repeats.named_by_calls(repeat) - spared
            preference = (net, self._repeats.other_numbers(repeat), repeat.starts, length)
            is_better = self._best is None or preference < self._preference
            if is_better and self._repeats.is_worth_a_function(repeat):
                self._best, self._preference = repeat, preference

    def _all_runs(self, start: int, length: int) -> Repeat:
        starts = [start]
        alike = self._places[self._free.numbers[start]]
        for place in alike[bisect_left(alike, start + length) :]:
            if place >= starts[-1] + length and self._free.common(start, place, length) == length:
                starts.append(place)
        return Repeat(tuple(starts), length)


def _operations_in(line: Statement | Store) -> int:
    """How many operations a statement is; one that computes nothing, as a view of an array, counts as one."""
    return max(sum(1 for value in line.values for node in value.walk() if own_cost(node)), 1)
