"""What a lesson says of the model, and of the derivatives inside it, before it comes to the gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.derivation.result import AdjointDerivation, Derivation, RestatedEquation
from symbackprop.languages.phrases import Words, listed, marked, phrase
from symbackprop.lesson.chains import ChainWriter
from symbackprop.lesson.document import Block, Chain, Equations, Heading, Link, Paragraph, Reason
from symbackprop.lesson.local_derivatives import direct_path, independent, signs, worked_factor
from symbackprop.notation.derivatives import without_indices
from symbackprop.notation.expressions import ONE, Axis, Element, Expression, Index, Size
from symbackprop.systems.system import Role, System, Tensor

_PIECES = marked("A function that the model writes out in pieces is differentiated as what it is.")
_DIAGONAL = marked("It is 0 wherever {deltas} is 0, so that the rest alone is computed.")
_FIRST = marked(
    "Each derivative inside the model is worked out first, by the chain rule, and becomes part of the model. "
    "What is differentiated has indices of its own there, told apart by primes."
)
_NAMED_PART = marked("{names} stands for a part of an equation as it was written.")
_NAMED_PARTS = marked("{names} stand for parts of the equations as they were written.")
_WHOLE_NUMBERS = marked("{tensor} (whole numbers from 0 to {axis} - 1)")
# Of one tensor, and of several.
_ROLES = (
    (Role.INPUT, marked("input {tensors}"), marked("inputs {tensors}")),
    (Role.TARGET, marked("target {tensors}"), marked("targets {tensors}")),
    (Role.CONSTANT, marked("constant {tensors}"), marked("constants {tensors}")),
    (Role.PARAMETER, marked("parameter {tensors}"), marked("parameters {tensors}")),
)


def stated_model(derivation: Derivation) -> System:
    """The model as its author knows it: with the derivatives in it as signs, and functions in pieces."""
    expansion = derivation.expansion
    return expansion.stated if expansion.derivations or expansion.restated else derivation.system


def model_section(derivation: Derivation, with_symbols: bool) -> Iterator[Block]:
    """Equations, axes, given tensors and facts; without the symbols where a table of them stands in front."""
    system = stated_model(derivation)
    yield Heading(1, phrase("The model"))
    yield Equations(tuple((equation.element, equation.expression) for equation in system.equations))
    own = derivation.model.definitions
    named = [Element(each.tensor) for each in system.equations if each.tensor not in own]
    if named:
        yield Paragraph(phrase(_NAMED_PARTS if len(named) > 1 else _NAMED_PART, names=listed(named)))
    if system.axes and with_symbols:
        runs = [_run(axis, system.index_names.get(axis, ())) for axis in system.axes]
        yield Paragraph(phrase("The indices run over axes: {runs}.", runs=listed(runs)))
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


def _run(axis: Axis, indices: Sequence[Index]) -> Words:
    """The indices of an axis, and the axis."""
    names = listed([index.name for index in indices] or [axis.label])
    if axis.size is None:
        return phrase("{indices} over {axis}", indices=names, axis=axis.name)
    return phrase("{indices} over {axis} ({size} values)", indices=names, axis=axis.name, size=axis.size)


def _given(system: System) -> Block:
    given = [
        phrase(several if len(tensors) > 1 else one, tensors=listed([*map(_given_tensor, tensors)]))
        for role, one, several in _ROLES
        if (tensors := system.with_role(role))
    ]
    joined = tuple(part for place, item in enumerate(given) for part in ((("; ",) if place else ()) + item))
    return Paragraph(phrase("Given: {given}.", given=joined))


def _given_tensor(tensor: Tensor) -> Expression | Words:
    """A tensor's element; of one that holds places of an axis, that it does."""
    if tensor.values is None:
        return tensor.element
    return phrase(_WHOLE_NUMBERS, tensor=tensor.element, axis=tensor.values.name)


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
            yield Paragraph(direct_path(writer, root, [derivation.tensor]))
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
    links += [Link(writer.shown(step.after), writer.reason_of(step)) for step in restated.steps]
    yield Chain(restated.equation.element, tuple(links))
