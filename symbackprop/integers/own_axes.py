"""Which axes a tensor has, for printers: pad(x[t + 1]) says that x[t + 1] is 0 outside x's own axis.

where(t + 1 < size(s), x[t + 1], 0) says it only where s runs over the axis of x.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.integers.guards import padded_element
from symbackprop.integers.linear import constant_form, linear_form
from symbackprop.notation.expressions import (
    ZERO,
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Size,
    Where,
)
from symbackprop.notation.substitution import rewrite_bottom_up


@dataclass(frozen=True)
class OwnAxes:
    """The axes of a tensor's indices, in their order."""

    tensor: str
    axes: tuple[Axis, ...]


def compares_sizes(expressions: Iterable[Expression]) -> bool:
    """Whether a condition speaks of a size, as the bound of a position does."""
    compared = (node for each in expressions for node in each.walk() if isinstance(node, Comparison))
    return any(isinstance(part, Size) for node in compared for part in node.walk())


def with_bounds_of_other_axes(expression: Expression, words: Collection[object]) -> Expression:
    """The expression with where(t + 2 <= size(s), x[t + 1], 0) where s runs over another axis than x's.

    For printers, which write pad(x[t + 1]) for `<`. What is known of the tensors stands among the `words`.
    """
    own = {word.tensor: word.axes for word in words if isinstance(word, OwnAxes)}
    if expression.tensors.isdisjoint(own):
        return expression

    def told_apart(node: Expression) -> Expression:
        match node:
            case Where(condition, Element(tensor, positions)) if (
                tensor in own and padded_element(node) is not None
            ):
                places = tuple(zip(positions, own[tensor], strict=True))
                parts = [_told_apart(part, places) for part in conjuncts(condition)]
                return Where(conjunction(parts), node.chosen, ZERO)
        return node

    return rewrite_bottom_up(expression, told_apart)


def _told_apart(condition: Expression, places: Sequence[tuple[Expression, Axis]]) -> Expression:
    """p + 1 <= size for p < size, of another axis than those that the element has at p."""
    match condition:
        case Comparison("<", position, Size(axis)) | Comparison(">", Size(axis), position):
            own = [each for read, each in places if read == position and not isinstance(read, Index)]
            if own and axis not in own:
                past = linear_form(position).plus(constant_form(1)).expression()
                return Comparison("<=", past, Size(axis))
    return condition
