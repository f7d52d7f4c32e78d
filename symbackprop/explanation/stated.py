"""What is explained, before anything is said of it: the model, its axes and sizes, and what signs mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symbackprop.derivation.result import Derivation
from symbackprop.explanation.blocks import Block, Code, Note, Remark
from symbackprop.explanation.costs import sizes_text
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.signs import signs_shown
from symbackprop.languages.phrases import listed, marked, phrase
from symbackprop.lesson.document import Block as LessonBlock
from symbackprop.lesson.document import Equations, Heading, Paragraph
from symbackprop.lesson.inner_lesson import model_section
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element
from symbackprop.systems.shorthands import spelled
from symbackprop.systems.system import Role

_NUMBERS_AT = marked("Numbers of operations and bytes, and times, are those for {sizes}.")
_SENT_BACK = marked("{command} explains {derivatives}: what a layer sends back to the one below it.")
MOST_NAMED = 6


def stated_section(explanation: Explanation) -> Iterator[Block]:
    """The model as its author knows it, the sizes of what is counted, what the page's signs mean."""
    derivation = explanation.derivation
    yield from _as_remarks(model_section(derivation, True), derivation)
    sizes = explanation.ways.sizes
    if sizes:
        yield Note(phrase(_NUMBERS_AT, sizes=sizes_text(sizes)))
    inputs = inputs_left_out(derivation)
    if inputs:
        others = derivation.wrt if len(derivation.wrt) <= MOST_NAMED else ()
        loss = Element(derivation.system.loss or "")
        sent = [Derivative(loss, Element(name), total=True) for name in inputs]
        command = Code(
            f"symbackprop explain {derivation.system.name}.model --wrt {','.join((*inputs, *others))}"
        )
        yield Note(phrase(_SENT_BACK, command=command, derivatives=listed(sent)))
    yield from map(Note, signs_shown(explanation))
    yield from map(Note, _names_of_gradients(derivation))


def _as_remarks(blocks: Iterable[LessonBlock], derivation: Derivation) -> Iterator[Block]:
    """The blocks of a lesson on a page of an explanation, in the words that the system has for parts."""
    words = derivation.system.shorthands
    for block in blocks:
        match block:
            case Heading():
                yield block
            case Paragraph(sentence):
                yield Note(sentence)
            case Equations(lines):
                yield Equations(tuple((left, spelled(right, words)) for left, right in lines))


def _names_of_gradients(derivation: Derivation) -> Iterator[Remark]:
    """What grad_gamma is, where a formula reads it."""
    read = {name for equation in derivation.equations for name in equation.reads}
    for adjoint in derivation.adjoints:
        if adjoint.tensor in derivation.wrt and adjoint.equation.tensor in read and adjoint.kept:
            yield phrase("{name} is {meaning}.", name=adjoint.equation.element, meaning=adjoint.total)


def inputs_left_out(derivation: Derivation) -> tuple[str, ...]:
    """The inputs that hold real numbers and move the loss, and by which it is not differentiated."""
    system, asked = derivation.system, derivation.wrt
    moving = system.precedents([system.loss or ""])
    inputs = [each.name for each in system.with_role(Role.INPUT) if each.values is None]
    return tuple(name for name in inputs if name in moving and name not in asked)
