"""The section that goes through the code line by line, with the numbers of a tiny instance."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from symbackprop.array.ir import Cast, Fill, Literal
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.array.slices import Allocate
from symbackprop.array.value import Value
from symbackprop.explanation.blocks import Approximately, Block, Note, Numbers, Remark, Step
from symbackprop.explanation.costs import sizes_text
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.instances.digits import rows_of
from symbackprop.explanation.instances.drawing import is_small
from symbackprop.explanation.instances.worked import worked_element
from symbackprop.explanation.programs.contractions import contractions_in
from symbackprop.explanation.saying import contraction_remark, loop_said, shape_said
from symbackprop.explanation.stable_forms import StableForms
from symbackprop.indexing.counting import Extent
from symbackprop.integers.guards import padded_element
from symbackprop.languages.phrases import listed, marked, phrase
from symbackprop.lesson.document import Heading
from symbackprop.notation.expressions import Element, Expression, Index, Number
from symbackprop.notation.substitution import substitute
from symbackprop.schedule.named_equations import Part
from symbackprop.systems.shorthands import spelled
from symbackprop.systems.system import Equation

_NO_INSTANCE = marked(
    "There is no tiny instance: declared sizes, or what the model asks of its data, leave none."
)
_INSTANCE = marked(
    "A tiny instance: {sizes}. What is computed is rounded where it is shown: to three decimals, or to three "
    "digits of the largest number where all numbers of an array are small. {sign} stands where the rounded "
    "numbers would come to another last digit; large arrays are left out."
)
_LEFT_OUT = marked("A slice leaves out the places of {index} where {padded} is 0.")
_THROUGH_EVERY = marked(", because {tensor} moves {loss} through every {indices}")


def line_by_line_section(explanation: Explanation) -> Iterator[Block]:
    """Each line with its equation, its shape, what it transposes and sums, and numbers."""
    yield Heading(1, phrase("Line by line, with numbers"))
    instance = explanation.instance
    if instance is None:
        yield Note(phrase(_NO_INSTANCE))
    else:
        yield Note(phrase(_INSTANCE, sizes=sizes_text(instance.sizes), sign=Approximately()))
        for tensor in explanation.computations.module.program.tensors:
            yield from _numbers(explanation, tensor.name, tensor.indices)
    forms = StableForms(explanation)
    yield from _as_read(
        block
        for computation in explanation.computations.in_reading_order
        for block in _steps(forms, computation.lines, _stored(computation.lines))
    )


def _stored(lines: Iterable[Line]) -> frozenset[str]:
    """The arrays that lines write to after they are made."""
    within = (_stored(line.body) if isinstance(line, Loop) else () for line in lines)
    return frozenset(line.name for line in lines if isinstance(line, Store)).union(*within)


def _as_read(steps: Iterable[tuple[Block, Mapping[Hashable, Remark]]]) -> Iterator[Block]:
    """The blocks as they follow one another: a form is said once, and so is an equation in several parts."""
    before: Block | None = None
    stated: set[Hashable] = set()
    for block, forms in steps:
        if isinstance(block, Step):
            goes_on = isinstance(before, Step) and block.equation == before.equation
            said = [remark for form, remark in forms.items() if form not in stated]
            stated.update(forms)
            yield replace(block, goes_on=goes_on, remarks=(*said, *block.remarks))
        else:
            yield block
        before = block


def _steps(
    forms: StableForms, lines: Sequence[Line], stored: Collection[str], loop: Loop | None = None
) -> Iterator[tuple[Block, Mapping[Hashable, Remark]]]:
    """Those of the lines; zeros, say, to which others add are only made, and hold no result as yet."""
    explanation = forms.explanation
    for line in lines:
        if isinstance(line, Loop):
            spans = explanation.computations.spans_of(line.body)
            if spans:
                yield Note(loop_said(line, spans)), {}
            yield from _steps(forms, line.body, stored, line)
        elif isinstance(line, Statement) and line.name in stored:
            if not isinstance(line.value, Allocate) and not _is_constant(line.value):
                step = replace(_step(explanation, line, loop), numbers=(), worked=())
                yield step, dict(forms.said_of(line))
        elif not isinstance(line.value, Allocate):
            yield _step(explanation, line, loop), dict(forms.said_of(line))


def _is_constant(value: Value) -> bool:
    return isinstance(value, Fill | Cast | Literal) and all(map(_is_constant, value.operands))


def _step(explanation: Explanation, line: Statement | Store, loop: Loop | None) -> Step:
    stated = line.origin.stated
    is_whole = line.origin.part not in (Part.CUT, Part.INVARIANT)
    shown = Equation(stated.tensor, stated.indices, spelled(stated.expression, line.origin.shorthands))
    remarks = dict.fromkeys(_contracted(explanation, line))
    instance = explanation.instance if is_whole or stated.tensor == line.name else None
    steps = loop if loop and loop.counter in [index.name for index in stated.indices] else None
    worked = worked_element(stated, instance, steps, line.reads) if instance else None
    left = _meaning(explanation, shown.element)
    step = Step(
        line.name,
        left,
        shown,
        shape_said(line, stated.indices if is_whole else line.value.indices, steps),
        explanation.computations.spans_of([line]),
        tuple(remarks),
        tuple(_numbers(explanation, stated.tensor, stated.indices)) if instance else (),
    )
    if worked is None:
        return step
    element, *forms = worked.forms
    shown_worked = (_meaning(explanation, element), *forms)
    return replace(step, worked=shown_worked, worked_value=worked.value, is_rounded=worked.is_rounded)


def _meaning(explanation: Explanation, element: Expression) -> Expression:
    """The derivative, where that is what is asked for: its name stands in the code alone."""
    derivation = explanation.derivation
    if not isinstance(element, Element):
        return element
    for adjoint in derivation.adjoints:
        if adjoint.equation.tensor == element.tensor and adjoint.tensor in derivation.wrt:
            places = dict(zip(adjoint.equation.indices, element.positions, strict=True))
            return substitute(adjoint.total, places)
    return element


def _contracted(explanation: Explanation, line: Statement | Store) -> Iterator[Remark]:
    """What the products and sums of a line transpose and sum, and which places they leave out."""
    for contraction in contractions_in(line):
        remark = contraction_remark(contraction, _moved(explanation, line, contraction.summed))
        if remark:
            yield phrase("{sentence}.", sentence=remark)
        for index in contraction.summed:
            if isinstance(index.axis, Extent):
                yield from _left_out(line.origin.stated.expression, index)


def _left_out(expression: Expression, index: Index) -> Iterator[Remark]:
    """The places of an index that a slice has not, as nothing would be read there."""
    for node in expression.walk():
        padded = padded_element(node)
        if padded is not None and index.name in {each.name for each in padded.free_indices}:
            yield phrase(_LEFT_OUT, index=index, padded=node)


def _moved(explanation: Explanation, line: Statement | Store, summed: tuple[Index, ...]) -> Remark:
    """Why an adjoint's line sums: the tensor moves the loss through every place of the index."""
    adjoint = line.origin.adjoint
    if adjoint is None:
        return ()
    contributing = {
        index.axis.label
        for product in explanation.chain_rule.products
        if product.computed_as is adjoint
        for factor in product.factors
        for index in (*factor.summed, *(each for tie in factor.among for each in tie.upper.free_indices))
    }
    if not summed or any(index.axis.label not in contributing for index in summed):
        return ()
    loss = Element(explanation.derivation.system.loss or "")
    return phrase(_THROUGH_EVERY, tensor=Element(adjoint.tensor), loss=loss, indices=listed(summed))


def _numbers(explanation: Explanation, name: str, indices: tuple[Index, ...]) -> Iterator[Numbers]:
    """The numbers of an array of the tiny instance; one with three axes place by place of the first."""
    instance = explanation.instance
    if instance is None or name not in instance.values:
        return
    array = instance.values[name]
    if array.ndim != len(indices) or not is_small(array):
        return
    decimals = instance.decimals[name]
    if array.ndim == 3:
        for place, part in enumerate(array):
            element = _meaning(explanation, Element(name, (Number(place), *indices[1:])))
            yield Numbers(element, tuple(map(tuple, rows_of(part, decimals))))
        return
    yield Numbers(_meaning(explanation, Element(name, indices)), tuple(map(tuple, rows_of(array, decimals))))
