"""An explanation as a page: the sections, in the order in which one would teach them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from symbackprop.derivation.result import Derivation
from symbackprop.explanation.blocks import Block, Code, Lines, Note, Page, Remark, Table
from symbackprop.explanation.chain_rule import Factor, Product
from symbackprop.explanation.costs import cost_section, storage_section
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.line_by_line import line_by_line_section
from symbackprop.explanation.reuse import Reused
from symbackprop.explanation.saying import (
    computed_where,
    contributing,
    numbers_that_matter,
    of_shape,
    on_lines,
    read_by,
    shape_text,
)
from symbackprop.explanation.stated import MOST_NAMED, stated_section
from symbackprop.explanation.translation import page_in
from symbackprop.explanation.units import units
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import Words, marked, phrase
from symbackprop.lesson.document import Heading, title_of
from symbackprop.lesson.likewise.derivations import but_for_names
from symbackprop.lesson.local_derivatives import direct_path, independent
from symbackprop.lesson.through_time import recurrences_said
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.derivatives import Derivative, without_indices
from symbackprop.notation.expressions import Element, Expression
from symbackprop.systems.shorthands import spelled
from symbackprop.systems.system import Role

_PRODUCTS = marked(
    "The chain rule multiplies from the loss backwards. Each product below is {loss}'s derivative by the "
    "tensor that stands last, and has its shape. Lines are those of {file}, which {command} writes."
)
_REUSED = marked(
    "{name} is computed {often}, on {lines}, and read by {readers}. Its own line takes {once} operations. "
    "Computing it {times} with all that stands before it would take {saved}, which is {number}."
)
_REUSED_AS_EARLIER = marked(
    "{name} is computed {often}, on {lines}, and read by {readers}; the costs are those of {earlier}."
)
_HELD_ON_LINES = marked("{equation}, {of_shape}: {held} on {lines}.")
_AS_EARLIER = marked("{equation}: likewise, as {derivative}.")


def explanation_page(explanation: Explanation, language: Language = Language.ENGLISH) -> Page:
    """The whole page in a language."""
    blocks = (
        *stated_section(explanation),
        *_which_line(explanation),
        *_reuse(explanation),
        *_factors(explanation),
        *line_by_line_section(explanation),
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


def generated_by(derivation: Derivation) -> str:
    """The command that writes the module."""
    name, asked = derivation.system.name, derivation.wrt
    by = (
        ""
        if set(asked) == {each.name for each in derivation.system.with_role(Role.PARAMETER)}
        else f" --wrt {','.join(asked)}"
    )
    return f"symbackprop generate {name}.model{by} -o {name}.py"


def product_expression(product: Product) -> Expression:
    """dE/dy dy/du2 du2/dW2, or a sum of such products."""
    return add(*(multiply(*chain) for chain in product.terms))


def _which_line(explanation: Explanation) -> Iterator[Block]:
    yield Heading(1, phrase("Which line computes which product"))
    loss = Element(explanation.derivation.system.loss or "")
    file, command = Code(f"{explanation.name}.py"), Code(generated_by(explanation.derivation))
    yield Note(phrase(_PRODUCTS, loss=loss, file=file, command=command))
    rows = [
        (
            (product_expression(product),),
            (shape_text(product.indices),) if product.indices else phrase("a scalar"),
            (Lines(product.spans),) if product.spans else ("-",),
            _code_of(product, explanation.derivation.wrt),
        )
        for product in explanation.chain_rule.products
    ]
    if rows:
        yield Table((marked("product"), marked("shape"), marked("line"), marked("code")), tuple(rows))
    yield from (Note(each.sentence) for each in recurrences_said(explanation.derivation))
    writer = explanation.chain_rule.writer
    if writer.read_twice:
        yield Note(direct_path(writer, writer.loss, writer.read_twice))
    for adjoint in explanation.derivation.adjoints:
        if not adjoint.factors and adjoint.tensor != loss.tensor:
            yield Note(independent(loss, Element(adjoint.tensor)))


def _code_of(product: Product, asked: Collection[str]) -> Remark:
    if not product.spans or product.is_given:
        return computed_where(product, asked)
    shown = Code(on_one_line(product.spans[0].code))
    return (shown,) if product.is_its_own else (shown, " (", *computed_where(product, asked), ")")


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
        often = phrase("once")
        if reused.at_each:
            often = phrase("once at each {index}", index=Code(reused.at_each))
        more = len(reused.readers) - 1
        where = {
            "often": often,
            "lines": on_lines(reused.spans),
            "readers": read_by(reused.readers, explanation.computations),
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


def _is_the_product(factor: Factor, value: Expression, product: Product) -> bool:
    """Whether a factor is the derivative of the loss itself, so that the product says the same."""
    of_loss = factor.derivative.numerator == product.adjoint.total.numerator
    return of_loss and len(product.factors) == 1 and value == product.value


def _factors(explanation: Explanation) -> Iterator[Block]:
    """Each product's factors, and where it is kept; what it is, if it is one factor, stands there alone."""
    yield Heading(1, phrase("Factor by factor: which index survives"))
    chains, known = explanation.chain_rule.writer, dict[tuple[str, ...], Derivative]()
    yield from map(Note, units(explanation.derivation.system))
    for product in explanation.chain_rule.products:
        yield Heading(2, (product_expression(product),))
        for factor in product.factors:
            value = spelled(factor.value, explanation.derivation.system.shorthands)
            if contributing(factor) or not _is_the_product(factor, value, product):
                alike = known.setdefault(but_for_names([factor.derivative, value]), factor.derivative)
                shown = chains.apart(factor.derivative)
                yield from _factor(factor, shown, value, None if alike is factor.derivative else alike)
        found = {
            "equation": (product.adjoint.total, " = ", chains.shown(product.value)),
            "of_shape": of_shape(product.indices),
            "held": computed_where(product, explanation.derivation.wrt),
        }
        if product.spans:
            yield Note(phrase(_HELD_ON_LINES, **found, lines=on_lines(product.spans)))
        else:
            yield Note(phrase("{equation}, {of_shape}: {held}.", **found))


def _factor(
    factor: Factor, shown: Derivative, value: Expression, alike: Derivative | None
) -> Iterator[Block]:
    """Which index survives it; in a line where it goes as an earlier one, but for the names of tensors."""
    equation: Remark = (shown, " = ", value)
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
