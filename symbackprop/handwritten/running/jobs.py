"""What is asked of hand-written code: done in this process or in another, which writes a page and arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from numpy.typing import NDArray

from symbackprop.handwritten.plans import Attempt, Change, Event, Outcome
from symbackprop.handwritten.running.performing import Expected, Names

Array: TypeAlias = NDArray[Any]
Outcomes: TypeAlias = list[tuple[Outcome, ...]]
Grades: TypeAlias = list[Mapping[str, int]]
Answer = TypeVar("Answer")


class Job(ABC, Generic[Answer]):
    """A question to the names of a file; its answer can be a page of JSON, with arrays apart."""

    @abstractmethod
    def done(self, names: Names) -> Answer:
        """The answer."""

    @abstractmethod
    def page(self, answer: Answer, arrays: dict[str, Array]) -> Any:
        """The answer as JSON has it; its arrays go into `arrays`."""

    @abstractmethod
    def read(self, page: Any, arrays: Mapping[str, Array]) -> Answer:
        """The answer that such a page holds."""


@dataclass(frozen=True)
class Attempts(Job[Outcomes]):
    """What comes of each attempt on each of its draws; values on the way for the first `watched`."""

    attempts: tuple[Attempt, ...]
    watched: int

    def done(self, names: Names) -> Outcomes:
        """The outcomes."""
        return [names.outcomes(attempt, self.watched) for attempt in self.attempts]

    def page(self, answer: Outcomes, arrays: dict[str, Array]) -> Any:
        """A list an attempt."""
        return [[_page(outcome, arrays) for outcome in each] for each in answer]

    def read(self, page: Any, arrays: Mapping[str, Array]) -> Outcomes:
        """The outcomes again."""
        return [tuple([_outcome(outcome, arrays) for outcome in each]) for each in page]


@dataclass(frozen=True)
class Mending(Job[Grades]):
    """For each change, how near each result comes on every draw, by `agreement.grade_of`.

    Nothing where one falls below its `least`, or none comes nearer.
    """

    attempt: Attempt
    changes: tuple[Change, ...]
    expected: Expected
    least: Mapping[str, int]

    def done(self, names: Names) -> Grades:
        """The grades."""
        return [names.mended(self.attempt, change, self.expected, self.least) for change in self.changes]

    def page(self, answer: Grades, arrays: dict[str, Array]) -> Any:
        """The grades are what JSON can hold."""
        return answer

    def read(self, page: Any, arrays: Mapping[str, Array]) -> Grades:
        """The grades again."""
        return list(page)


def _page(outcome: Outcome, arrays: dict[str, Array]) -> Any:
    def kept(array: Array) -> str:
        name = f"a{len(arrays)}"
        arrays[name] = array
        return name

    return {
        "results": {path: kept(array) for path, array in outcome.results.items()},
        "events": [[each.function, each.line, each.name, kept(each.value)] for each in outcome.events],
        "changed": list(outcome.changed),
        "error": outcome.error,
        "line": outcome.line,
        "sides": sorted(outcome.sides),
    }


def _outcome(page: Mapping[str, Any], arrays: Mapping[str, Array]) -> Outcome:
    events = [
        Event(str(function), int(line), str(name), arrays[key])
        for function, line, name, key in page["events"]
    ]
    return Outcome(
        {str(path): arrays[key] for path, key in page["results"].items()},
        tuple(events),
        tuple(map(str, page["changed"])),
        str(page["error"]),
        int(page["line"]),
        frozenset(map(str, page["sides"])),
    )
