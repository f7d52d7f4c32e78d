"""What is odd about a legal model: what its loss does not read, and constants that are not finite."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from math import isfinite

from symbackprop.errors import Place
from symbackprop.notation.expressions import Constant, Expression, Logic, Number
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role, System

# It needs NumPy, which nobody shall wait for whose model has no such constant.
_CONSTANTS = "symbackprop.semantics.constants"
_PLAIN = (Number, Constant)


def remarks(system: System) -> tuple[str, ...]:
    """One line each, with its place; none of a model without a loss but for its constants.

    A parameter that the loss does not depend on has the gradient 0. An equation that nothing reads is an
    output of the module, which the loss does not depend on either.
    """
    return (*_unread(system), *_not_finite(system))


def _unread(system: System) -> Iterator[str]:
    if system.loss is None:
        return
    reached = system.precedents((system.loss,))
    for tensor in system.with_role(Role.PARAMETER):
        if tensor.name not in reached:
            yield _placed(tensor.place, f"{system.loss} does not depend on {tensor.name}: its gradient is 0")
    read = {system.loss, *system.read_by_facts, *(name for each in system.equations for name in each.reads)}
    for equation in system.equations:
        if equation.tensor not in read:
            yield _placed(
                equation.place, f"nothing reads {equation.tensor}: it is an output of the module alone"
            )


def _not_finite(system: System) -> Iterator[str]:
    for equation in system.equations:
        _, found = _looked_through(equation.expression)
        for constant, value in dict(found).items():
            yield _placed(equation.place, f"{text(constant)} is {value}")


def _looked_through(node: Expression) -> tuple[bool, list[tuple[Expression, float]]]:
    """Whether a formula is a constant; the smallest constants in it that are not finite, and their values."""
    if isinstance(node, _PLAIN):
        return True, []
    parts = [_looked_through(child) for child in node.children]
    found = [each for _, inside in parts for each in inside]
    is_constant = bool(parts) and not node.binds and all(constant for constant, _ in parts)
    if is_constant and not found and not isinstance(node, Logic):
        value = _value(node)
        found = [] if value is None or isfinite(value) else [(node, value)]
    return is_constant, found


def _value(constant: Expression) -> float | None:
    value: float | None = importlib.import_module(_CONSTANTS).constant_value(constant)
    return value


def _placed(place: Place | None, words: str) -> str:
    return words if place is None else f"{place}: {words}"
