"""Arrays of which a loop computes a block at a time, in the first places of memory for the largest block."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.array.ir import Elementwise
from symbackprop.array.layout import Layout, indices_of
from symbackprop.array.slices import Refold, Select, Span
from symbackprop.array.value import Value
from symbackprop.array.whole_numbers import whole_number
from symbackprop.indexing.counting import Extent, size_of
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Apply, Element, Expression, Index


def is_invariant(layout: Layout) -> bool:
    """Whether the sizes of all axes are those of the model's, or made of them, and no loop's counter."""
    return all(map(_is_fixed, _lengths(layout)))


def is_bounded(layout: Layout) -> bool:
    """Whether no axis is longer than a number that is no loop's: min(64, T - start)."""
    return all(_is_fixed(_at_most(length)) for length in _lengths(layout))


def memory_for(layout: Layout) -> Layout:
    """One axis for as many numbers as there are at most."""
    return ((_counted(layout, map(_at_most, _lengths(layout))),),)


def one_axis(name: str, places: Expression) -> Layout:
    """One axis for so many numbers of an array."""
    return ((Index("number", Extent(f"numbers of {name}", "number", None, length=places)),),)


def first_places(memory: Value, layout: Layout, start: Value | None = None) -> Value:
    """The array in its memory: `memory[: B * min(64, T - start)].reshape(B, min(64, T - start))`.

    Where it is not in the first places, `start` says how many are ahead of it.
    """
    count = _counted(layout, _lengths(layout))
    stop = whole_number(size_of(count.axis))
    stop = stop if start is None else Elementwise("add", (start, stop))
    return Refold(Select(memory, (Span(count, start, stop),)), layout)


def _lengths(layout: Layout) -> list[Expression]:
    return [size_of(index.axis) for index in indices_of(layout)]


def _counted(layout: Layout, lengths: Iterable[Expression]) -> Index:
    """An index that runs along all numbers of an array whose axes are so long."""
    names = " ".join(index.axis.name for index in indices_of(layout))
    return Index("number", Extent(f"numbers of {names}", "number", None, length=multiply(*lengths)))


def _is_fixed(length: Expression) -> bool:
    return not any(isinstance(node, Index | Element) for node in length.walk())


def _at_most(length: Expression) -> Expression:
    """The length, or the number that it is the least of beside a loop's."""
    match length:
        case Apply("min", (one, other)) if _is_fixed(one) != _is_fixed(other):
            return one if _is_fixed(one) else other
    return length
