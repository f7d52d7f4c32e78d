"""What a recurrence means for its derivatives: they are worked out together, step by step, the other way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symbackprop.derivation.result import AdjointDerivation, Derivation
from symbackprop.languages.phrases import listed, marked, phrase
from symbackprop.lesson.document import Paragraph
from symbackprop.notation.arithmetic import add
from symbackprop.notation.expressions import Element, Number
from symbackprop.systems.lags import lags_of
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import at_step

_BACKWARDS = marked(
    "{name} reads itself at a later {step}, so it is worked out from the last {step} back to the first "
    "(backpropagation through time): at each, the later ones are there, and after the last there are none."
)
_BACKWARDS_TOGETHER = marked(
    "{names} read one another at a later {step}, so they are worked out together, from the last {step} back "
    "to the first (backpropagation through time): at each, the later ones are there, and after the last "
    "there are none."
)
_FORWARDS = marked(
    "{name} reads itself at an earlier {step}, so it is worked out from the first {step} to the last: at "
    "each, the earlier ones are there, and before the first there are none."
)
_FORWARDS_TOGETHER = marked(
    "{names} read one another at an earlier {step}, so they are worked out together, from the first {step} "
    "to the last: at each, the earlier ones are there, and before the first there are none."
)


def recurrences_said(derivation: Derivation) -> Iterator[Paragraph]:
    """For the adjoints of each recurrence, which way and with what they are worked out."""
    for stage in stages_of(derivation.equations):
        if stage.recurrence is None:
            continue
        members = {equation.tensor for equation in stage.equations}
        names = [Element(each.tensor) for each in derivation.equations if each.tensor in members]
        step = at_step(stage.recurrence, stage.equations[0])
        one, many = (_BACKWARDS, _BACKWARDS_TOGETHER)
        if stage.recurrence.direction > 0:
            one, many = (_FORWARDS, _FORWARDS_TOGETHER)
        if len(names) == 1:
            yield Paragraph(phrase(one, name=names[0], step=step))
        else:
            yield Paragraph(phrase(many, names=listed(names), step=step))


def at_steps(derivation: Derivation, adjoint: AdjointDerivation) -> tuple[Element, Mapping[str, Element]]:
    """The tensor, and those that read it, in a recurrence each at its step: s[t] is read by s[t + 1].

    They have no step where there is none, or where one reads it at several.
    """
    own, bare = (
        Element(adjoint.tensor),
        {f.consumer.tensor: Element(f.consumer.tensor) for f in adjoint.factors},
    )
    stages = (stage.recurrence for stage in stages_of(derivation.system.equations) if stage.recurrence)
    recurrence = next((each for each in stages if adjoint.tensor in each.places), None)
    lags = lags_of(recurrence.equations, recurrence.places) if recurrence else None
    if recurrence is None or lags is None:
        return own, bare
    distances = {(lag.reader, lag.distance) for lag in lags if lag.read == adjoint.tensor}
    if len({reader for reader, _ in distances}) < len(distances):
        return own, bare
    step = at_step(recurrence, derivation.system.definitions[adjoint.tensor])
    readers = {reader: Element(reader, (add(step, Number(-distance)),)) for reader, distance in distances}
    return Element(adjoint.tensor, (step,)), {**bare, **readers}
