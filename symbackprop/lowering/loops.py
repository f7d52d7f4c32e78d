"""The lines of a recurrence: its arrays allocated, and the loops that fill them, one in another or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.array.invariants import without_constants
from symbackprop.array.ir import Fill, Literal
from symbackprop.array.layout import layout_of
from symbackprop.array.program import Line, Loop, Statement
from symbackprop.array.slices import Allocate
from symbackprop.array.whole_numbers import whole_number
from symbackprop.lowering.destinations import Target
from symbackprop.lowering.stepping import EquationLowering
from symbackprop.lowering.symbols import Lines, Symbols
from symbackprop.notation.expressions import Size
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.recurrences import SteppedEquation, Steps
from symbackprop.systems.system import Equation


def loop_lines(loops: Sequence[Steps], lowering: EquationLowering, symbols: Symbols) -> tuple[Lines, Symbols]:
    """One allocation for each array that the loops fill, what their steps have in common, and the loops.

    Given with the symbols that are known after them.
    """
    arrays = {each.equation.tensor: each for steps in loops for each in steps.all_equations if each.stored}
    lines: list[Line] = [_allocation(stepped) for stepped in arrays.values()]
    for steps in loops:
        found, symbols = _hoisted_loop(steps, lowering, symbols)
        lines += found
    return tuple(lines), symbols


def _hoisted_loop(steps: Steps, lowering: EquationLowering, symbols: Symbols) -> tuple[Lines, Symbols]:
    before, loop = without_constants(_loop(steps, lowering.inside(steps.index), symbols))
    return (*before, loop), symbols.reserving(*(line.name for line in before))


def _loop(steps: Steps, inside: EquationLowering, symbols: Symbols) -> Loop:
    variables = {each.equation.tensor: each.others for each in steps.equations if not each.stored}
    known = symbols.scope(variables)
    body: list[Line] = []
    for each in steps.body:
        if isinstance(each, Steps):
            lines, known = _hoisted_loop(each, inside, known)
        else:
            lines, known = _lines(each, steps, inside, known)
        body += lines
    axis = steps.index.axis
    start, stop = whole_number(steps.start), whole_number(Size(axis))
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
        target = target.at_place(place, equation.indices[place])
    at_step = Equation(equation.tensor, stepped.others, steps.at_counters(stepped))
    return lowering.lines(replace(item, equation=at_step), symbols, target if stepped.stored else None)
