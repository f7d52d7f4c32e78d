"""A local derivative, and what its Kronecker deltas say: element by element, or a column with one entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.derivation.result import Derivation, LocalDerivative
from symbackprop.languages.phrases import Words, listed, marked, phrase
from symbackprop.lesson.chains import ChainWriter
from symbackprop.lesson.document import Block, Column, Equations, Paragraph
from symbackprop.notation.arithmetic import factors_of, multiply
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Delta, Element, Expression, Index
from symbackprop.notation.substitution import substitute
from symbackprop.rewriting.naming import Naming
from symbackprop.rewriting.rule import Step

_DIRECT = marked(
    "{direct} is {tensor} as its own equation reads {read}, while all other tensors stand still."
)
_KRONECKER = marked("{delta} is 1 where {equal} and 0 elsewhere (Kronecker's delta).")
_HELD = marked("While {held} stands still, each element of {above} depends on one element of {below} alone:")
_SEVERAL_HELD = marked(
    "While {held} stand still, each element of {above} depends on one element of {below} alone:"
)
_COLUMN = marked("As a column over {index}, it holds {entry} in row {row} and 0 elsewhere:")


def worked_factor(
    writer: ChainWriter, factor: LocalDerivative, further: Sequence[Step] = ()
) -> Iterator[Block]:
    """A local derivative, worked out, and what its deltas say; `further` steps go on from its value."""
    yield Paragraph(phrase("From {equation}:", equation=writer.with_names_apart(factor.consumer)))
    yield writer.chain(writer.apart(factor.derivative), (*factor.steps, *further))
    yield from _description(factor, writer.held_by(factor))


def direct_path(writer: ChainWriter, root: Element, tensors: Sequence[str]) -> Words:
    """What the direct path is, where what is differentiated reads a tensor itself and through others."""
    plain = Element(root.tensor)
    read = listed([Element(name) for name in tensors])
    return phrase(_DIRECT, direct=writer.direct(plain), tensor=plain, read=read)


def independent(root: Element, tensor: Element) -> Words:
    """That one tensor does not depend on another."""
    return phrase("{root} does not depend on {tensor}.", root=root, tensor=tensor)


def signs(derivation: Derivation) -> Iterator[Block]:
    """What a Kronecker delta means, by the first that the derivation shows."""
    shown = (step for step in derivation.steps if not isinstance(step.rule, Naming))
    nodes = (node for step in shown for node in step.after.walk())
    delta = next((node for node in nodes if isinstance(node, Delta)), None)
    if delta is not None:
        yield Paragraph(delta_said(delta))


def delta_said(delta: Delta) -> Words:
    """What Kronecker's delta means, by one of them."""
    return phrase(_KRONECKER, delta=delta, equal=(delta.left, " = ", delta.right))


def _description(factor: LocalDerivative, held: Sequence[str]) -> Iterator[Block]:
    """A sentence and a display; nothing where the value has no such form.

    `held` are the tensors that stand still though they depend on what it is differentiated by.
    """
    pairs = _pairs(factor)
    if not pairs:
        return
    entry = _entry(factor, pairs)
    numerator, denominator = factor.derivative.numerator, factor.derivative.denominator
    if len(pairs) == len(numerator.positions) == len(denominator.positions):
        yield Paragraph(_element_by_element(factor, held))
        same = Element(numerator.tensor, tuple(pairs.get(index, index) for index in factor.consumer.indices))
        yield Equations(((Derivative(same, denominator, factor.derivative.total), entry),))
    elif len(pairs) == 1:
        ((over, row),) = pairs.items()
        yield Paragraph(phrase(_COLUMN, index=over, entry=entry, row=row))
        yield Column(factor.derivative, over, row, entry)


def _element_by_element(factor: LocalDerivative, held: Sequence[str]) -> Words:
    tensors = {
        "above": Element(factor.derivative.numerator.tensor),
        "below": Element(factor.derivative.denominator.tensor),
    }
    if not held:
        return phrase("Each element of {above} depends on one element of {below} alone:", **tensors)
    still = listed([Element(name) for name in held])
    template = _HELD if len(held) == 1 else _SEVERAL_HELD
    return phrase(template, **tensors, held=still)


def _pairs(factor: LocalDerivative) -> dict[Index, Index]:
    """Numerator's index to the denominator's index that a delta ties it to.

    None where a delta of positions (t' - 1 and t) says more than that.
    """
    above = factor.derivative.numerator.positions
    below = factor.derivative.denominator.positions
    pairs: dict[Index, Index] = {}
    for delta in factors_of(factor.value):
        if not isinstance(delta, Delta):
            continue
        if not all(isinstance(side, Index) for side in delta.children):
            return {}
        for over, row in ((delta.left, delta.right), (delta.right, delta.left)):
            if over in above and row in below and isinstance(over, Index) and isinstance(row, Index):
                pairs[over] = row
    return pairs


def _entry(factor: LocalDerivative, pairs: dict[Index, Index]) -> Expression:
    """The value without its deltas, where they are 1."""
    rest = [part for part in factors_of(factor.value) if not isinstance(part, Delta)]
    return substitute(multiply(*rest), dict(pairs))
