"""What is odd about a legal model: what its loss does not read, and constants that are not finite."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from math import isfinite

from symbackprop.errors import Place
from symbackprop.integers.whole_definitions import WholeDefinition
from symbackprop.languages.phrases import Message, worded
from symbackprop.notation.expressions import Comparison, Constant, Delta, Element, Expression, Logic, Number
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role, System

# It needs NumPy, which nobody shall wait for whose model has no such constant.
_CONSTANTS = "symbackprop.semantics.evaluation"
_PLAIN = (Number, Constant)


def remarks(system: System) -> tuple[Message, ...]:
    """One line each, with its place; none of a model without a loss but for its constants.

    A parameter that the loss does not depend on has the gradient 0. An equation that nothing reads is an
    output of the module, which the loss does not depend on either. In `x[b], t[b] in K` both hold places.
    """
    return (*_unread(system), *_not_looked_up(system), *_not_finite(system))


def _unread(system: System) -> Iterator[Message]:
    if system.loss is None:
        return
    reached = system.precedents((system.loss,))
    for tensor in system.with_role(Role.PARAMETER):
        if tensor.name not in reached:
            said = worded(
                "{loss} does not depend on {tensor}: its gradient is 0", loss=system.loss, tensor=tensor.name
            )
            yield _placed(tensor.place, said)
    named = {word.tensor for word in system.shorthands if isinstance(word, WholeDefinition)}
    read = {
        system.loss,
        *named,
        *system.read_by_facts,
        *(name for each in system.equations for name in each.reads),
    }
    for equation in system.equations:
        if equation.tensor not in read:
            said = worded(
                "nothing reads {tensor}: it is an output of the module alone", tensor=equation.tensor
            )
            yield _placed(equation.place, said)


def _not_looked_up(system: System) -> Iterator[Message]:
    """The tensors that are given as places of an axis, and read as numbers alone."""
    as_places = {name for each in system.equations for name in _places_in(each.expression)}
    read = {name for each in system.equations for name in each.reads}
    for name in sorted(read - as_places - system.definitions.keys()):
        axis, tensor = system.integers.get(name), system.tensors[name]
        if axis is not None:
            said = worded(
                "{tensor} holds places of {axis}: `in {axis}` is said of each tensor that stands before it",
                tensor=name,
                axis=axis.name,
            )
            yield _placed(tensor.place, said)


def _places_in(expression: Expression) -> Iterator[str]:
    """The tensors in positions, deltas and comparisons."""
    for node in expression.walk():
        parts = node.positions if isinstance(node, Element) else ()
        parts = node.children if isinstance(node, Delta | Comparison) else parts
        yield from (name for part in parts for name in part.tensors)


def _not_finite(system: System) -> Iterator[Message]:
    for equation in system.equations:
        _, found = _looked_through(equation.expression)
        for constant, value in dict(found).items():
            yield _placed(
                equation.place, worded("{constant} is {value}", constant=text(constant), value=value)
            )


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


def _placed(place: Place | None, said: Message) -> Message:
    return said if place is None else worded("{path}: {said}", path=place, said=said)
