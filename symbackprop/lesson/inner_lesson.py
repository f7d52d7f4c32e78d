"""What a lesson says of the derivatives inside a model, before it comes to the gradient."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.derivation.result import AdjointDerivation, Derivation, RestatedEquation
from symbackprop.languages.phrases import marked, phrase
from symbackprop.lesson.chains import ChainWriter, Law, without_indices
from symbackprop.lesson.document import Block, Chain, Equations, Heading, Link, Paragraph, Reason
from symbackprop.lesson.local_derivatives import direct_path, independent, signs, worked_factor
from symbackprop.notation.expressions import ONE, Element, Expression

_PIECES = marked("A function that the model writes out in pieces is differentiated as what it is.")
_DIAGONAL = marked("It is 0 wherever {deltas} is 0, so that the rest alone is computed.")
_FIRST = marked(
    "Each derivative inside the model is worked out first, by the chain rule, and becomes part of the model. "
    "What is differentiated has indices of its own there, told apart by primes."
)


def inner_lesson(writer: ChainWriter) -> Iterator[Block]:
    """One section a derivative, and the equations that came of them; nothing where the model has none."""
    expansion = writer.derivation.expansion
    if not expansion.derivations:
        yield from _seen_through(writer)
        return
    yield Heading(1, phrase("The derivatives inside the model"))
    yield Paragraph(phrase(_FIRST))
    yield from signs(writer.derivation)
    for derivation in expansion.derivations:
        yield from _section(writer, derivation)
    for restated in expansion.restated:
        yield from _restated(writer, restated)
    yield Heading(2, phrase("What is added to the model"))
    yield Equations(added_equations(writer.derivation))


def _seen_through(writer: ChainWriter) -> Iterator[Block]:
    """The equations that are restated though they hold no derivatives."""
    restated = writer.derivation.expansion.restated
    if restated:
        yield Heading(1, phrase("The model as it is differentiated"))
        yield Paragraph(phrase(_PIECES))
    for each in restated:
        yield from _restated(writer, each)


def added_equations(derivation: Derivation) -> tuple[tuple[Expression, Expression], ...]:
    """The equations of the system that the model did not state, or stated with derivatives.

    Of the names given before differentiating, those that the gradient reads.
    """
    stated = derivation.expansion.stated.definitions
    given = _names_read(derivation)
    return tuple(
        (equation.element, equation.expression)
        for equation in derivation.expansion.system.equations
        if equation != stated.get(equation.tensor) or equation.tensor in given
    )


def _names_read(derivation: Derivation) -> set[str]:
    """The names given to parts of the model's equations that the adjoints read, or one another."""
    system, model = derivation.system, derivation.model
    read = {name for equation in derivation.equations for name in equation.reads}
    given: set[str] = set()
    for equation in reversed(system.equations):
        if equation.tensor in read and equation.tensor not in model.definitions:
            given.add(equation.tensor)
            read.update(equation.reads)
    return given


def _section(writer: ChainWriter, derivation: AdjointDerivation) -> Iterator[Block]:
    root = derivation.total.numerator
    short, named = without_indices(derivation.total), Element(derivation.equation.tensor)
    kept_as = phrase("{derivative}, kept as {name}", derivative=short, name=named)
    called = phrase("{derivative}, called {name}", derivative=short, name=named)
    title = kept_as if derivation.kept else called
    yield Heading(2, title if writer.is_named(derivation) else (short,))
    if not derivation.factors and root.tensor != derivation.tensor:
        yield Paragraph(independent(Element(root.tensor), Element(derivation.tensor)))
    if [factor.consumer.tensor for factor in derivation.factors] == [root.tensor]:
        yield from worked_factor(writer, derivation.factors[0], derivation.steps)
    else:
        if any(factor.consumer.tensor == root.tensor for factor in derivation.factors):
            yield direct_path(writer, root, [derivation.tensor])
        for factor in derivation.factors:
            yield from worked_factor(writer, factor)
        yield Paragraph(phrase("The chain rule puts it together:"))
        yield writer.chain(derivation.total, derivation.steps)
    if writer.is_named(derivation):
        yield from _name(derivation)


def _name(derivation: AdjointDerivation) -> Iterator[Block]:
    """What the name stands for, and that nothing but the diagonal is needed where deltas say so."""
    if derivation.deltas != ONE:
        yield Paragraph(phrase(_DIAGONAL, deltas=derivation.deltas))
    definition = (derivation.equation.element, " := ", derivation.meaning)
    yield Paragraph(phrase("Its name: {definition}.", definition=definition))


def _restated(writer: ChainWriter, restated: RestatedEquation) -> Iterator[Block]:
    """An equation of the model with what has been found for the derivatives in it."""
    yield Heading(2, phrase("The equation of {tensor}", tensor=Element(restated.equation.tensor)))
    links = [Link(restated.stated.expression, Reason("as the model states it"))]
    links += [Link(writer.shown(step.after), writer.reason(Law.of(step.rule))) for step in restated.steps]
    yield Chain(restated.equation.element, tuple(links))
