"""The lines of a recurrence: its arrays allocated, and the loops that fill them, one in another or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.array.invariants import without_constants
from symbackprop.array.ir import AxisSize, Elementwise, Fill, Literal, Positions, Read
from symbackprop.array.layout import layout_of
from symbackprop.array.lookups import Clip
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.array.slices import Allocate, OfPythonInts, Pick, Whole
from symbackprop.array.value import Value
from symbackprop.array.views import as_number, lined_up
from symbackprop.array.whole_numbers import as_places, whole_number
from symbackprop.indexing.counting import counter_of
from symbackprop.lowering.destinations import Target
from symbackprop.lowering.scattered_sums import ScatteredSum
from symbackprop.lowering.stepping import EquationLowering
from symbackprop.lowering.symbols import Lines, Symbols
from symbackprop.notation.expressions import Axis, Comparison, Expression
from symbackprop.notation.substitution import substitute
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.recurrences import SteppedEquation, Steps
from symbackprop.systems.system import Equation


def loop_lines(
    loops: Sequence[Steps],
    sums: Sequence[ScatteredSum],
    lowering: EquationLowering,
    symbols: Symbols,
) -> tuple[Lines, Symbols]:
    """One allocation for each array that the loops fill, what their steps have in common, and the loops.

    The steps add up `sums` in arrays of their own. Given with the symbols that are known after them.
    """
    arrays = {each.equation.tensor: each for steps in loops for each in steps.all_equations if each.stored}
    lines: list[Line] = [_allocation(stepped) for stepped in arrays.values()]
    lines += [_no_sum_yet(each.item) for each in sums]
    for steps in loops:
        found, symbols = _hoisted_loop(steps, sums, lowering, symbols)
        lines += found
    return tuple(lines), symbols


def _hoisted_loop(
    steps: Steps, sums: Sequence[ScatteredSum], lowering: EquationLowering, symbols: Symbols
) -> tuple[Lines, Symbols]:
    inside = lowering.inside(steps.index, steps.known)
    before, loop = without_constants(_loop(steps, sums, inside, symbols))
    return (*before, loop), symbols.reserving(*(line.name for line in before))


def _loop(steps: Steps, sums: Sequence[ScatteredSum], inside: EquationLowering, symbols: Symbols) -> Loop:
    variables = {each.equation.tensor: each.others for each in steps.equations if not each.stored}
    known = symbols.scope(variables)
    body: list[Line] = []
    for each in steps.body:
        if isinstance(each, Steps):
            lines, known = _hoisted_loop(each, (), inside, known)
        else:
            lines, known = _lines(each, steps, inside, known)
        body += lines
    addends = {each.equation.tensor: each for each in steps.equations}
    for total in sums:
        if total.addend.tensor in addends:
            body.append(_addition(total, addends[total.addend.tensor], steps, inside, known))
    axis = steps.index.axis
    start, stop = whole_number(steps.start), whole_number(steps.stop)
    return Loop(steps.index.name, axis, stop, tuple(body), start, steps.direction < 0)


def _allocation(stepped: SteppedEquation) -> Statement:
    """The array; zeros where it is read before all of it is filled, for what is no number may become one."""
    equation, kind = stepped.equation, stepped.item.kind
    layout = layout_of(stepped.array)
    zeros = stepped.read_whole and kind is Kind.REAL
    value = Fill(Literal(0.0), layout) if zeros else Allocate(layout, kind)
    return Statement(equation.tensor, value, origin=stepped.item.origin)


def _lines(
    stepped: SteppedEquation, steps: Steps, lowering: EquationLowering, symbols: Symbols
) -> tuple[Lines, Symbols]:
    """The lines of one step of an equation: a variable of the body, or a slice of the array."""
    item, equation = stepped.item, stepped.equation
    target = Target.of(item, stepped.array)
    for place in stepped.places:
        target = target.at_place(place, equation.indices[place], stepped.shift)
    at_step = Equation(equation.tensor, stepped.others, steps.at_counters(stepped))
    return lowering.lines(replace(item, equation=at_step), symbols, target if stepped.stored else None)


def _no_sum_yet(item: NamedEquation) -> Statement:
    layout = layout_of(item.equation.indices)
    return Statement(item.equation.tensor, Fill(Literal(0.0), layout), origin=item.origin)


def _addition(
    total: ScatteredSum, addend: SteppedEquation, steps: Steps, lowering: EquationLowering, symbols: Symbols
) -> Store:
    """total[place] += addend, at the place that this step gives; a row for each of several places."""
    item, target = total.item, total.item.equation
    own = addend.others
    along = own[: len(total.batch) + len(total.inner)]
    here = dict(zip(total.addend.indices, addend.equation.indices, strict=True))
    at_step = {old: counter_of(new) if new in steps.counters else new for old, new in here.items()}
    expressions = replace(lowering.expressions, own=symbols.own, kinds=symbols.kinds)
    place = expressions.integer(substitute(total.place, at_step), along)
    if total.bounds:
        place = _brought_inside(place, total.axis, total.bounds)
    batch = [Positions(index) for index in along[: len(total.batch)]]
    picks = tuple(Pick(lined_up(each, along)) for each in (*batch, as_places(place)))
    rest = (Whole(),) * (len(target.indices) - len(picks))
    value = as_number(Read(addend.equation.tensor, own, addend.item.kind))
    return Store(target.tensor, (*picks, *rest), value, True, origin=item.origin, opens=True)


def _brought_inside(place: Value, axis: Axis, bounds: Sequence[Expression]) -> Value:
    """The place, or one at an end of the axis, where a step that has none adds 0."""
    if place.kind is Kind.INTEGER:
        return Clip(place, axis)
    operators = {bound.operator for bound in bounds if isinstance(bound, Comparison)}
    if ">=" in operators:
        place = OfPythonInts("max", (place, Literal(0)))
    if "<" in operators:
        place = OfPythonInts("min", (place, Elementwise("subtract", (AxisSize(axis), Literal(1)))))
    return place
