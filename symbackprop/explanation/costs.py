"""The sections on what is kept in memory, and on what each way of differentiating costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from symbackprop.explanation.blocks import Block, Code, Note, Remark, Table
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.programs.operations import operations_of_lines
from symbackprop.explanation.programs.polynomials import Polynomial
from symbackprop.explanation.saying import in_a_row, read_by
from symbackprop.explanation.storage import Backward, Kept
from symbackprop.explanation.ways import Way
from symbackprop.languages.phrases import Words, listed, marked, phrase
from symbackprop.lesson.document import Heading
from symbackprop.notation.expressions import Element
from symbackprop.recomputation.less_memory import BYTES, choice_for

_NOTHING_KEPT = marked(
    "The backward pass reads no array of the forward pass: it needs the given tensors alone."
)
_KEPT = marked(
    "These arrays live from the forward pass to the backward pass, in float64. Recomputing one takes the "
    "operations on the right, from the given tensors and the other arrays that are kept."
)
_STEP_BY_STEP = marked("{operations}, step by step in {index}")
_KEPT_HEADINGS = (
    marked("array"),
    marked("numbers"),
    marked("memory"),
    marked("recomputing"),
    marked("read by"),
)
_GIVEN_UP_FIRST = marked(
    "Where memory is short, the first to give up is {name}: that frees {freed}, for {operations} operations "
    "more."
)
_EITHER_GIVEN_UP = marked(
    "Where memory is short, the first to give up is {names}: either frees {freed}, for {operations} "
    "operations more."
)
_SAME_ARRAYS = marked(
    "{command} keeps the same arrays: it looks for lighter ones that give them back in a few passes over "
    "elements, and finds none."
)
_FEWER_ARRAYS = marked(
    "{command} keeps {names}: {light} in the place of {heavy}, for {operations} operations more, {number} at "
    "these sizes."
)
_IN_BOTH = marked("The way back through {output} reads both its input {input} and its output.")
_IN_ITS_OUTPUT = marked("The way back through {output} is written in its output {output}.")
_IN_ITS_OUTPUT_ALONE = marked(
    "The way back through {output} is written in its output {output}: {input} need not be kept."
)
_IN_ITS_INPUT = marked("The way back through {output} is written in its input {input}.")
_IN_ITS_INPUT_ALONE = marked(
    "The way back through {output} is written in its input {input}: {output} need not be kept."
)
_COSTS = marked(
    "One operation is any arithmetic, or a call of a function, on one number; a multiply-add counts two. "
    "One loss takes {loss}. The gradient has {numbers} numbers, and numerical differentiation runs the loss "
    "twice for each. Sizes: {sizes}. Times are those of this machine: the best of several runs."
)
_COST_HEADINGS = (
    marked("way"),
    marked("operations"),
    marked("of the least"),
    marked("time"),
    marked("how"),
)
_BACKPROPAGATION = marked(
    "Backpropagation takes {operations} operations, loss included: {ratio} times one loss, for the whole "
    "gradient at once."
)
_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
_TIMES = (("days", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6))


def storage_section(explanation: Explanation) -> Iterator[Block]:
    """Save or recompute: what lives from forward to backward, and what not keeping it would cost."""
    yield Heading(1, phrase("Save or recompute"))
    if not explanation.kept:
        yield Note(phrase(_NOTHING_KEPT))
        return
    yield Note(phrase(_KEPT))
    sizes = explanation.ways.sizes
    rows = [_kept_row(explanation, kept) for kept in explanation.kept]
    total = sum(kept.bytes.at(sizes) for kept in explanation.kept)
    rows.append((phrase("together"), ("",), bytes_text(total), ("",), ("",)))
    yield Table(_KEPT_HEADINGS, tuple(rows), frozenset({2}))
    cheapest = _cheapest(explanation)
    if cheapest is not None:
        yield Note(cheapest)
    yield Note(_smallest_set(explanation))
    for backward in explanation.backwards:
        remark = _in_terms_of(backward, {kept.name for kept in explanation.kept})
        if remark:
            yield Note(remark)


def _kept_row(explanation: Explanation, kept: Kept) -> tuple[Remark, ...]:
    return (
        (Element(kept.name),),
        (kept.elements.expression,),
        bytes_text(kept.bytes.at(explanation.ways.sizes)),
        _recomputing(kept),
        read_by(kept.readers, explanation.computations),
    )


def _recomputing(kept: Kept) -> Remark:
    """What it takes; where each step needs an earlier one, that the loop over the steps has to run again."""
    operations = kept.recomputing.expression
    return (
        phrase(_STEP_BY_STEP, operations=operations, index=Code(kept.steps)) if kept.steps else (operations,)
    )


def _cheapest(explanation: Explanation) -> Remark | None:
    """Which array to give up first where memory is short; None where there is no choice."""
    sizes = explanation.ways.sizes
    filled = [kept for kept in explanation.kept if kept.bytes.at(sizes)]
    if len(filled) < 2:
        return None

    def price(kept: Kept) -> Fraction:
        return Fraction(kept.recomputing.at(sizes), kept.bytes.at(sizes))

    first = min(filled, key=price)
    said = {
        "freed": bytes_text(first.bytes.at(sizes)),
        "operations": f"{first.recomputing.at(sizes):,}",
    }
    same = (first.bytes.at(sizes), price(first))
    tied = [kept.name for kept in filled if (kept.bytes.at(sizes), price(kept)) == same]
    if len(tied) == 1:
        return phrase(_GIVEN_UP_FIRST, name=Element(first.name), **said)
    *before, last = map(Element, tied)
    return phrase(
        _EITHER_GIVEN_UP, names=phrase("{before} or {after}", before=in_a_row(before), after=last), **said
    )


def _smallest_set(explanation: Explanation) -> Remark:
    """What `generate --memory` keeps."""
    sizes = explanation.ways.sizes
    choice = choice_for(explanation.computations.module.program)
    command = Code("symbackprop generate --memory")
    if not choice.recomputed:
        return phrase(_SAME_ARRAYS, command=command)
    indices = explanation.computations.indices_of
    light = sum((Polynomial.elements(indices(name)) * BYTES).at(sizes) for name in choice.kept)
    heavy = sum(kept.bytes.at(sizes) for kept in explanation.kept)
    more = operations_of_lines(choice.recomputed)
    names = listed([Element(name) for name in sorted(choice.kept)]) if choice.kept else phrase("nothing")
    return phrase(
        _FEWER_ARRAYS,
        command=command,
        names=names,
        light=bytes_text(light),
        heavy=bytes_text(heavy),
        operations=more.expression,
        number=f"{more.at(sizes):,}",
    )


def _in_terms_of(backward: Backward, kept: set[str]) -> Remark:
    """Whether a way back reads its output or its input, of what is kept; nothing where it reads neither."""
    output, given = Element(backward.consumer.tensor), Element(backward.tensor)
    reads_output = backward.reads_output and output.tensor in kept
    reads_input = backward.reads_input and given.tensor in kept
    if reads_output and reads_input:
        return phrase(_IN_BOTH, output=output, input=given)
    if reads_output:
        template = _IN_ITS_OUTPUT if given.tensor in kept else _IN_ITS_OUTPUT_ALONE
        return phrase(template, output=output, input=given)
    if reads_input:
        template = _IN_ITS_INPUT if output.tensor in kept else _IN_ITS_INPUT_ALONE
        return phrase(template, output=output, input=given)
    return ()


def sizes_text(sizes: Mapping[str, int]) -> str:
    """`B = 32, J = 10`."""
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def cost_section(explanation: Explanation) -> Iterator[Block]:
    """Numerical differentiation, the gradient that keeps nothing, backpropagation."""
    ways = explanation.ways
    yield Heading(1, phrase("What each way costs"))
    counts = {"loss": ways.loss.expression, "numbers": ways.parameters.expression}
    yield Note(phrase(_COSTS, **counts, sizes=sizes_text(ways.sizes)))
    least = min((way.operations.at(ways.sizes) for way in ways.ways), default=1)
    rows = [_way_row(way, way.operations.at(ways.sizes), least) for way in ways.ways]
    yield Table(_COST_HEADINGS, tuple(rows), frozenset({1, 2, 3}))
    backpropagation = ways.ways[-1]
    ratio = backpropagation.operations.at(ways.sizes) / max(ways.loss.at(ways.sizes), 1)
    yield Note(
        phrase(_BACKPROPAGATION, operations=backpropagation.operations.expression, ratio=f"{ratio:.1f}")
    )


def _way_row(way: Way, operations: int, least: int) -> tuple[Remark, ...]:
    times = operations / max(least, 1)
    ratio = f"{times:,.1f}" if times < 100 else f"{times:,.0f}"
    seconds = "-" if way.seconds is None else seconds_text(way.seconds)
    return (phrase(way.name), (f"{operations:,}",), phrase("{ratio} x", ratio=ratio), (seconds,), way.note)


def bytes_text(count: int) -> Words:
    """8,192 bytes as 8.2 kB."""
    for unit, size in _UNITS:
        if count >= size:
            return (f"{count / size:.1f} {unit}",)
    return phrase("{count} bytes", count=count)


def seconds_text(seconds: float) -> str:
    """A time to three digits, in the largest unit that it reaches."""
    for unit, size in _TIMES:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
