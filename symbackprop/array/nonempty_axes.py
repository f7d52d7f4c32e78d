"""Axes that a program cannot run over where they are empty, and why.

An extremum over nothing has no value, a quotient by a sum over nothing is 0/0, and NumPy cannot infer a size
(-1) beside an axis of size 0. A module refuses such sizes by name when it is called, or where the other sizes
choose what cannot be computed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

from symbackprop.array.empty_axes import (
    UndefinedQuotients,
    batch_axes,
    branches_by_size,
    is_less_than_a_size,
    vanishing_axes,
)
from symbackprop.array.ir import AxisSize, Cast, Elementwise, Fill, Literal, Read, Reduce, Reshape
from symbackprop.array.layout import Group
from symbackprop.array.lookups import Clip, Gather, Nearest, ScatterAdd, ScatterExtremum
from symbackprop.array.program import Line, Loop, PlaceCheck, Program, Statement, Store
from symbackprop.array.slices import Count, Pad, Pick, Select, always_computed
from symbackprop.array.value import Value
from symbackprop.array.views import inferred_group
from symbackprop.indexing.counting import Extent, size_of
from symbackprop.integers.linear import constant_form, linear_form
from symbackprop.notation.arithmetic import factors_of
from symbackprop.notation.expressions import NEEDING_A_VALUE, Axis, Expression, Reduction, Size, Where
from symbackprop.schedule.kinds import Kind
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation

_Reasons: TypeAlias = Mapping[str, Mapping[Axis, str]]
NOTHING_NEEDED: Mapping[str, str] = {}
_Places: TypeAlias = dict[str, tuple[Value, ...]]


def with_nonempty_axes(
    program: Program, equations: Iterable[Equation] = (), needed: Mapping[str, str] = NOTHING_NEEDED
) -> Program:
    """The program with the axes that must not be empty, each with the first reason that it meets.

    `equations` are those that it computes: an extremum over what does not change leaves no trace in it.
    `needed` gives axes of which places are computed that are none where they are empty, and where.
    """
    lines = tuple(_lines(program.statements))
    found = dict(needed)
    for equation in equations:
        own = frozenset(index.axis for index in equation.indices)
        for axis, reason in _extrema_of_constants(equation.expression, own):
            found.setdefault(axis.name, f"{reason} in {equation.tensor}")
    looked_at = {(check.axis, check.places) for check in program.place_checks if check.condition is None}
    integers: _Places = {}
    for line, _ in (each for each in lines if each[0].value.kind is Kind.INTEGER):
        integers[line.name] = (*integers.get(line.name, ()), *line.value.walk())
    extrema = dict(_stepped_extrema(program.statements))
    for line, loops in lines:
        for axis, reason in (*_read_extrema(line, extrema), *_obstacles(line, looked_at, integers)):
            if axis not in loops:
                found.setdefault(axis.name, reason)
    quotients = UndefinedQuotients(batch_axes(program))
    for line, _ in lines:
        quotients.pass_line(line, _name(line))
    for name in (*program.outputs, *((program.loss,) if program.loss else ()), *program.gradients.values()):
        for axis, reason in (*extrema.get(name, {}).items(), *quotients.undefined.get(name, {}).items()):
            found.setdefault(axis.name, reason)
    needing = {axis: reason for axis, reason in found.items() if axis not in program.sizes}
    chosen = _checks_in_branches(program, integers, extrema, {*found, *program.sizes})
    return replace(program, not_empty=needing, place_checks=(*program.place_checks, *chosen))


def _checks_in_branches(
    program: Program, integers: _Places, extrema: _Reasons, known: Collection[str]
) -> tuple[PlaceCheck, ...]:
    """The first places of axes that what the sizes choose cannot do without; not of those axes in `known`."""
    looked_at = {(check.axis, check.places) for check in program.place_checks}
    found: dict[object, PlaceCheck] = {}
    for line, loops in _lines(program.statements):
        for conditions, branch in branches_by_size(line.value):
            part = replace(line, value=branch)
            for axis, reason in (*_read_extrema(part, extrema), *_obstacles(part, looked_at, integers)):
                is_ruled_out = any(_rules_out_empty(condition, axis) for condition in conditions)
                if not (axis in loops or axis.name in known or is_ruled_out):
                    found.setdefault((axis, conditions), _first_place(axis, reason, conditions))
    return tuple(found.values())


def _rules_out_empty(condition: Value, axis: Axis) -> bool:
    """Whether it says so in plain words: size > 2, 0 < size, size >= 1 or size != 0, perhaps among others."""
    match condition:
        case Elementwise("and", parts):
            return any(_rules_out_empty(part, axis) for part in parts)
        case Elementwise(">", (AxisSize(counted), Literal(number))):
            return counted == axis and number >= 0
        case Elementwise("<", (Literal(number), AxisSize(counted))):
            return counted == axis and number >= 0
        case Elementwise(">=", (AxisSize(counted), Literal(number))):
            return counted == axis and number > 0
        case Elementwise("!=", (AxisSize(counted), Literal(number))):
            return counted == axis and number == 0
    return False


def _first_place(axis: Axis, reason: str, conditions: tuple[Value, ...]) -> PlaceCheck:
    condition = Elementwise("and", conditions) if len(conditions) > 1 else conditions[0]
    sizes = tuple(dict.fromkeys((axis, *_sizes_in(condition))))
    return PlaceCheck(reason, "what the sizes choose", axis, Literal(0), condition, sizes, ())


def _lines(
    lines: Iterable[Line], loops: tuple[Axis, ...] = ()
) -> Iterator[tuple[Statement | Store, tuple[Axis, ...]]]:
    """Every line that computes a value, with the axes of the loops around it, which do not run if empty."""
    for line in lines:
        if isinstance(line, Loop):
            yield from _lines(line.body, (*loops, line.axis))
        else:
            yield line, loops


def _name(line: Statement | Store) -> str:
    return text(line.element) if isinstance(line, Statement) and line.is_definition else line.name


def _stepped_extrema(
    lines: Iterable[Line], loops: tuple[Loop, ...] = (), around: Mapping[str, int] | None = None
) -> Iterator[tuple[str, Mapping[Axis, str]]]:
    """Arrays that start as infinity, to which loops compare, with the axes of those loops: a step is needed.

    `around` counts the loops around the line that starts each.
    """
    started = dict(around or {})
    for line in lines:
        if isinstance(line, Loop):
            yield from _stepped_extrema(line.body, (*loops, line), started)
        elif _is_infinite(line.value):
            started[line.name] = len(loops)
        elif isinstance(line, Store) and line.name in started and (kind := _compared(line)):
            places = (item.place for item in line.items if isinstance(item, Pick))
            stored = {node.name for place in places for node in place.walk() if isinstance(node, Count)}
            over = [loop for loop in loops[started[line.name] :] if loop.counter not in stored]
            of = line.origin.stated.tensor
            reasons = {loop: f"{kind} over {loop.counter} in {of}" for loop in over}
            yield line.name, {axis: why for loop, why in reasons.items() for axis in _model_axes(loop.axis)}


def _is_infinite(value: Value) -> bool:
    match value:
        case Fill(operand, _) | Cast(operand):
            return _is_infinite(operand)
        case Literal(number):
            return math.isinf(number)
    return False


def _compared(line: Store) -> str:
    """max or min where the line keeps the larger or smaller of what it fills and of another value, or ""."""
    match line.value:
        case Elementwise("max" | "min" as kind, (Read(name) | Select(Read(name), line.items), _)):
            return kind if name == line.name else ""
    return ""


def _read_extrema(line: Statement | Store, extrema: _Reasons) -> Iterator[tuple[Axis, str]]:
    """Axes without which an array that the line reads is infinite, its own apart."""
    for node in always_computed(line.value):
        if isinstance(node, Read) and node.name != line.name:
            yield from extrema.get(node.name, {}).items()


def _obstacles(
    line: Statement | Store, looked_at: Collection[tuple[Axis, Value]], integers: _Places
) -> Iterator[tuple[Axis, str]]:
    """Axes with what NumPy refuses where they are empty, whatever is done with the result.

    `looked_at` are places that a module makes sure of when it is called, each with its axis; `integers` says
    what named ones are computed from.
    """
    name = _name(line)
    for node in always_computed(line.value):
        match node:
            case Reduce(operand, kind, places, _, None) if kind in NEEDING_A_VALUE:
                over = [index for place in places for index in operand.layout[place]]
                of = f"of {operand.name}" if isinstance(operand, Read) else f"in {name}"
                for index in over:
                    yield from ((axis, f"{kind} over {index.name} {of}") for axis in _model_axes(index.axis))
            case Reshape():
                yield from ((axis, name) for axis in _beside_inferred(node))
            case Elementwise("divide" | "floor_divide" | "mod", (_, below)) if node.kind is Kind.PYTHON:
                yield from (
                    (axis, f"{name} divides by 0") for axis in sorted(vanishing_axes(below, {}), key=str)
                )
            case Select(operand, items):
                read = zip(items, operand.layout, strict=True)
                picked = ((item.place, group) for item, group in read if isinstance(item, Pick))
                standing = [each for pair in picked for each in _standing(*pair)]
                yield from ((axis, name) for axis, place in standing if (axis, place) not in looked_at)
            case Gather(operand, places, skip):
                gathered = list(zip(places, operand.layout[skip:], strict=False))
                inside = (axis for pair in gathered for axis in _brought_inside(*pair, integers))
                yield from ((axis, name) for axis in inside)
                standing = [each for pair in gathered for each in _standing(*pair)]
                yield from ((axis, name) for axis, place in standing if (axis, place) not in looked_at)
            case ScatterAdd(places, _, index):
                yield from ((axis, name) for axis in _brought_inside(places, (index,), integers))
            case ScatterExtremum(kind, initial=None):
                axes = ((axis, each.name) for each in node.over for axis in _model_axes(each.axis))
                yield from ((axis, f"{kind} over {index} in {name}") for axis, index in axes)
            case Nearest(rows=Value(indices=(row, _))):
                yield from ((axis, f"min over {row.name} in {name}") for axis in _model_axes(row.axis))
            case Pad(_, before, after, _):
                less = [width for width in (*before, *after) if is_less_than_a_size(width)]
                yield from ((axis, name) for width in less for axis in _sizes_in(width))


def _beside_inferred(node: Reshape) -> Iterator[Axis]:
    """The axes whose sizes NumPy divides by where it works out the group that a reshape leaves out."""
    left_out = inferred_group(node)
    if left_out is not None:
        others = (group for place, group in enumerate(node.target) if place != left_out)
        yield from (axis for group in others for index in group for axis in _model_axes(index.axis))


def _standing(place: Value, group: Group) -> Iterator[tuple[Axis, Value]]:
    """The first place of an axis, or the last, which there is wherever the axis has places at all."""
    if not place.indices and not any(isinstance(node, Count | Read) for node in place.walk()):
        yield from ((index.axis, place) for index in group if not isinstance(index.axis, Extent))


def _brought_inside(place: Value, group: Group, integers: _Places) -> Iterator[Axis]:
    """The axis that is read where an integer is brought inside it: no integer is where it is empty.

    The zeros around a padded array of integers are brought inside, too: they stand for its first place.
    Where an axis of the integers counts through it, G = 2*A*E, there is no integer either.
    """
    counted = {name for index in place.indices for name in factors_of_size(index.axis)}
    foreign = {index.axis for index in group if index.axis.name not in counted}
    read = (integers.get(node.name, ()) for node in place.walk() if isinstance(node, Read))
    nodes = [*place.walk(), *chain.from_iterable(read)]
    has_zeros = any(isinstance(node, Pad) for node in nodes)
    counts = {node.axis for node in nodes if isinstance(node, Clip | AxisSize)}
    for axis in sorted(foreign, key=str):
        if axis in counts or (has_zeros and not isinstance(axis, Extent)):
            yield axis


def factors_of_size(axis: Axis) -> frozenset[str]:
    """The names of the axes of which each, where it is empty, makes this one empty: its own, A and E."""
    own = frozenset({axis.name})
    form = constant_form(1) if axis.formula is None else linear_form(axis.formula)
    terms = [frozenset(map(_name_of_size, factors_of(term))) for term in form.coefficients]
    return own if form.constant or not terms else own | (frozenset.intersection(*terms) - {""})


def _name_of_size(factor: Expression) -> str:
    return factor.axis.name if isinstance(factor, Size) else ""


def _extrema_of_constants(expression: Expression, around: frozenset[Axis]) -> Iterator[tuple[Axis, str]]:
    """Axes over which an extremum is taken of what does not depend on the index, with that index.

    Not those in `around`, over which the expression is repeated: where they are empty, it is nowhere read.
    """
    if isinstance(expression, Where):
        return
    if isinstance(expression, Reduction):
        over = [index for index in expression.indices if index.axis not in around]
        if expression.kind in NEEDING_A_VALUE:
            unread = [index for index in over if index not in expression.body.free_indices]
            yield from ((index.axis, f"{expression.kind} over {index.name}") for index in unread)
        else:
            around |= {index.axis for index in over}
    for child in expression.children:
        yield from _extrema_of_constants(child, around)


def _model_axes(axis: Axis) -> tuple[Axis, ...]:
    """The axis, or those that an extent's length counts."""
    return tuple(node.axis for node in size_of(axis).walk() if isinstance(node, Size))


def _sizes_in(value: Value) -> Iterator[Axis]:
    return (node.axis for node in value.walk() if isinstance(node, AxisSize))
