"""The sections on what is kept in memory, and on what each way of differentiating costs."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.explanation.blocks import Block, Code, Note, Remark, Table
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.operations import operations_of_lines
from symbackprop.explanation.polynomials import Polynomial
from symbackprop.explanation.saying import read_by
from symbackprop.explanation.storage import Backward, Kept
from symbackprop.explanation.ways import Way
from symbackprop.lesson.document import Heading, listed
from symbackprop.notation.expressions import Element
from symbackprop.recomputation.less_memory import BYTES, choice_for

_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
_TIMES = (("days", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6))


def storage_section(explanation: Explanation) -> Iterator[Block]:
    """Save or recompute: what lives from forward to backward, and what not keeping it would cost."""
    yield Heading(1, ("Save or recompute",))
    if not explanation.kept:
        yield Note(
            ("The backward pass reads no array of the forward pass: it needs the given tensors alone.",)
        )
        return
    yield Note(
        (
            "These arrays live from the forward pass to the backward pass, in float64. Recomputing one takes "
            "the operations on the right, from the given tensors and the other arrays that are kept.",
        )
    )
    sizes = explanation.ways.sizes
    rows = [_kept_row(explanation, kept) for kept in explanation.kept]
    total = sum(kept.bytes.at(sizes) for kept in explanation.kept)
    rows.append((("together",), ("",), (bytes_text(total),), ("",), ("",)))
    yield Table(("array", "numbers", "memory", "recomputing", "read by"), tuple(rows), frozenset({2}))
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
        (bytes_text(kept.bytes.at(explanation.ways.sizes)),),
        (kept.recomputing.expression,),
        read_by(kept.readers, kept.names, explanation.computations),
    )


def _cheapest(explanation: Explanation) -> Remark | None:
    """Which array to give up first where memory is short; None where there is no choice."""
    sizes = explanation.ways.sizes
    filled = [kept for kept in explanation.kept if kept.bytes.at(sizes)]
    if len(filled) < 2:
        return None
    first = min(filled, key=lambda kept: kept.recomputing.at(sizes) / kept.bytes.at(sizes))
    freed = bytes_text(first.bytes.at(sizes))
    operations = f"{first.recomputing.at(sizes):,}"
    return (
        "Where memory is short, the first to give up is ",
        Element(first.name),
        f": {operations} operations bring back its {freed}.",
    )


def _smallest_set(explanation: Explanation) -> Remark:
    """What `generate --memory` keeps."""
    sizes = explanation.ways.sizes
    choice = choice_for(explanation.computations.module.program)
    command = Code("symbackprop generate --memory")
    if not choice.recomputed:
        return (
            command,
            " keeps the same arrays: no lighter ones give them back by passes over elements alone.",
        )
    indices = explanation.computations.indices_of
    light = sum((Polynomial.elements(indices(name)) * BYTES).at(sizes) for name in choice.kept)
    heavy = sum(kept.bytes.at(sizes) for kept in explanation.kept)
    more = operations_of_lines(choice.recomputed)
    names = listed([Element(name) for name in sorted(choice.kept)]) if choice.kept else ("nothing",)
    return (
        *(command, " keeps ", *names),
        f": {bytes_text(light)} in the place of {bytes_text(heavy)}, for ",
        *(more.expression, f" operations more, {more.at(sizes):,} at these sizes."),
    )


def _in_terms_of(backward: Backward, kept: set[str]) -> Remark:
    """Whether a way back reads its output or its input, of what is kept; nothing where it reads neither."""
    output, given = Element(backward.consumer.tensor), Element(backward.tensor)
    reads_output = backward.reads_output and output.tensor in kept
    reads_input = backward.reads_input and given.tensor in kept
    if reads_output and reads_input:
        return ("The way back through ", output, " reads both its input ", given, " and its output.")
    if reads_output:
        needless: Remark = () if given.tensor in kept else (": ", given, " need not be kept")
        return ("The way back through ", output, " is written in its output ", output, *needless, ".")
    if reads_input:
        needless = () if output.tensor in kept else (": ", output, " need not be kept")
        return ("The way back through ", output, " is written in its input ", given, *needless, ".")
    return ()


def cost_section(explanation: Explanation) -> Iterator[Block]:
    """Numerical differentiation, the gradient that keeps nothing, backpropagation."""
    ways = explanation.ways
    yield Heading(1, ("What each way costs",))
    sizes = ", ".join(f"{name} = {size}" for name, size in ways.sizes.items())
    yield Note(
        (
            "One operation is any arithmetic, or a call of a function, on one number; a multiply-add counts "
            "two. One loss takes ",
            ways.loss.expression,
            ". The gradient has ",
            ways.parameters.expression,
            " numbers, and numerical differentiation runs the loss twice for each. "
            f"Sizes: {sizes}. Times are those of this machine: the best of several runs.",
        )
    )
    least = min((way.operations.at(ways.sizes) for way in ways.ways), default=1)
    rows = [_way_row(way, way.operations.at(ways.sizes), least) for way in ways.ways]
    yield Table(("way", "operations", "of the least", "time", "how"), tuple(rows), frozenset({1, 2, 3}))
    backpropagation = ways.ways[-1]
    ratio = backpropagation.operations.at(ways.sizes) / max(ways.loss.at(ways.sizes), 1)
    yield Note(
        (
            "Backpropagation takes ",
            backpropagation.operations.expression,
            f" operations, loss included: {ratio:.1f} times one loss, for the whole gradient at once.",
        )
    )


def _way_row(way: Way, operations: int, least: int) -> tuple[Remark, ...]:
    times = operations / max(least, 1)
    ratio = f"{times:,.1f}" if times < 100 else f"{times:,.0f}"
    seconds = "-" if way.seconds is None else seconds_text(way.seconds)
    return ((way.name,), (f"{operations:,}",), (f"{ratio} x",), (seconds,), (way.note,))


def bytes_text(count: int) -> str:
    """8,192 bytes as 8.2 kB."""
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def seconds_text(seconds: float) -> str:
    """A time to three digits, in the largest unit that it reaches."""
    for unit, size in _TIMES:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
