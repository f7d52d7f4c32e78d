"""Functions that are their argument times a gate: silu(u) = u*sigmoid(u), gelu(u) = u*normcdf(u).

Their derivatives need the gate again, which is then computed once, and the function from it.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.functions.elementary import ALL_FUNCTIONS, definition_of
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Apply, Expression, Multiply
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.schedule.occurrences import occurrence
from symbackprop.systems.system import Equation


def with_shared_gates(equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
    """The equations, with u*g(u) for each f(u) that is this, where some equation needs g(u) by itself."""
    nodes = (node for equation in equations for node in equation.expression.walk())
    applied = {occurrence(node)[0] for node in nodes if isinstance(node, Apply)}

    def opened(node: Expression) -> Expression:
        gate = gate_of(node)
        if gate is None or occurrence(gate)[0] not in applied:
            return node
        return multiply(*gate.arguments, gate)

    return tuple(
        replace(equation, expression=rewrite_bottom_up(equation.expression, opened)) for equation in equations
    )


def gate_of(node: Expression) -> Apply | None:
    """g(u) of f(u) = u*g(u); None where the function is no such product, and for |u|, which costs nothing."""
    formula = definition_of(node) if isinstance(node, Apply) else None
    match formula:
        case Multiply((argument, Apply(name, (inner,)) as gate)) if inner == argument:
            return None if ALL_FUNCTIONS[name].is_step else gate
    return None
