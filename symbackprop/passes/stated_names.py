"""Formulas that name what is computed: a tensor that stability has put aside stands in none of them.

Where A = X/sum(X) is computed from a masked exponential instead of X, which no line computes any more, the
formula above it is the one by which it is computed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from symbackprop.array.program import Line, Loop, Program, Statement, statements_in
from symbackprop.notation.substitution import tensors_read
from symbackprop.schedule.named_equations import Origin
from symbackprop.systems.system import Equation


def with_stated_names(program: Program) -> Program:
    """The program, where lines state no tensor that no needed line computes, if their steps lead away."""
    loss = (program.loss,) if program.loss else ()
    needed = program.needed_for((*program.outputs, *loss, *program.gradients.values()))
    absent = {*_names(program.statements)} - {*_names(needed)}
    if not absent:
        return program
    kept = set(map(id, needed))
    lines = (_stating(line, absent) if id(line) in kept else line for line in program.statements)
    return replace(program, statements=tuple(lines))


def _names(lines: Iterable[Line]) -> Iterator[str]:
    return (line.name for line in statements_in(lines) if isinstance(line, Statement))


def _stating(line: Line, absent: Collection[str]) -> Line:
    if isinstance(line, Loop):
        origin = None if line.origin is None else _computed(line.origin, absent)
        return replace(line, body=tuple(_stating(inner, absent) for inner in line.body), origin=origin)
    return replace(line, origin=_computed(line.origin, absent))


def _computed(origin: Origin, absent: Collection[str]) -> Origin:
    """The origin that states what is computed, where it states what is not."""
    stated = origin.stated
    if not origin.steps or origin.portions or not _reads_any(stated.reads, absent):
        return origin
    computed = origin.steps[-1].after
    if _reads_any(tensors_read(computed), absent):
        return origin
    return replace(origin, stated=Equation(stated.tensor, stated.indices, computed), steps=())


def _reads_any(names: Iterable[str], absent: Collection[str]) -> bool:
    return any(name in absent for name in names)
