"""A generated module's lines as a reader takes them: what each computes, what it reads, and who reads that.

Lines that write the same arrays belong together: a loop and the arrays that it fills are one computation.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from symbackprop.array.program import Line, Loop, Program, Statement, Store
from symbackprop.array.segments import segments_of
from symbackprop.array.slices import Allocate
from symbackprop.emission.printed import PrintedModule
from symbackprop.explanation.programs.dataflow import Dataflow, Run
from symbackprop.explanation.programs.operations import operations_of_lines
from symbackprop.explanation.programs.polynomials import Polynomial, total_of
from symbackprop.notation.expressions import Index
from symbackprop.schedule.named_equations import Part


class Pass(enum.Enum):
    """Which way through the network a line is on."""

    FORWARD = "forward"
    LOSS = "loss"
    BACKWARD = "backward"


@dataclass(frozen=True)
class Span:
    """Lines of the module's text, counted from 1, and the code on them."""

    first: int
    last: int
    code: str

    @property
    def numbers(self) -> str:
        """`70`, or `70-73`."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, eq=False)
class Computation:
    """The lines that write some names together.

    `reads` are names that other computations, or the model's declarations, provide.
    """

    lines: tuple[Line, ...]
    written: tuple[str, ...]
    reads: tuple[str, ...]
    on: Pass

    @cached_property
    def operations(self) -> Polynomial:
        """What running the lines takes."""
        return operations_of_lines(self.lines)


@dataclass(frozen=True)
class Computations:
    """A module's computations in the order of its program, and where its text shows them."""

    module: PrintedModule
    items: tuple[Computation, ...]

    @classmethod
    def of(cls, module: PrintedModule) -> Computations:
        """Those of a printed module; what no output, loss or gradient needs is not printed."""
        passes = _passes(module.program)
        lines = [line for line in module.program.statements if id(line) in passes]
        groups = (_together(group, passes[id(group[-1])]) for group in _groups(lines))
        return cls(module, tuple(groups))

    @cached_property
    def in_reading_order(self) -> tuple[Computation, ...]:
        """The computations as their first lines follow one another in the module's text.

        Blocks that one function computes stay as they follow one another in the program.
        """
        return self.items if self.module.blocks else tuple(sorted(self.items, key=self._first_line))

    def _first_line(self, computation: Computation) -> int:
        return min((span.first for span in self.spans_of(computation.lines)), default=0)

    @cached_property
    def by_name(self) -> Mapping[str, Computation]:
        """Each written name's computation."""
        return {name: each for each in self.items for name in each.written}

    @cached_property
    def flow(self) -> Dataflow:
        """Which line reads what."""
        return Dataflow.of(line for each in self.items for line in each.lines)

    @cached_property
    def backward_flow(self) -> Dataflow:
        """Which line of the backward pass reads what."""
        backward = (each for each in self.items if each.on is Pass.BACKWARD)
        return Dataflow.of(line for each in backward for line in each.lines)

    @cached_property
    def _spans(self) -> tuple[tuple[Line, Span], ...]:
        texts = self.module.text.splitlines()
        return tuple(
            (each.line, Span(each.first, each.last, _dedented(texts[each.first - 1 : each.last])))
            for each in self.module.lines
        )

    def spans_of(self, lines: Iterable[Line]) -> tuple[Span, ...]:
        """Where these lines stand, those of loops' bodies too, arrays that are only made left out."""
        wanted = {id(line) for line in _with_bodies(lines)}
        return tuple(span for line, span in self._spans if id(line) in wanted and not _only_allocates(line))

    def spans_for(self, tensor: str) -> tuple[Span, ...]:
        """The lines by which the equation of a tensor is computed, the parts cut out of it left out."""
        return tuple(span for line, span in self._spans if _defines(line, tensor))

    def spans_serving(self, tensor: str) -> tuple[Span, ...]:
        """Every line that is computed for the equation of a tensor: its parts, too."""
        return tuple(
            span
            for line, span in self._spans
            if not isinstance(line, Loop)
            and any(origin.source.tensor == tensor for origin in line.origins)
            and not _only_allocates(line)
        )

    def by_equation(self, runs: Iterable[Run]) -> Mapping[str, tuple[Span, ...]]:
        """Where these lines stand, by the tensor whose equation each is for."""
        found: dict[str, tuple[Span, ...]] = {}
        for run in runs:
            tensor = run.line.origin.source.tensor
            found[tensor] = (*found.get(tensor, ()), *self.spans_of([run.line]))
        return found

    @cached_property
    def operations(self) -> Polynomial:
        """What the loss and all gradients take together."""
        return total_of(each.operations for each in self.items)

    @cached_property
    def operations_of_loss(self) -> Polynomial:
        """What the loss alone takes."""
        loss = self.module.program.loss
        needed = {id(line) for line in self.module.program.needed_for([loss])} if loss else set()
        lines = (line for each in self.items for line in each.lines)
        return operations_of_lines(line for line in lines if not loss or id(line) in needed)

    def indices_of(self, name: str) -> tuple[Index, ...]:
        """The indices of a computed or declared tensor's array."""
        declared = {tensor.name: tensor.indices for tensor in self.module.program.tensors}
        statement = self.module.program.by_name.get(name)
        return declared.get(name, ()) if statement is None else statement.value.indices


def _passes(program: Program) -> dict[int, Pass]:
    segments = segments_of(program)
    parts = (
        (Pass.FORWARD, segments.forward),
        (Pass.FORWARD, segments.outputs),
        (Pass.LOSS, segments.loss),
        (Pass.BACKWARD, segments.backward),
    )
    return {id(line): on for on, part in parts if part is not None for line in part.statements}


def _groups(lines: Iterable[Line]) -> list[list[Line]]:
    """The lines that write the same names, directly or by way of others, in the order of the last of each."""
    groups: list[list[Line]] = []
    for line in lines:
        own = set(line.written)
        sharing = [group for group in groups if any(own.intersection(each.written) for each in group)]
        groups = [group for group in groups if group not in sharing]
        groups.append([*(each for group in sharing for each in group), line])
    return groups


def _together(group: list[Line], on: Pass) -> Computation:
    written = tuple(dict.fromkeys(name for line in group for name in line.written))
    reads = dict.fromkeys(name for line in group for name in line.reads if name not in written)
    return Computation(tuple(group), written, tuple(reads), on)


def _with_bodies(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        yield line
        if isinstance(line, Loop):
            yield from _with_bodies(line.body)


def _only_allocates(line: Line) -> bool:
    return isinstance(line, Statement) and isinstance(line.value, Allocate)


def _defines(line: Line, tensor: str) -> bool:
    """Whether a line computes the equation of a tensor itself, and not a part of it."""
    if not isinstance(line, Statement | Store) or _only_allocates(line):
        return False
    return line.origin.part is Part.EQUATION and line.origin.stated.tensor == tensor


def _dedented(texts: list[str]) -> str:
    margin = len(texts[0]) - len(texts[0].lstrip())
    return "\n".join(text[margin:] for text in texts)
