"""An explanation as a page: the sections, in the order in which one would teach them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from symbackprop.array.ir import Cast, Fill, Literal
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.array.slices import Allocate
from symbackprop.array.value import Value
from symbackprop.derivation.result import Derivation
from symbackprop.explanation.blocks import Block, Code, Lines, Note, Numbers, Page, Remark, Step, Table
from symbackprop.explanation.chain_rule import Factor, Product
from symbackprop.explanation.contractions import contractions_in
from symbackprop.explanation.costs import cost_section, storage_section
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.instance import is_small, rows_of
from symbackprop.explanation.reuse import Reused
from symbackprop.explanation.saying import (
    computed_where,
    contraction_remark,
    contributing,
    numbers_that_matter,
    on_lines,
    read_by,
    shape_text,
)
from symbackprop.explanation.translation import page_in
from symbackprop.explanation.units import units
from symbackprop.explanation.worked import decimal, worked_element
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import Words, marked, phrase
from symbackprop.lesson.chains import ChainWriter, without_indices
from symbackprop.lesson.document import Heading, listed, title_of
from symbackprop.lesson.likewise.derivations import but_for_names
from symbackprop.lesson.local_derivatives import independent
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.schedule.named_equations import Part
from symbackprop.systems.shorthands import spelled
from symbackprop.systems.system import Equation, Role

MOST_NAMED = 6

_PRODUCTS = marked(
    "The chain rule multiplies from the loss backwards. Each product below is {loss}'s derivative by the "
    "tensor that stands last, and has its shape. Lines are those of {file}."
)
_REUSED = marked(
    "{name} is computed once, on {lines}, and read by {readers}. Its own line takes {once} operations. "
    "Computing it {times} with all that stands before it would take {saved}, which is {number} at the sizes "
    "below."
)
_REUSED_AS_EARLIER = marked(
    "{name} is computed once, on {lines}, and read by {readers}; the costs are those of {earlier}."
)
_HELD_ON_LINES = marked("{equation}, of shape {shape}: {held} on {lines}.")
_NO_INSTANCE = marked(
    "There is no tiny instance: declared sizes, or what the model asks of its data, leave none."
)
_INSTANCE = marked(
    "A tiny instance: {sizes}. What is computed is rounded to three digits where it is shown; large arrays "
    "are left out."
)
_AS_EARLIER = marked("{equation}: likewise, as {derivative}.")
_THROUGH_EVERY = marked(", because {tensor} moves {loss} through every {indices}")


def explanation_page(explanation: Explanation, language: Language = Language.ENGLISH) -> Page:
    """The whole page in a language."""
    blocks = (
        *_which_line(explanation),
        *_reuse(explanation),
        *_factors(explanation),
        *_line_by_line(explanation),
        *storage_section(explanation),
        *cost_section(explanation),
    )
    title = phrase("{title}, line by line", title=page_title(explanation.derivation))
    return page_in(title, blocks, language)


def page_title(derivation: Derivation) -> Words:
    """The model, its loss and what it is differentiated by, of which a few are named."""
    system, asked = derivation.system, derivation.wrt
    by: Words = (", ".join(asked),)
    if len(asked) > MOST_NAMED:
        is_every = set(asked) == {tensor.name for tensor in system.with_role(Role.PARAMETER)}
        others = phrase("{first} and {count} others", first=asked[0], count=len(asked) - 1)
        by = phrase("every parameter") if is_every else others
    return title_of(system.name, system.loss or "", by)


def product_expression(product: Product) -> Expression:
    """dE/dy dy/du2 du2/dW2, or a sum of such products."""
    return add(*(multiply(*chain) for chain in product.terms))


def _which_line(explanation: Explanation) -> Iterator[Block]:
    yield Heading(1, phrase("Which line computes which product"))
    loss = Element(explanation.derivation.system.loss or "")
    yield Note(phrase(_PRODUCTS, loss=loss, file=Code(f"{explanation.name}.py")))
    rows = [
        (
            (product_expression(product),),
            (shape_text(product.indices),),
            (Lines(product.spans),) if product.spans else ("-",),
            _code_of(product),
        )
        for product in explanation.chain_rule.products
    ]
    if rows:
        yield Table((marked("product"), marked("shape"), marked("line"), marked("code")), tuple(rows))
    for adjoint in explanation.derivation.adjoints:
        if not adjoint.factors and adjoint.tensor != loss.tensor:
            yield Note(independent(loss, Element(adjoint.tensor)))


def _code_of(product: Product) -> Remark:
    if not product.spans or product.is_given:
        return computed_where(product)
    shown = Code(on_one_line(product.spans[0].code))
    return (shown,) if product.is_its_own else (shown, " (", *computed_where(product), ")")


def on_one_line(code: str) -> str:
    """A statement that takes several lines, without these: what a table has place for."""
    joined = " ".join(map(str.strip, code.splitlines()))
    return re.sub(r"(?<=[(\[{]) |,? (?=[)\]}])", "", joined)


def _reuse(explanation: Explanation) -> Iterator[Block]:
    yield Heading(1, phrase("What is kept and used again"))
    if not explanation.reused:
        yield Note(phrase("Nothing: each line is read by one other."))
        return
    sizes = explanation.ways.sizes
    known: dict[tuple[object, ...], Reused] = {}
    for reused in explanation.reused:
        name: Remark = (Element(reused.name),)
        if reused.adjoint is not None:
            name = (reused.adjoint.equation.element, " = ", reused.adjoint.total)
        more = len(reused.readers) - 1
        where = {
            "lines": on_lines(reused.spans),
            "readers": read_by(reused.readers, (reused.name,), explanation.computations),
        }
        earlier = known.setdefault((reused.once.expression, reused.saved.expression, more), reused)
        if earlier is not reused:
            yield Note(phrase(_REUSED_AS_EARLIER, name=name, **where, earlier=Element(earlier.name)))
            continue
        yield Note(
            phrase(
                _REUSED,
                name=name,
                **where,
                once=reused.once.expression,
                times=phrase("once more") if more == 1 else phrase("{count} times more", count=more),
                saved=reused.saved.expression,
                number=f"{reused.saved.at(sizes):,}",
            )
        )


def _is_the_product(factor: Factor, product: Product) -> bool:
    """Whether a factor is the derivative of the loss itself, so that the product says the same."""
    of_loss = factor.derivative.numerator == product.adjoint.total.numerator
    return of_loss and len(product.factors) == 1 and factor.value == product.value


def _factors(explanation: Explanation) -> Iterator[Block]:
    """Each product's factors, and where it is kept; what it is, if it is one factor, stands there alone."""
    yield Heading(1, phrase("Factor by factor: which index survives"))
    chains, known = ChainWriter(explanation.derivation), dict[tuple[str, ...], Derivative]()
    yield from map(Note, units(explanation.derivation.system))
    for product in explanation.chain_rule.products:
        yield Heading(2, (product_expression(product),))
        for factor in product.factors:
            if contributing(factor) or not _is_the_product(factor, product):
                value = spelled(factor.value, explanation.derivation.system.shorthands)
                alike = known.setdefault(but_for_names([factor.derivative, value]), factor.derivative)
                yield from _factor(factor, value, None if alike is factor.derivative else alike)
        found = {
            "equation": (product.adjoint.total, " = ", chains.shown(product.value)),
            "shape": shape_text(product.indices),
            "held": computed_where(product),
        }
        if product.spans:
            yield Note(phrase(_HELD_ON_LINES, **found, lines=on_lines(product.spans)))
        else:
            yield Note(phrase("{equation}, of shape {shape}: {held}.", **found))


def _factor(factor: Factor, value: Expression, alike: Derivative | None) -> Iterator[Block]:
    """Which index survives it; in a line where it goes as an earlier one, but for the names of tensors."""
    equation: Remark = (factor.derivative, " = ", value)
    contributes = contributing(factor)
    if not contributes:
        yield Note(phrase("{equation}.", equation=equation))
    elif alike is not None:
        yield Note(phrase(_AS_EARLIER, equation=equation, derivative=without_indices(alike)))
    else:
        yield Note(phrase("{equation}: {contributes}.", equation=equation, contributes=contributes))
        matter = numbers_that_matter(factor)
        if matter:
            yield Note(phrase("{sentence}.", sentence=matter))


def _line_by_line(explanation: Explanation) -> Iterator[Block]:
    yield Heading(1, phrase("Line by line, with numbers"))
    instance = explanation.instance
    if instance is None:
        yield Note(phrase(_NO_INSTANCE))
    else:
        sizes = ", ".join(f"{name} = {size}" for name, size in instance.sizes.items())
        yield Note(phrase(_INSTANCE, sizes=sizes))
        for tensor in explanation.computations.module.program.tensors:
            numbers = _numbers(explanation, tensor.name, tensor.indices)
            if numbers is not None:
                yield numbers
    for computation in explanation.computations.items:
        yield from _steps(explanation, computation.lines, _stored(computation.lines))


def _stored(lines: Iterable[Line]) -> frozenset[str]:
    """The arrays that lines write to after they are made."""
    within = (_stored(line.body) if isinstance(line, Loop) else () for line in lines)
    return frozenset(line.name for line in lines if isinstance(line, Store)).union(*within)


def _steps(explanation: Explanation, lines: Sequence[Line], stored: Collection[str]) -> Iterator[Block]:
    """Those of the lines; zeros, say, to which others add are only made, and hold no result as yet."""
    for line in lines:
        if isinstance(line, Loop):
            yield from _steps(explanation, line.body, stored)
        elif isinstance(line, Statement) and line.name in stored:
            if not isinstance(line.value, Allocate) and not _is_constant(line.value):
                yield replace(_step(explanation, line), numbers=None, worked=())
        elif not isinstance(line.value, Allocate):
            yield _step(explanation, line)


def _is_constant(value: Value) -> bool:
    return isinstance(value, Fill | Cast | Literal) and all(map(_is_constant, value.operands))


def _step(explanation: Explanation, line: Statement | Store) -> Step:
    stated = line.origin.stated
    is_whole = line.origin.part not in (Part.CUT, Part.INVARIANT)
    shown = Equation(stated.tensor, stated.indices, spelled(stated.expression, line.origin.shorthands))
    remarks = [
        phrase("{sentence}.", sentence=remark)
        for contraction in contractions_in(line)
        if (remark := contraction_remark(contraction, _moved(explanation, line, contraction.summed)))
    ]
    instance = explanation.instance if is_whole else None
    worked = worked_element(stated, instance) if instance else None
    return Step(
        line.name,
        shown,
        shape_text(stated.indices if is_whole else line.value.indices),
        explanation.computations.spans_of([line]),
        tuple(remarks),
        _numbers(explanation, stated.tensor, stated.indices) if is_whole else None,
        (worked.element, worked.written_out, worked.with_numbers, Element(worked.value)) if worked else (),
    )


def _moved(explanation: Explanation, line: Statement | Store, summed: tuple[Index, ...]) -> Remark:
    """Why an adjoint's line sums: the tensor moves the loss through every place of the index."""
    adjoint = line.origin.adjoint
    if adjoint is None:
        return ()
    contributing = {
        index.axis
        for product in explanation.chain_rule.products
        if product.computed_as is adjoint
        for factor in product.factors
        for index in (*factor.summed, *(each for tie in factor.among for each in tie.upper.free_indices))
    }
    if not summed or any(index.axis not in contributing for index in summed):
        return ()
    loss = Element(explanation.derivation.system.loss or "")
    return phrase(_THROUGH_EVERY, tensor=Element(adjoint.tensor), loss=loss, indices=listed(summed))


def _numbers(explanation: Explanation, name: str, indices: tuple[Index, ...]) -> Numbers | None:
    if explanation.instance is None or name not in explanation.instance.values:
        return None
    array = explanation.instance.values[name]
    if array.ndim != len(indices) or not is_small(array):
        return None
    rows = [[decimal(array[()])]] if array.ndim == 0 else rows_of(array)
    return Numbers(Element(name, indices), tuple(map(tuple, rows)))
