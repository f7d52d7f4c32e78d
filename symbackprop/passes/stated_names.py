"""Formulas that name what is computed: a tensor that stability has put aside stands in none of them.

Where A = X/sum(X) is computed from a masked exponential instead of X, which no line computes any more, the
formula above it is the one by which it is computed. So it is above a temporary whose formula in the model's
terms is too long to be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from symbackprop.array.program import Line, Loop, Program, Statement, statements_in
from symbackprop.notation.substitution import tensors_read
from symbackprop.schedule.named_equations import Origin, Part
from symbackprop.systems.system import Equation

MOST_NODES = 60  # of a formula of some three lines


def with_stated_names(program: Program) -> Program:
    """The program, where lines state no tensor that no needed line computes, if their steps lead away."""
    loss = (program.loss,) if program.loss else ()
    needed = program.needed_for((*program.outputs, *loss, *program.gradients.values()))
    absent = {*_names(program.statements)} - {*_names(needed)}
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
    """The origin that states what is computed, where it states what is not, or at great length."""
    stated = origin.stated
    if not origin.steps or origin.portions:
        return origin
    computed = Equation(stated.tensor, stated.indices, origin.steps[-1].after)
    is_read = not _reads_any(stated.reads, absent) and not _is_too_long(origin, computed)
    if is_read or _reads_any(tensors_read(computed.expression), absent):
        return origin
    return replace(origin, stated=computed, steps=())


def _is_too_long(origin: Origin, computed: Equation) -> bool:
    """Whether a temporary's formula is longer than a person reads, and the one that is computed shorter."""
    if origin.part is not Part.SUBEXPRESSION or origin.stated.expression.node_count <= MOST_NODES:
        return False
    return computed.expression.node_count < origin.stated.expression.node_count


def _reads_any(names: Iterable[str], absent: Collection[str]) -> bool:
    return any(name in absent for name in names)
