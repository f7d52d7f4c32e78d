"""What a lesson says of the model before anything is differentiated."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.derivation.result import Derivation
from symbackprop.languages.phrases import Words, marked, phrase
from symbackprop.lesson.document import Block, Equations, Heading, Paragraph, listed
from symbackprop.notation.expressions import Axis, Element, Size
from symbackprop.systems.system import Role, System

# Of one tensor, and of several.
_ROLES = (
    (Role.INPUT, marked("input {tensors}"), marked("inputs {tensors}")),
    (Role.TARGET, marked("target {tensors}"), marked("targets {tensors}")),
    (Role.CONSTANT, marked("constant {tensors}"), marked("constants {tensors}")),
    (Role.PARAMETER, marked("parameter {tensors}"), marked("parameters {tensors}")),
)


def title_of(model: str, loss: Words | str, asked: Words | str) -> Words:
    """The title of what is said about a gradient."""
    return phrase("{model}: the gradient of {loss} by {asked}", model=model, loss=loss, asked=asked)


def stated_model(derivation: Derivation) -> System:
    """The model as its author knows it: with the derivatives in it as signs, and functions in pieces."""
    expansion = derivation.expansion
    return expansion.stated if expansion.derivations or expansion.restated else derivation.system


def model_section(system: System, with_symbols: bool) -> Iterator[Block]:
    """Equations, axes, given tensors and facts; without the symbols where a table of them stands in front."""
    yield Heading(1, phrase("The model"))
    yield Equations(tuple((equation.element, equation.expression) for equation in system.equations))
    if system.axes and with_symbols:
        yield Paragraph(phrase("The indices run over axes: {runs}.", runs=listed([*map(_run, system.axes)])))
    if system.relations:
        yield Paragraph(phrase("Their sizes are related:"))
        yield Equations(tuple((Size(each.axis), each.length) for each in system.relations))
    if with_symbols:
        yield _given(system)
    for fact in system.facts:
        yield Paragraph(phrase("It is known that {fact}.", fact=fact))
    for known in system.positive_definite:
        definite = phrase(
            "It is known that {matrix} is symmetric and positive definite.", matrix=Element(known.tensor)
        )
        yield Paragraph(definite)


def _run(axis: Axis) -> Words:
    """An index and its axis."""
    if axis.size is None:
        return phrase("{index} over {axis}", index=axis.label, axis=axis.name)
    return phrase("{index} over {axis} ({size} values)", index=axis.label, axis=axis.name, size=axis.size)


def _given(system: System) -> Block:
    given = [
        phrase(several if len(tensors) > 1 else one, tensors=listed([tensor.element for tensor in tensors]))
        for role, one, several in _ROLES
        if (tensors := system.with_role(role))
    ]
    joined = tuple(part for place, item in enumerate(given) for part in ((("; ",) if place else ()) + item))
    return Paragraph(phrase("Given: {given}.", given=joined))
