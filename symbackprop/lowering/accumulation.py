"""Loops over the offsets of windows that add up the terms of a sum, or keep the larger one, in an array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from symbackprop.array.ir import Elementwise, Literal
from symbackprop.array.program import Line, Statement
from symbackprop.array.value import Value
from symbackprop.array.views import as_number, as_real, lined_up
from symbackprop.array.whole_numbers import whole_number
from symbackprop.indexing.packed_rows import PackedRows
from symbackprop.indexing.padding import with_padded_reads
from symbackprop.indexing.short_ranges import with_short_ranges
from symbackprop.indexing.term_plans import TermPlan
from symbackprop.lowering.destinations import Target, cropped, loop_over, nested, padded_target
from symbackprop.lowering.expressions import ExpressionLowering
from symbackprop.lowering.folds import folded
from symbackprop.lowering.symbols import Computation, Symbols
from symbackprop.notation.arithmetic import add
from symbackprop.notation.expressions import ZERO, Expression, Reduction
from symbackprop.schedule.terms import Indices

ValueOf: TypeAlias = Callable[[Expression, Indices, Symbols], Value]


def added(target: Target, plans: Sequence[TermPlan], symbols: Symbols, value: ValueOf) -> Computation:
    """Loops that add up terms, or keep the larger one, in an array that starts as the rest."""
    rest = [plan.term for plan in plans if not plan.ways]
    adding = [plan for plan in plans if plan.ways]
    scattering = [way for plan in adding for way in plan.ways if way.way == "scatter"]
    array = target
    if scattering:
        name, symbols = symbols.fresh(f"{target.name}_padded")
        array = padded_target(target, scattering, name)
    if any(not plan.is_sum and target.name in plan.term.tensors for plan in adding):
        # Infinity times a 0 of the step's own place would be no number.
        name, symbols = symbols.fresh(f"{target.name}_step")
        array = target.beside(name, target.result)
    start = value(add(*rest), target.result, symbols) if rest else Literal(adding[0].start)
    lines = [array.assigned(start)]
    lines += [_steps(array, plan, symbols, value) for plan in adding]
    if array != target:
        lines.append(target.assigned(cropped(array, target, scattering)))
    return Computation(tuple(lines), symbols)


def _steps(target: Target, plan: TermPlan, symbols: Symbols, value_of: ValueOf) -> Line:
    """The loops of one reduction, each around the next."""
    assert isinstance(plan.term, Reduction)
    inner = target.existing()
    for way in plan.ways:
        inner = inner.stepped(way)
    value = value_of(with_short_ranges(plan.step), inner.result, symbols)
    value = as_number(lined_up(value, inner.result))
    if not plan.is_sum:
        value = Elementwise(plan.term.kind, (inner.read(), as_real(value)))
    return nested(inner.stored(value, accumulate=plan.is_sum), plan.offsets, target)


def rows_added(
    target: Target, packed: PackedRows, start: Computation, expressions: ExpressionLowering
) -> Computation:
    """Loops that add up the rows of packed axes in an array that starts as the rest."""
    lines = list(start.own)
    row = packed.rows[0]
    # A row that no other meets is stored.
    adds = len(packed.rows) > 1 or packed.rest != ZERO or row.index not in (None, *target.slots)
    symbols = start.symbols
    for row in packed.rows:
        body: list[Line] = []
        for corner in row.corners:
            name, symbols = symbols.fresh(f"{target.name}_offset")
            body.append(Statement(name, whole_number(corner), origin=target.origin))
            row = row.with_corner(corner, name)
        part = target.at_row(row)
        known = replace(expressions.knowing(row.facts), own=symbols.own, kinds=symbols.kinds)
        step = with_padded_reads(row.step, symbols.own, expressions.ranges)
        value = as_number(lined_up(folded(step, part.result, symbols.own, known.value), part.result))
        body.append(part.stored(value, accumulate=adds))
        lines += body if row.index is None else [loop_over(row.index, body, target)]
    return replace(start, own=tuple(lines), symbols=symbols)
