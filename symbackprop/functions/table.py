"""The element-wise functions of the language by name. To add one, write its record in one of the tuples."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.functions.activations import ACTIVATIONS
from symbackprop.functions.exponentials import EXPONENTIALS
from symbackprop.functions.piecewise import OF_INTEGERS, PIECEWISE
from symbackprop.functions.record import ElementwiseFunction
from symbackprop.functions.special import SPECIAL
from symbackprop.functions.trigonometric import TRIGONOMETRIC
from symbackprop.notation.expressions import Apply, Element, Expression, Multiply

FUNCTIONS: Mapping[str, ElementwiseFunction] = {
    record.name: record for record in (*ACTIVATIONS, *EXPONENTIALS, *PIECEWISE, *TRIGONOMETRIC, *SPECIAL)
}
INTEGER_FUNCTIONS: Mapping[str, ElementwiseFunction] = {record.name: record for record in OF_INTEGERS}
ALL_FUNCTIONS: Mapping[str, ElementwiseFunction] = {**FUNCTIONS, **INTEGER_FUNCTIONS}
# A function and what it is divided by, to the name of the quotient.
QUOTIENTS: Mapping[tuple[str, str], str] = {
    record.quotient_of: record.name for record in FUNCTIONS.values() if record.quotient_of is not None
}
_ARGUMENT = Element("?")
# A step, to the name of its argument times it: u*sign(u) is abs(u).
BY_STEPS: Mapping[str, str] = {
    step.name: record.name
    for record in FUNCTIONS.values()
    for step in FUNCTIONS.values()
    if step.is_step and record.arity == step.arity == 1 and record.definition is not None
    if record.definition(_ARGUMENT) == Multiply((_ARGUMENT, Apply(step.name, (_ARGUMENT,))))
}


def definition_of(application: Apply) -> Expression | None:
    """The formula that the function stands for, at these arguments; None where it is elementary."""
    formula = ALL_FUNCTIONS[application.function].definition
    return None if formula is None else formula(*application.arguments)


def as_shown(node: Expression) -> Expression:
    """What a formula shows for it: the definition of a function that is no more than a way to compute it."""
    if not isinstance(node, Apply) or not ALL_FUNCTIONS[node.function].shown_by_definition:
        return node
    return definition_of(node) or node
