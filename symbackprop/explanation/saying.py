"""Sentences about shapes, indices and lines, in the words of a teacher at a blackboard."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from symbackprop.array.layout import layout_text
from symbackprop.array.program import Loop, Statement, Store
from symbackprop.explanation.blocks import Code, Lines, Remark
from symbackprop.explanation.chain_rule import Factor, Product, Tie
from symbackprop.explanation.programs.computations import Computations, Span
from symbackprop.explanation.programs.contractions import Contraction, Operand
from symbackprop.explanation.programs.dataflow import Run
from symbackprop.explanation.programs.polynomials import Polynomial, named
from symbackprop.indexing.counting import size_of
from symbackprop.languages.columns import NO_BREAK
from symbackprop.languages.phrases import Words, listed, marked, phrase
from symbackprop.notation.expressions import ZERO, Element, Expression, Index
from symbackprop.systems.printing import text

_FORWARDS = marked("A loop over {index}, from its first place to its last, runs {lines}.")
_BACKWARDS = marked("A loop over {index}, from its last place back to its first, runs {lines}.")
_SUMMED_OVER = marked("every {indices} contributes, so the chain rule sums over {indices}")
_SUMMED_OVER_SEVERAL = marked("every {indices} contribute, so the chain rule sums over {indices}")
_NUMBERS_THAT_MATTER = marked(
    "As a whole it is {rows} by {columns}: {numbers} numbers, at most {most} of them other than 0"
)
_TRANSPOSED = marked("{name} is stored as {stored} and transposed, so that {beside}")
_TRANSPOSED_OPERAND = marked("an operand is worked out as {stored} and transposed, so that {beside}")


def shape_text(indices: Iterable[Index]) -> str:
    """(B, K), (J,), or () of a scalar."""
    names = [text(named(size_of(index.axis))) for index in indices]
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"


def of_shape(indices: Sequence[Index]) -> Remark:
    """`of shape (B, K)` on one line, or that it is a scalar."""
    if not indices:
        return phrase("a scalar")
    return phrase("of shape {shape}", shape=shape_text(indices).replace(" ", NO_BREAK))


def shape_said(line: Statement | Store, stated: Sequence[Index], loop: Loop | None) -> Remark:
    """`shape (B, K)`, or that it is a scalar; of a recurrence what one step has, and all together."""
    own, whole = shape_text(line.value.indices), shape_text(stated)
    if loop is None:
        return phrase("a scalar") if whole == "()" else phrase("shape {shape}", shape=whole)
    counter = Code(loop.counter)
    if own == "()":
        return phrase("a scalar at each {index}", index=counter)
    if isinstance(line, Store) and own != whole:
        return phrase("shape {shape} at each {index}, {whole} in all", shape=own, index=counter, whole=whole)
    return phrase("shape {shape} at each {index}", shape=own, index=counter)


def goes_on_with(element: Expression) -> Remark:
    """That a line computes another part of the equation before."""
    return phrase("another part of {element}", element=element)


def loop_said(loop: Loop, spans: Sequence[Span]) -> Remark:
    """Where a loop stands and which way it goes."""
    lines = on_lines([Span(spans[0].first, spans[-1].last, "")])
    template = _BACKWARDS if loop.reverse else _FORWARDS
    return phrase(template, lines=lines, index=Code(loop.counter))


def contributing(factor: Factor) -> Remark:
    """Which index survives: only b' = b contributes; every k contributes, so that k is summed; or nothing."""
    if factor.is_zero:
        return phrase("nothing contributes")
    said: list[Remark] = []
    if len(factor.ties) == 1:
        said.append(phrase("only {equal} contributes", equal=_equal(factor.ties[0])))
    elif factor.ties:
        said.append(phrase("only {equal} contribute", equal=_all_of([*map(_equal, factor.ties)])))
    for tie in factor.among:
        several = listed([index for index in factor.upper_indices if index in tie.upper.free_indices])
        said.append(phrase("of {indices} those with {equal} contribute", indices=several, equal=_equal(tie)))
    if factor.fixed:
        fixed = _all_of([*map(_equal, factor.fixed)])
        said.append(phrase("only the places with {equal} are read", equal=fixed))
    if len(factor.summed) == 1:
        said.append(phrase(_SUMMED_OVER, indices=factor.summed[0]))
    elif factor.summed:
        said.append(phrase(_SUMMED_OVER_SEVERAL, indices=listed(factor.summed)))
    return _one_after_another(said)


def _equal(tie: Tie) -> Remark:
    return (tie.upper, f"{NO_BREAK}={NO_BREAK}", tie.lower)


def _all_of(remarks: Sequence[Remark]) -> Remark:
    """`a and b and c`."""
    joined = remarks[0]
    for each in remarks[1:]:
        joined = phrase("{before} and {last}", before=joined, last=each)
    return joined


def _one_after_another(remarks: Sequence[Remark]) -> Remark:
    """Statements of one sentence; nothing where there are none."""
    joined = remarks[0] if remarks else ()
    for each in remarks[1:]:
        joined = phrase("{before}; {item}", before=joined, item=each)
    return joined


def numbers_that_matter(factor: Factor) -> Remark:
    """How many numbers the Jacobian has, and how many may differ from 0; nothing where all may."""
    if not (factor.ties or factor.among) or not factor.upper:
        return ()
    lower = [index for position in factor.lower for index in position.free_indices]
    whole = Polynomial.elements(factor.upper) * Polynomial.elements(lower)
    stored = Polynomial.elements(factor.stored)
    shapes = {"rows": shape_text(factor.upper), "columns": shape_text(lower)}
    return phrase(_NUMBERS_THAT_MATTER, **shapes, numbers=whole.expression, most=stored.expression)


def in_a_row(items: Sequence[Element]) -> Words:
    """`a, b`."""
    *before, last = items
    said: Words = (last,)
    for each in reversed(before):
        said = phrase("{before}, {after}", before=each, after=said)
    return said


def on_lines(spans: Sequence[Span]) -> Remark:
    """`line 70`, or `lines 118-120`."""
    return _lines(spans, (Lines(tuple(spans)),))


def _lines(spans: Sequence[Span], numbers: Remark) -> Remark:
    if sum(span.last - span.first + 1 for span in spans) > 1:
        return phrase("lines {numbers}", numbers=numbers)
    return phrase("line {numbers}", numbers=numbers)


def computed_where(product: Product, asked: Collection[str]) -> Remark:
    """Which array holds a product of the chain rule; one that is asked for has its name in the code alone."""
    holder = product.computed_as
    if product.is_given:
        return phrase("it is {given} itself, so that no line has to compute it", given=Code(product.is_given))
    if product.value == ZERO and not product.is_its_own:
        return phrase("it is 0, so that no line has to compute it")
    if holder is None:
        return phrase("it has no array of its own: it is worked into each line that uses it")
    name: Remark = (Element(holder.equation.tensor),)
    if holder.tensor in asked:
        name = (Code(holder.equation.tensor),)
    if product.is_its_own:
        return phrase("kept as {name}", name=name)
    if product.is_equal:
        return phrase("the same numbers as {name}", name=name)
    if product.is_factor:
        return phrase("no array of its own: it is a factor of {name}", name=name)
    return phrase("no array of its own: it is worked into {name}", name=name)


def contraction_remark(contraction: Contraction, because: Remark = ()) -> Remark:
    """Why operands are transposed and what is summed; `because` says why the sum is there."""
    if not contraction.summed:
        return ()
    shown = [layout_text(operand.layout) for operand in contraction.operands]
    indices = Code(f"{' @ '.join(shown)} -> {layout_text(contraction.layout)}")
    said = [_turned(each, contraction.summed) for each in contraction.operands if each.is_transposed]
    if len(contraction.summed) == 1:
        said.append(phrase("{indices} is summed{because}", indices=contraction.summed[0], because=because))
    else:
        over = listed(contraction.summed)
        said.append(phrase("{indices} are summed{because}", indices=over, because=because))
    kept = [index for group in contraction.layout for index in group]
    if len(kept) == 1:
        said.append(phrase("{indices} survives", indices=kept[0]))
    elif kept:
        said.append(phrase("{indices} survive", indices=listed(kept)))
    return (indices, ": ", *_one_after_another(said))


def _turned(operand: Operand, summed: Sequence[Index]) -> Remark:
    """Why an operand is transposed: the two places of an index that is summed have to meet."""
    stored = f"[{','.join(index.name for index in operand.stored)}]"
    beside = _all_of([phrase("{index} stands beside {index}", index=index) for index in summed])
    if operand.name:
        return phrase(_TRANSPOSED, name=Code(operand.name), stored=stored, beside=beside)
    return phrase(_TRANSPOSED_OPERAND, stored=stored, beside=beside)


def read_by(readers: Iterable[Run], computations: Computations) -> Remark:
    """`lines 72 (E), 103 (grad_W2) and 107 (delta1)`: each line, and what it serves."""
    by_tensor = computations.by_equation(readers)
    found: list[Remark] = [(Lines(spans), f" ({tensor})") for tensor, spans in by_tensor.items()]
    return _lines([span for each in by_tensor.values() for span in each], listed(found))
