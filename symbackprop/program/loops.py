"""The lines of a recurrence: its arrays allocated, and the loop that fills them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.notation.expressions import Size
from symbackprop.notation.printing import text
from symbackprop.notation.system import Equation
from symbackprop.program.counting import whole_number
from symbackprop.program.ir import Fill, Literal, Read
from symbackprop.program.layout import layout_of
from symbackprop.program.naming import unused_name
from symbackprop.program.program import Line, Loop, Statement, Store
from symbackprop.program.recurrences import SteppedEquation, Steps
from symbackprop.program.slices import Allocate, Count, Item, Pick, Whole
from symbackprop.program.stepping import EquationLowering


def loop_lines(steps: Steps, lowering: EquationLowering) -> Iterator[Line]:
    """One allocation for each array that the loop fills, and the loop."""
    for stepped in steps.equations:
        if stepped.stored:
            equation = stepped.equation
            layout = layout_of(equation.indices)
            allocated = Fill(Literal(0.0), layout) if stepped.read_whole else Allocate(layout)
            yield Statement(equation.tensor, allocated, "", text(equation.element))
    variables = {each.equation.tensor: each.others for each in steps.equations if not each.stored}
    own = {**lowering.lowering.own, **variables}
    # What the body names is gone after it, so that it shares no memory of names with other equations.
    inside = EquationLowering(
        replace(lowering.lowering, own=own), lowering.kernel_axes, {*lowering.taken, *own}
    )
    body = tuple(line for each in steps.equations for line in _lines(each, steps, inside))
    stop = whole_number(Size(steps.index.axis))
    yield Loop(steps.index.name, steps.index.axis, stop, body, reverse=steps.direction < 0)


def _lines(stepped: SteppedEquation, steps: Steps, lowering: EquationLowering) -> list[Line]:
    """The lines of one step of an equation; of a stored one, the last stores its value."""
    name, others = stepped.equation.tensor, stepped.others
    expression = steps.at_counter(stepped)
    lines = lowering.lines(replace(stepped.item, equation=Equation(name, others, expression)))
    if not stepped.stored:
        return lines
    items: list[Item] = [Whole() for _ in stepped.equation.indices]
    items[stepped.place] = Pick(Count(steps.index.name, steps.index.axis))
    places = tuple(items)
    *before, last = lines
    if isinstance(last, Statement) and last.name == name:
        stored = Store(name, places, last.value, formula=last.formula, guarded=last.guarded)
        return [*before, stored]
    # Computed by loops of its own: under another name first.
    step = unused_name(f"{name}_step", lowering.taken.__contains__)
    lowering.taken.add(step)
    lines = lowering.lines(replace(stepped.item, equation=Equation(step, others, expression)))
    return [*lines, Store(name, places, Read(step, others))]
