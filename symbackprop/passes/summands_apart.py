"""Gradients of parameters that equal layers share, each layer's summand by a name of its own.

grad_W = delta1.T @ x1 + delta2.T @ x2 waits for both layers. Where each summand stands next to what it
reads, the layers' lines are equal but for names, as those of layers with parameters of their own are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from symbackprop.array.ir import Elementwise, Read
from symbackprop.array.program import Line, Program, Statement
from symbackprop.array.value import Value
from symbackprop.notation.arithmetic import terms_of
from symbackprop.notation.expressions import Add, Element
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.passes.renaming import shape_of
from symbackprop.schedule.named_equations import Part
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class SummandsApart:
    """A program whose last lines are `sums` of summands with names."""

    program: Program
    sums: tuple[Statement, ...]


def with_summands_apart(program: Program) -> SummandsApart | None:
    """The program with each such gradient added up at its end; None where it has none that no line reads."""
    read = {name for line in program.statements for name in line.reads}
    gradients = {*program.gradients.values()} - read
    taken = {*(tensor.name for tensor in program.tensors), *program.by_name}
    kept: list[Line] = []
    summands: list[Statement] = []
    sums: list[Statement] = []
    for line in program.statements:
        found = _summands(line, taken) if isinstance(line, Statement) and line.name in gradients else ()
        if isinstance(line, Statement) and found:
            summands += found
            sums.append(_sum(line, found))
        else:
            kept.append(line)
    if not sums:
        return None
    return SummandsApart(replace(program, statements=(*_in_place(kept, summands), *sums)), tuple(sums))


def _in_place(lines: Sequence[Line], summands: Iterable[Statement]) -> Iterator[Line]:
    """The lines, behind each the summands that can be computed from there on."""
    places = {name: place for place, line in enumerate(lines) for name in line.written}
    behind: dict[int, list[Statement]] = {}
    for summand in summands:
        behind.setdefault(max(places.get(name, -1) for name in summand.reads), []).append(summand)
    yield from behind.get(-1, ())
    for place, line in enumerate(lines):
        yield line
        yield from behind.get(place, ())


def _summands(line: Statement, taken: set[str]) -> tuple[Statement, ...]:
    """The summands of a sum of such as are equal but for names, as statements; `taken` gets their names."""
    stated, values = line.origin.stated, _terms(line.value)
    formulas = terms_of(stated.expression)
    is_whole = line.opens and not line.origin.steps and not line.origin.portions
    if not is_whole or len(values) < 2 or len(values) != len(formulas):
        return ()
    found: list[Statement] = []
    for value, formula in zip(values, formulas, strict=True):
        part = replace(line, value=value)
        if value.layout != line.value.layout or {*part.reads} != {*formula.tensors}:
            return ()
        name = numbered_name(line.name + _number_of(part.reads), taken)
        origin = line.origin.of_part(Part.SUMMAND, Equation(name, stated.indices, formula))
        found.append(replace(part, name=name, origin=origin))
        taken.add(name)
    return tuple(found) if len(set(map(shape_of, found))) == 1 else ()


def _number_of(names: Iterable[str]) -> str:
    """The number that all names with one end in; "" where they differ."""
    numbers = {number for name in names for number in re.findall(r"\d+$", name)}
    return numbers.pop() if len(numbers) == 1 else ""


def _terms(value: Value) -> tuple[Value, ...]:
    if isinstance(value, Elementwise) and value.operation == "add":
        return tuple(term for operand in value.operands for term in _terms(operand))
    return (value,)


def _sum(line: Statement, parts: Sequence[Statement]) -> Statement:
    """The line as the sum of its parts."""
    stated = line.origin.stated
    read: list[Value] = [Read(part.name, part.value.indices, part.value.kind) for part in parts]
    value = reduce(lambda one, other: Elementwise("add", (one, other)), read)
    formula = Add(tuple(Element(part.name, stated.indices) for part in parts))
    origin = line.origin.of_part(line.origin.part, replace(stated, expression=formula))
    return replace(line, value=value, origin=origin)
