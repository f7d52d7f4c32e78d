"""What a derivation says to a reader who is learning, and in which order.

Where the loss depends on one tensor along one path, the lesson is that of a textbook page: the chain rule as
a product, its factors one at a time, the product worked out. Otherwise each adjoint has its own section,
from the loss backwards. Nothing here knows what a derivation finds; it only finds words for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from symbackprop.algebra.arrangement import tidied
from symbackprop.derivation.result import AdjointDerivation, Derivation
from symbackprop.indexing.blocks import blocks_of
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import listed, marked, phrase, text_in
from symbackprop.lesson.chains import ChainWriter
from symbackprop.lesson.detail import Steps, with_steps
from symbackprop.lesson.document import (
    Block,
    Chain,
    Document,
    Equations,
    Heading,
    Link,
    Paragraph,
    title_of,
)
from symbackprop.lesson.document_passes import in_language_of, with_shorthands
from symbackprop.lesson.inner_lesson import added_equations, inner_lesson, model_section, stated_model
from symbackprop.lesson.likewise.derivations import with_likewise
from symbackprop.lesson.local_derivatives import direct_path, independent, signs, worked_factor
from symbackprop.lesson.matrix_form import has_product, matrix_form, shown
from symbackprop.lesson.through_time import at_steps, recurrences_said
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.derivatives import Derivative, without_indices
from symbackprop.notation.expressions import Axis, Element, Expression, Index
from symbackprop.notation.substitution import substitute
from symbackprop.systems.printing import text
from symbackprop.systems.shorthands import spelled

Line: TypeAlias = tuple[Expression, Expression]

_EVERY_PATH = marked(
    "{loss} moves with a tensor through every equation that reads it. From the loss backwards, each "
    "derivative of {loss}, the adjoint of its tensor, is worked out once and used by all that need it:"
)
_PRODUCT_WITH_INDICES = marked(
    "With its indices written out, each product is a sum over all indices of the tensor in the middle."
)
_USED_ONCE = marked("It keeps a name: {definition} is used for {users}.")
_USED_AGAIN = marked("It keeps a name: {definition} is used again for {users}.")


def derivation_document(
    derivation: Derivation,
    steps: Steps = Steps.ALL,
    language: Language = Language.ENGLISH,
    *,
    with_symbols: bool = True,
) -> Document:
    """The whole derivation in a language, from the model to the gradient's equations, with these steps.

    Without the symbols where a table of them stands in front.
    """
    writer = ChainWriter(derivation)
    lesson = _along_one_path if _is_one_path(derivation) else _adjoint_by_adjoint
    worked_out = (*inner_lesson(writer), *lesson(writer))
    model = stated_model(derivation)
    stated = [(each.element, each.expression) for each in model.equations]
    blocks = (
        *model_section(derivation, with_symbols),
        *(() if with_symbols else _as_matrices(stated)),
        *(worked_out if steps is not Steps.ALL else with_likewise(worked_out)),
        Heading(1, phrase("The result")),
        result_by_blocks(derivation),
        *(() if with_symbols else _as_matrices(_result_lines(derivation))),
    )
    asked = ", ".join(derivation.wrt)
    title = title_of(derivation.system.name, derivation.system.loss or "", asked)
    document = Document(text_in(title, language), in_language_of(blocks, language), language)
    return with_steps(with_shorthands(document, derivation.system.shorthands), steps)


def result_document(derivation: Derivation) -> Document:
    """The gradient's equations alone."""
    return Document(derivation.system.name, (result_by_blocks(derivation),))


def result_by_blocks(derivation: Derivation) -> Equations:
    """The result with a line for each block of a packed axis: delta[t,h] = ..., delta[t,size(h) + h] = ....

    Where an equation chooses by the block, its `where`s are read more easily so.
    """
    axes = derivation.system.axes
    whole = result_equations(derivation).lines
    return Equations(tuple([line for left, right in whole for line in _by_block(left, right, axes)]))


def _by_block(left: Expression, right: Expression, axes: Sequence[Axis]) -> Iterator[Line]:
    """The equation, or one for each block of its left-hand side."""
    element = left.denominator if isinstance(left, Derivative) else left
    indices = [position for position in element.children if isinstance(position, Index)]
    blocks = blocks_of(right, indices, axes)
    if not blocks:
        yield left, right
    for block in blocks:
        yield substitute(left, {block.split: block.place}), tidied(block.counted)


def result_equations(derivation: Derivation) -> Equations:
    """dE/dW2[k,j] = ..., each after the adjoints that it reads, so that the list can be computed as it is."""
    words = derivation.system.shorthands
    return Equations(tuple([(left, spelled(right, words)) for left, right in _result_lines(derivation)]))


def _result_lines(derivation: Derivation) -> list[Line]:
    """The result's equations without shorthands."""
    lines: list[Line] = list(added_equations(derivation))
    for adjoint in derivation.adjoints:
        equation = adjoint.equation
        if not adjoint.kept:
            continue
        asked = adjoint.tensor in derivation.wrt
        read = any(equation.tensor in other.reads for other in derivation.equations)
        if read or not asked:
            lines.append((equation.element, equation.expression))
        if asked:
            lines.append((adjoint.total, equation.element if read else equation.expression))
    return lines


def _as_matrices(lines: Sequence[Line]) -> Iterator[Block]:
    """The equations that are products of matrices, and those that go with them, without indices."""
    found = []
    for left, right in lines:
        of = left.denominator if isinstance(left, Derivative) else left
        if not isinstance(of, Element):
            continue
        matrix = matrix_form(right, of.positions)
        if matrix is not None:
            short = without_indices(left) if isinstance(left, Derivative) else Element(of.tensor)
            found.append((short, matrix))
    if any(has_product(matrix) for _, matrix in found):
        yield Paragraph(phrase("As matrices:"))
        yield Equations(tuple((left, shown(matrix)) for left, matrix in found))


def _is_one_path(derivation: Derivation) -> bool:
    """Whether the adjoints are the links of one chain from the loss to the one tensor asked for."""
    expected = derivation.system.loss
    for adjoint in derivation.adjoints:
        if [factor.consumer.tensor for factor in adjoint.factors] != [expected]:
            return False
        expected = adjoint.tensor
    return derivation.wrt == (expected,)


# ---- one path


def _along_one_path(writer: ChainWriter) -> Iterator[Block]:
    """The chain rule, the factors one at a time, the product."""
    adjoints = writer.derivation.adjoints
    if len(adjoints) == 1:  # the loss reads the tensor itself: there is nothing to multiply
        yield from _signs_once(writer.derivation)
        yield from _section(writer, adjoints[0])
        return
    yield Heading(1, phrase("The chain rule"))
    yield from _path(writer, adjoints)
    yield from _signs_once(writer.derivation)
    yield Heading(1, phrase("The factors, one at a time"))
    for number, adjoint in enumerate(adjoints, start=1):
        (factor,) = adjoint.factors
        short = without_indices(factor.derivative)
        numbered = phrase("Factor {number}: {factor}", number=number, factor=short)
        yield Heading(2, numbered)
        yield from worked_factor(writer, factor, adjoint.steps if number == 1 else ())
    yield Heading(1, phrase("The product"))
    yield Paragraph(phrase(_PRODUCT_WITH_INDICES))
    for adjoint in adjoints[1:]:
        yield writer.chain(adjoint.total, adjoint.steps)
        yield from _name(writer, adjoint)


def _path(writer: ChainWriter, adjoints: Sequence[AdjointDerivation]) -> Iterator[Block]:
    tensors = [Element(adjoint.tensor) for adjoint in reversed(adjoints)]
    links = [
        phrase("{tensor} moves {moved}", tensor=first, moved=second)
        for first, second in itertools.pairwise([*tensors, writer.loss])
    ]
    moves = links[0]
    for link in links[1:]:
        moves = phrase("{before}, {item}", before=moves, item=link)
    yield Paragraph(phrase("{moves}. The derivative has one factor for each of these links:", moves=moves))
    factors = [without_indices(adjoint.factors[0].derivative) for adjoint in adjoints]
    first = next(iter(adjoints[-1].steps), None)
    left = Derivative(writer.loss, tensors[0], total=True)
    yield Chain(left, (Link(multiply(*factors), writer.reason_of(first) if first else None),))


# ---- several paths


def _adjoint_by_adjoint(writer: ChainWriter) -> Iterator[Block]:
    """The general statement, then one section an adjoint."""
    adjoints = writer.derivation.adjoints
    lines = [_short_chain_rule(writer, adjoint) for adjoint in adjoints if adjoint.factors]
    lines = [line for line in lines if text(line[0]) != text(line[1])]
    if lines:
        yield Heading(1, phrase("The chain rule"))
        yield Paragraph(phrase(_EVERY_PATH, loss=writer.loss))
        yield Equations(tuple(lines))
        yield from recurrences_said(writer.derivation)
    if writer.read_twice:
        yield Paragraph(direct_path(writer, writer.loss, writer.read_twice))
    yield from _signs_once(writer.derivation)
    for adjoint in adjoints:
        yield from _section(writer, adjoint)


def _short_chain_rule(writer: ChainWriter, adjoint: AdjointDerivation) -> tuple[Expression, Expression]:
    terms = []
    own, readers = at_steps(writer.derivation, adjoint)
    for factor in adjoint.factors:
        reader = readers[factor.consumer.tensor]
        apart = writer.apart(factor.derivative).numerator.tensor
        local = Derivative(Element(apart, reader.positions), own, total=False)
        through = Derivative(writer.loss, reader, total=True)
        terms.append(local if reader.tensor == writer.loss.tensor else multiply(through, local))
    return Derivative(writer.loss, own, total=True), add(*terms)


def _section(writer: ChainWriter, adjoint: AdjointDerivation) -> Iterator[Block]:
    named = adjoint.kept and adjoint.tensor not in writer.derivation.wrt
    short = without_indices(adjoint.total)
    kept = phrase("{derivative}, kept as {name}", derivative=short, name=Element(adjoint.equation.tensor))
    yield Heading(1, kept if named else (short,))
    if not adjoint.factors and adjoint.tensor != writer.loss.tensor:
        yield Paragraph(independent(writer.loss, Element(adjoint.tensor)))
    if [factor.consumer.tensor for factor in adjoint.factors] == [writer.loss.tensor]:
        yield from worked_factor(writer, adjoint.factors[0], adjoint.steps)
    else:
        for factor in adjoint.factors:
            yield from worked_factor(writer, factor)
        if adjoint.factors:
            yield Paragraph(phrase("The chain rule puts it together:"))
        yield writer.chain(adjoint.total, adjoint.steps)
    yield from _name(writer, adjoint)


# ---- parts of both


def _name(writer: ChainWriter, adjoint: AdjointDerivation) -> Iterator[Block]:
    """Where an adjoint is kept: its name, and who uses it."""
    if not adjoint.kept or adjoint.tensor in writer.derivation.wrt:
        return
    users = [
        without_indices(other.total)
        for other in writer.derivation.adjoints
        if any(factor.consumer.tensor == adjoint.tensor for factor in other.factors)
    ]
    definition = (adjoint.equation.element, " := ", adjoint.total)
    kept = _USED_AGAIN if len(users) > 1 else _USED_ONCE
    yield Paragraph(phrase(kept, definition=definition, users=listed(users)))


def _signs_once(derivation: Derivation) -> Iterator[Block]:
    """What the signs mean, unless the derivatives inside the model have said it."""
    if not derivation.expansion.derivations:
        yield from signs(derivation)
