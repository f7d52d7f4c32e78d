"""Which line of a program reads what, those in the bodies of loops each by itself, and what a name costs.

What a loop's body names is forgotten after the loop: the same name in another loop is another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from symbackprop.array.ir import Read
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.explanation.programs.operations import operations_of_lines
from symbackprop.explanation.programs.polynomials import Polynomial, total_of

# A name, and the loop that forgets it; 0 where none does.
Name: TypeAlias = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Run:
    """A line that computes a value, and the loops that repeat it, the outermost first."""

    line: Statement | Store
    loops: tuple[Loop, ...] = ()

    @cached_property
    def operations(self) -> Polynomial:
        """What it takes in all its repetitions."""
        return operations_of_lines([self.line], self.loops)

    @property
    def written(self) -> Name:
        """The name that holds its value."""
        return self._scoped(self.line.name)

    @property
    def variable_of(self) -> Loop | None:
        """The loop that forgets what the line computes: there is one array of it at a time."""
        return next((loop for loop in reversed(self.loops) if self.line.name in loop.variables), None)

    @property
    def steps_of(self) -> Loop | None:
        """The innermost loop whose steps are places of what the line states, as those of a recurrence are."""
        own = [index.name for index in self.line.origin.stated.indices]
        return next((loop for loop in reversed(self.loops) if loop.counter in own), None)

    @cached_property
    def reads(self) -> frozenset[Name]:
        """The names that it reads, but for the one that it writes."""
        return frozenset(map(self._scoped, self.line.reads)) - {self.written}

    @property
    def reads_itself(self) -> bool:
        """Whether its value reads the array that it writes."""
        nodes = (node for value in self.line.values for node in value.walk())
        return any(isinstance(node, Read) and node.name == self.line.name for node in nodes)

    def _scoped(self, name: str) -> Name:
        return name, next((id(loop) for loop in reversed(self.loops) if name in loop.variables), 0)


@dataclass(frozen=True)
class Dataflow:
    """The lines of a program, in order."""

    runs: tuple[Run, ...]

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Dataflow:
        """That of lines of a program."""
        return cls(tuple(_runs(lines)))

    @cached_property
    def writers(self) -> Mapping[Name, tuple[Run, ...]]:
        """The lines that write each name, in the order in which they stand."""
        found: dict[Name, tuple[Run, ...]] = {}
        for run in self.runs:
            found[run.written] = (*found.get(run.written, ()), run)
        return found

    @cached_property
    def readers(self) -> Mapping[Name, tuple[Run, ...]]:
        """The lines that read each name."""
        found: dict[Name, tuple[Run, ...]] = {}
        for run in self.runs:
            for name in run.reads:
                found[name] = (*found.get(name, ()), run)
        return found

    def once(self, name: Name) -> Polynomial:
        """What the lines take that write a name."""
        return total_of(run.operations for run in self.writers.get(name, ()))

    def behind(self, name: Name, kept: Iterable[str] = ()) -> Polynomial:
        """What computing a name takes, where the `kept` ones and the declared tensors are there."""
        return total_of(map(self.once, self._behind([name], {*kept} - {name[0]})))

    def steps_again(self, name: Name, kept: Iterable[str] = ()) -> Loop | None:
        """The loop in which each step of a name needs an earlier one, where the `kept` ones are there."""
        there = {*kept} - {name[0]}
        for run in self.writers.get(name, ()):
            read = [each for each in run.reads if _is_missing(each, there)]
            if run.loops and (run.reads_itself or name in self._behind(read, there)):
                return run.loops[-1]
        return None

    def _behind(self, names: Iterable[Name], there: Collection[str]) -> set[Name]:
        """These names and all that has to be computed for them."""
        needed: set[Name] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in needed:
                needed.add(name)
                read = (each for run in self.writers.get(name, ()) for each in run.reads)
                pending.extend(each for each in read if _is_missing(each, there))
        return needed


def _is_missing(name: Name, there: Collection[str]) -> bool:
    return bool(name[1]) or name[0] not in there


def _runs(lines: Iterable[Line], loops: tuple[Loop, ...] = ()) -> Iterator[Run]:
    for line in lines:
        if isinstance(line, Loop):
            yield from _runs(line.body, (*loops, line))
        else:
            yield Run(line, loops)
