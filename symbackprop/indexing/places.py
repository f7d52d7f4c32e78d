"""Positions of index arithmetic, sorted by the view of an array that reads them.

| position                                     | place of an axis                                         |
|----------------------------------------------|----------------------------------------------------------|
| `i` over the axis itself                     | all of it                                                |
| `t - 1` inside a loop over t, `0`            | one place                                                |
| `2*a + 1`, `size(i) - 1 - i`                 | a span, backwards where the index has a minus            |
| `g*size(h) + h`, `2*a + r` with two values r | the axis split in two: a reshape                         |
| `2*a + r - 1`, `i - r`, `ids[n,t]`           | none: a loop over one of the indices, or index arrays    |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from symbackprop.indexing.counting import Counter, size_of
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.bounds import Knowledge
from symbackprop.integers.linear import LinearForm, linear_form
from symbackprop.integers.mixed_radix import digit_of
from symbackprop.notation.arithmetic import multiply, subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Apply,
    Axis,
    Comparison,
    Expression,
    Index,
    Size,
)


@dataclass(frozen=True)
class Affine:
    """start + sum of factor * index over the free indices of a position; the start has counters and sizes."""

    factors: tuple[tuple[Index, int], ...]
    start: LinearForm

    @property
    def indices(self) -> tuple[Index, ...]:
        """The free indices."""
        return tuple(index for index, _ in self.factors)

    def factor(self, index: Index) -> int:
        """What stands before an index; 0 where it does not occur."""
        return dict(self.factors).get(index, 0)


def affine(position: Expression) -> Affine | None:
    """The position as whole multiples of its free indices and a rest that has none; None where it is not."""
    form = linear_form(position)
    factors: list[tuple[Index, int]] = []
    start = LinearForm({}, form.constant)
    for unknown, factor in form.coefficients.items():
        if isinstance(unknown, Index) and not isinstance(unknown, Counter):
            if factor.denominator != 1:
                return None
            factors.append((unknown, int(factor)))
        elif unknown.free_indices or unknown.tensors or unknown.binds:
            return None
        else:
            start = start.plus(LinearForm({unknown: factor}))
    return Affine(tuple(factors), start)


@dataclass(frozen=True)
class Window:
    """start + step*along + offset: windows that lie `step` apart, and the places in one."""

    along: Index
    step: int
    offset: Index
    start: Expression


def window_of(position: Affine) -> Window | None:
    """The windows that a position with two indices counts through upwards; None for any other.

    The offset is the last index by which the position moves one on.
    """
    if len(position.factors) != 2 or any(factor < 1 for _, factor in position.factors):
        return None
    ones = [index for index, factor in position.factors if factor == 1]
    if not ones:
        return None
    (along, step), *_ = [pair for pair in position.factors if pair[0] != ones[-1]]
    return Window(along, step, ones[-1], position.start.expression())


def lowest_and_highest(position: Affine) -> tuple[Expression, Expression]:
    """The least and the greatest value over all indices and counters, as expressions of sizes."""
    low = high = LinearForm({}, position.start.constant)
    ranged: list[tuple[Index, Fraction | int]] = [*position.factors]
    for unknown, number in position.start.coefficients.items():
        if isinstance(unknown, Counter):
            ranged.append((unknown, number))
        else:
            low = low.plus(LinearForm({unknown: number}))
            high = high.plus(LinearForm({unknown: number}))
    for index, factor in ranged:
        end = linear_form(subtract(size_of(index.axis), ONE))
        if factor < 0:
            low = low.plus(end, factor)
        else:
            high = high.plus(end, factor)
    return low.expression(), high.expression()


def at_least_zero(expression: Expression) -> Expression:
    """max(expression, 0), or what it is known to be."""
    form = linear_form(expression)
    ordered = form.expression()
    knowledge = Knowledge.of((ordered,), ())
    if knowledge.proves(Comparison("<=", ordered, ZERO)):
        return ZERO
    if knowledge.proves(Comparison(">=", ordered, ZERO)) or _counts_all_but_one(form):
        return ordered
    return Apply("max", (ordered, ZERO))


def _counts_all_but_one(form: LinearForm) -> bool:
    """Whether the form is size - 1: less than 0 for an empty axis alone, where there is nothing to read."""
    sizes = [unknown for unknown in form.coefficients if isinstance(unknown, Size)]
    return (
        form.constant == -1
        and len(sizes) == len(form.coefficients) == 1
        and all(form.coefficient(size) == 1 for size in sizes)
    )


def mixed_radix(position: Expression) -> tuple[tuple[Index, ...], LinearForm] | None:
    """The indices of a position that counts them through, the last one fastest, and where it starts.

    (g, h) and n of n + g*size(h) + h. None for what is no such position, a single index included.
    """
    rest = linear_form(position)
    free = [index for index in _own_indices(position) if index in position.free_indices]
    found: list[Index] = []
    stride: Expression = ONE
    while free:
        last = next((index for index in free if _is_multiple(rest, index, stride)), None)
        if last is None:
            return None
        found.insert(0, last)
        free.remove(last)
        rest = rest.plus(linear_form(multiply(last, stride)), -1)
        stride = multiply(stride, size_of(last.axis))
    start = rest.expression()
    is_all = not any(isinstance(node, Index) for node in start.walk()) and not start.tensors
    return (tuple(found), rest) if is_all and len(found) > 1 else None


def _is_multiple(form: LinearForm, index: Index, stride: Expression) -> bool:
    """Whether the index stands in the form with exactly this factor."""
    left = form.plus(linear_form(multiply(index, stride)), -1).expression()
    return index not in left.free_indices


def _own_indices(position: Expression) -> Iterable[Index]:
    return dict.fromkeys(node for node in position.walk() if isinstance(node, Index))


def _is_prefix(axis: Axis, axes: Sequence[Axis]) -> bool:
    """Whether an axis has another number of places than the axes together, as far as sizes are declared."""
    sizes = [each.size for each in (axis, *axes) if each.size is not None]
    if len(sizes) == 1 + len(axes):
        return prod(sizes[1:]) != sizes[0]
    return axis in axes and any(each.size != 1 for each in axes if each != axis)


def divided_index(positions: Sequence[Expression], axes: Sequence[Axis]) -> tuple[Index, int] | None:
    """(q, n) where the first n positions are all digits of q, the radices being the sizes of their axes.

    Such are floor(q/m) and mod(q, m) over an axis with m values. None where q is known not to reach every
    place: then it counts through the first ones alone; and where it may count through them more than once.
    """
    first = digit_of(positions[0])
    if first is None or not isinstance(first.base, Index) or isinstance(first.base, Counter):
        return None
    if first.radix is not None:
        once = Comparison("<=", Size(first.base.axis), multiply(first.unit, first.radix))
        if not Knowledge.of((once,), ()).proves(once):
            return None
    unit = first.unit
    for count, (position, axis) in enumerate(zip(positions[1:], axes[1:], strict=True), start=2):
        digit = digit_of(position)
        if digit is None or digit.radix is None or digit.base != first.base:
            return None
        below = related_form(multiply(digit.unit, digit.radix))
        if below != related_form(unit) or related_form(digit.radix) != related_form(Size(axis)):
            return None
        unit = digit.unit
        if unit == ONE:
            return None if _is_prefix(first.base.axis, axes[:count]) else (first.base, count)
    return None
