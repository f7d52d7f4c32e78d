"""Runs of lines that are equal but for the names of tensors: what a person would write once, as a function.

They are found by their shapes, whatever they compute. Of all runs those are taken that spare most statements;
where runs could begin at several places, as in a chain of equal blocks, they are cut where the fewest tensors
cross.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from symbackprop.array.program import Line, Statement, statements_in
from symbackprop.passes.renaming import names_in, shape_of

# A function of fewer statements hides more than it spares.
FEWEST_STATEMENTS = 8


@dataclass(frozen=True)
class Repeat:
    """Where in a sequence of lines equal runs begin; none overlaps another."""

    starts: tuple[int, ...]
    length: int

    @property
    def runs(self) -> tuple[range, ...]:
        """The places of each run's lines."""
        return tuple(range(start, start + self.length) for start in self.starts)


@dataclass(frozen=True)
class Repeats:
    """Finds repeats among lines that run one after another; `results` are names that are read elsewhere."""

    lines: Sequence[Line]
    results: Collection[str]

    def found(self) -> tuple[Repeat, ...]:
        """The repeat that spares most, then that which spares most of the rest, and so on."""
        taken: set[int] = set()
        repeats: list[Repeat] = []
        while (best := self._best(taken)) is not None:
            repeats.append(best)
            taken.update(place for run in best.runs for place in run)
        return tuple(sorted(repeats, key=lambda repeat: repeat.starts))

    def _best(self, taken: Collection[int]) -> Repeat | None:
        candidates = {repeat for repeat in self._candidates(taken) if self._is_worth_a_function(repeat)}
        return min(candidates, key=self._preference, default=None)

    def _preference(self, repeat: Repeat) -> tuple[int, int, tuple[int, ...]]:
        """Smaller is better: statements that need not be written, tensors that cross, the place."""
        first, *others = repeat.runs
        return -len(others) * self._weight(first), self._crossing(repeat), repeat.starts

    def _is_worth_a_function(self, repeat: Repeat) -> bool:
        """Whether it is long, and what it is given and gives back little beside what it computes."""
        weight = self._weight(repeat.runs[0])
        crossing = self._crossing(repeat)
        return (
            len(repeat.starts) > 1
            and weight >= FEWEST_STATEMENTS
            and 2 * crossing <= weight * len(repeat.starts)
            and not self._repeats_less(repeat.runs[0])
            and all(map(self._owns_what_it_fills, repeat.runs))
        )

    def _repeats_less(self, run: range) -> bool:
        """Whether a run is made of equal ones that are each too short: some layers of many are no block."""
        shapes = self._shapes[run.start : run.stop]
        periods = (period for period in range(1, len(run) // 2 + 1) if len(run) % period == 0)
        return any(shapes[period:] == shapes[:-period] for period in periods)

    def _candidates(self, taken: Collection[int]) -> Iterator[Repeat]:
        free = [place not in taken for place in range(len(self.lines))]
        for places in self._alike:
            for nth, start in enumerate(places):
                for other in places[nth + 1 :]:
                    if not self._extends_to_the_left(start, other, free):
                        yield from self._repeats_from(start, other, free)

    def _extends_to_the_left(self, start: int, other: int, free: Sequence[bool]) -> bool:
        return start > 0 and self._common(start - 1, other - 1, free, 2) == 2

    def _repeats_from(self, start: int, other: int, free: Sequence[bool]) -> Iterator[Repeat]:
        """All repeats of the longest run that begins at both places, or later in a chain of such runs."""
        period = other - start
        common = self._common(start, other, free, len(self.lines))
        for shift in range(max(common - period, 0) + 1) if common else ():
            yield self._all_runs(start + shift, min(common, period), free)

    def _all_runs(self, start: int, length: int, free: Sequence[bool]) -> Repeat:
        starts, place = [start], start + length
        while place + length <= len(self.lines):
            if self._common(start, place, free, length) == length:
                starts.append(place)
                place += length
            else:
                place += 1
        return Repeat(tuple(starts), length)

    def _common(self, start: int, other: int, free: Sequence[bool], most: int) -> int:
        """How many lines from both places on are equal but for names, one name always for one other."""
        there: dict[str, str] = {}
        back: dict[str, str] = {}
        for length in range(min(most, len(self.lines) - other)):
            first, second = start + length, other + length
            if not (free[first] and free[second] and self._shapes[first] == self._shapes[second]):
                return length
            pairs = list(zip(self._names[first], self._names[second], strict=True))
            if any(there.setdefault(a, b) != b or back.setdefault(b, a) != a for a, b in pairs):
                return length
        return min(most, len(self.lines) - other)

    @cached_property
    def _shapes(self) -> tuple[int, ...]:
        """A number for each line, the same for those that are equal but for names."""
        numbers: dict[object, int] = {}
        return tuple(numbers.setdefault(shape_of(line), len(numbers)) for line in self.lines)

    @cached_property
    def _alike(self) -> tuple[tuple[int, ...], ...]:
        """The places of the lines that are equal but for names."""
        found: dict[int, list[int]] = {}
        for place, shape in enumerate(self._shapes):
            found.setdefault(shape, []).append(place)
        return tuple(map(tuple, found.values()))

    @cached_property
    def _names(self) -> tuple[tuple[str, ...], ...]:
        return tuple(map(names_in, self.lines))

    @cached_property
    def _readers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, line in enumerate(self.lines):
            for name in line.reads:
                found.setdefault(name, []).append(place)
        return found

    def _weight(self, run: range) -> int:
        return sum(1 for _ in statements_in(self.lines[place] for place in run))

    def _crossing(self, repeat: Repeat) -> int:
        """How many tensors that this sequence computes the runs are given, or give to it."""
        return sum(len(self._given(run)) + len(self.given_back(run)) for run in repeat.runs)

    def _given(self, run: range) -> set[str]:
        own, computed = set(self._defined(run)), set(self._defined(range(len(self.lines))))
        return {name for place in run for name in self.lines[place].reads if name in computed - own}

    def given_back(self, run: range) -> tuple[str, ...]:
        """The names of a run that other lines of the sequence read, or that are results."""
        return tuple(
            name
            for name in self._defined(run)
            if name in self.results or any(place not in run for place in self._readers.get(name, ()))
        )

    def _defined(self, places: Iterable[int]) -> Iterator[str]:
        lines = (self.lines[place] for place in places)
        return (line.name for line in lines if isinstance(line, Statement))

    def _owns_what_it_fills(self, run: range) -> bool:
        """Whether the arrays that the lines store into are made by them."""
        written = {name for place in run for name in self.lines[place].written}
        return written <= set(self._defined(run))
