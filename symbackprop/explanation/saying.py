"""Sentences about shapes, indices and lines, in the words of a teacher at a blackboard."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from symbackprop.array.layout import layout_text
from symbackprop.explanation.blocks import Code, Lines, Remark
from symbackprop.explanation.chain_rule import Factor, Product
from symbackprop.explanation.computations import Computation, Computations, Span
from symbackprop.explanation.contractions import Contraction, Operand
from symbackprop.explanation.polynomials import Polynomial
from symbackprop.lesson.document import listed
from symbackprop.notation.expressions import ZERO, Element, Expression, Index


def shape_text(indices: Iterable[Index]) -> str:
    """(B, K), (J,), or () of a scalar."""
    names = [index.axis.name for index in indices]
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"


def contributing(factor: Factor) -> Remark:
    """Which index survives: only b' = b contributes; every k contributes, so that k is summed; or nothing."""
    if factor.is_zero:
        return ("nothing contributes",)
    said: list[Remark] = []
    if factor.ties:
        pairs = [part for tie in factor.ties for part in (" and ", tie.upper, " = ", tie.lower)][1:]
        said.append(("only ", *pairs, " contributes" if len(factor.ties) == 1 else " contribute"))
    for tie in factor.among:
        several = listed([index for index in factor.upper_indices if index in tie.upper.free_indices])
        said.append(("of ", *several, " those with ", tie.upper, " = ", tie.lower, " contribute"))
    if factor.fixed:
        pairs = [part for tie in factor.fixed for part in (" and ", tie.upper, " = ", tie.lower)][1:]
        said.append(("only the places with ", *pairs, " are read"))
    if factor.summed:
        names = listed(factor.summed)
        contributes = " contributes" if len(factor.summed) == 1 else " contribute"
        said.append(("every ", *names, contributes, ", so the chain rule sums over ", *names))
    return _joined(said, "; ")


def numbers_that_matter(factor: Factor) -> Remark:
    """How many numbers the Jacobian has, and how many may differ from 0; nothing where all may."""
    if not (factor.ties or factor.among) or not factor.upper:
        return ()
    lower = [index for position in factor.lower for index in position.free_indices]
    whole = Polynomial.elements(factor.upper) * Polynomial.elements(lower)
    stored = Polynomial.elements(factor.stored)
    shape = f"{shape_text(factor.upper)} by {shape_text(lower)}"
    at_most: Remark = (" numbers, at most ", stored.expression, " of them other than 0")
    return (f"As a whole it is {shape}: ", whole.expression, *at_most)


def on_lines(spans: Sequence[Span]) -> Remark:
    """`line 70`, or `lines 118-120`."""
    several = sum(span.last - span.first + 1 for span in spans) > 1
    return ("lines " if several else "line ", Lines(tuple(spans)))


def computed_where(product: Product) -> Remark:
    """Which array holds a product of the chain rule."""
    holder = product.computed_as
    if product.is_given:
        return ("it is ", Code(product.is_given), " itself, so that no line has to compute it")
    if product.value == ZERO and not product.is_its_own:
        return ("it is 0, so that no line has to compute it",)
    if holder is None:
        return ("it has no array of its own: it is worked into each line that uses it",)
    name = Element(holder.equation.tensor)
    if product.is_its_own:
        return ("kept as ", name)
    if product.is_equal:
        return ("the same numbers as ", name)
    if product.is_factor:
        return ("no array of its own: it is a factor of ", name)
    return ("no array of its own: it is worked into ", name)


def contraction_remark(contraction: Contraction, because: Remark = ()) -> Remark:
    """Why operands are transposed and what is summed; `because` says why the sum is there."""
    if not contraction.summed:
        return ()
    shown = [layout_text(operand.layout) for operand in contraction.operands]
    indices = Code(f"{' @ '.join(shown)} -> {layout_text(contraction.layout)}")
    turned = [part for operand in contraction.operands for part in _turned(operand, contraction.summed)]
    summed = (*listed(contraction.summed), _is(contraction.summed), " summed", *because)
    kept = [index for group in contraction.layout for index in group]
    survive: Remark = ("; ", *listed(kept), " survive" + "s" * (len(kept) == 1)) if kept else ()
    return (indices, ": ", *turned, *summed, *survive)


def _turned(operand: Operand, summed: Sequence[Index]) -> Iterator[str | Expression | Code]:
    """Why an operand is transposed: the two places of an index that is summed have to meet."""
    if operand.is_transposed:
        stored = ",".join(index.name for index in operand.stored)
        yield from (Code(operand.name), " is stored") if operand.name else ("an operand", " is worked out")
        yield f" as [{stored}] and transposed, so that "
        for place, index in enumerate(summed):
            yield from (*((" and ",) if place else ()), index, " stands beside ", index)
        yield "; "


def _is(indices: Sequence[Index]) -> str:
    return " is" if len(indices) == 1 else " are"


def _joined(remarks: Sequence[Remark], between: str) -> Remark:
    return tuple(
        part for place, remark in enumerate(remarks) for part in ((between,) if place else ()) + remark
    )


def read_by(readers: Sequence[Computation], names: Collection[str], computations: Computations) -> Remark:
    """`lines 72 (E), 103 (grad_W2) and 107 (delta1)`: each line that reads one, and what it serves."""
    by_tensor = computations.reading(names, readers)
    found: list[Remark] = [(Lines(spans), f" ({tensor})") for tensor, spans in by_tensor.items()]
    spans = [span for each in by_tensor.values() for span in each]
    several = sum(span.last - span.first + 1 for span in spans) > 1
    return (
        "lines " if several else "line ",
        *_joined(found[:-1], ", "),
        *((" and ",) if found[1:] else ()),
        *found[-1],
    )


def capital(remark: Remark) -> Remark:
    """The remark as a sentence: its first letter a capital one, a full stop at its end."""
    first, *rest = remark
    if isinstance(first, str):
        first = first[:1].upper() + first[1:]
    return (first, *rest, ".")
