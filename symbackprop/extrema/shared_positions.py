"""Positions worked out of real numbers, floor(x[n]) or the place of a maximum: each computed once.

    y[n] = w[clip(floor(x[n]), 0, 6)]*(1 - f[n]) + w[clip(floor(x[n]), 0, 6) + 1]*f[n]

reads p[n] = clip(floor(x[n]), 0, 6) and q[n] = p[n] + 1, arrays of integers, and so does the gradient.
"""

from __future__ import annotations

from collections import Counter as CountOf
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain, compress

from symbackprop.integers.recognition import rounds_reals
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Delta,
    Element,
    Expression,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.schedule.occurrences import occurrence
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.system import Equation

Items = tuple[NamedEquation, ...]


def with_shared_positions(items: Sequence[NamedEquation], taken: Collection[str]) -> Items:
    """The equations, and before its first reader one of integers for each position that several read.

    New names are none of those that are `taken`. What recurs, and what a `where` guards, stays as it is.
    """
    loop_carried = loop_carried_tensors([item.equation for item in items])
    may_share = [item.equation.tensor not in loop_carried and not item.guarded for item in items]
    free = compress(items, may_share)
    counts = CountOf(
        occurrence(position)[0] for item in free for position in _positions(item.equation.expression)
    )
    shared = {key for key, count in counts.items() if count > 1}
    if not shared:
        return tuple(items)
    sharing = _Sharing(shared, taken)
    lines = (sharing.lines(item) if may else (item,) for item, may in zip(items, may_share, strict=True))
    return tuple(chain.from_iterable(lines))


class _Sharing:
    """Names for shared positions, given where the first of their readers stands."""

    def __init__(self, shared: Collection[Expression], taken: Collection[str]) -> None:
        self._shared = shared
        self._taken = set(taken)
        self._names: dict[Expression, str] = {}

    def lines(self, item: NamedEquation) -> Items:
        """The equation by the names, behind those of positions that it is the first to read."""
        before: list[NamedEquation] = []
        expression = item.equation.expression
        for position in _positions(expression):
            key, indices = occurrence(position)
            if key not in self._shared or key in self._names:
                continue
            inner = self._read(position)
            name = numbered_name(f"{item.equation.tensor}_place", self._taken)
            self._taken.add(name)
            self._names[key] = name
            part = Part.SUBEXPRESSION if isinstance(inner, Reduction) else Part.POSITION
            before.append(item.temporary(part, Equation(name, indices, inner)))
        changed = _with_positions(expression, self._read)
        return (*before, item if changed == expression else item.computing(changed))

    def _read(self, position: Expression) -> Expression:
        """The position by its name, or a sum or product by those of its parts."""
        key, indices = occurrence(position)
        if key in self._names:
            return Element(self._names[key], indices)
        if isinstance(position, Add | Multiply):
            return position.with_children(tuple(map(self._read, position.children)))
        return position


def _positions(expression: Expression) -> Iterator[Expression]:
    """Whole positions worked out of real numbers, the parts of a sum before it; none within a `where`."""
    for child in () if isinstance(expression, Where) else expression.children:
        if _has_places(expression) and (parts := tuple(_computed_parts(child))):
            yield from parts
            if parts != (child,):
                yield child
        else:
            yield from _positions(child)


def _with_positions(expression: Expression, read: Callable[[Expression], Expression]) -> Expression:
    """The expression with what is read for such positions."""
    if isinstance(expression, Where) or not expression.children:
        return expression
    children = []
    for child in expression.children:
        is_position = _has_places(expression) and any(True for _ in _computed_parts(child))
        children.append(read(child) if is_position else _with_positions(child, read))
    return expression.with_children(tuple(children))


def _has_places(node: Expression) -> bool:
    return isinstance(node, Element | Delta | MatrixFunction)


def _computed_parts(position: Expression) -> Iterator[Expression]:
    """The terms and factors of a position that real numbers decide, and that are read nowhere."""
    if isinstance(position, Add | Multiply):
        for child in position.children:
            yield from _computed_parts(child)
    elif isinstance(position, Apply | Reduction) and any(map(_is_decided_by_reals, position.walk())):
        yield position


def _is_decided_by_reals(node: Expression) -> bool:
    return rounds_reals(node) or (isinstance(node, Reduction) and node.kind == "argmax")
