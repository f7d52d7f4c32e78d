"""Sums over a part of an index's range, said by a condition, as sums over a shorter range: slices, not masks.

sum(t, where(t >= 1, d[t]*h[t-1], 0)) = sum(t over size(t) - 1 places, d[t+1]*h[t])
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.indexing.counting import Counter, extent, size_of
from symbackprop.indexing.padding import not_negative
from symbackprop.indexing.places import affine, at_least_zero
from symbackprop.indexing.windows import simplified
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.integers.guards import always_holds
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import add, factors_of, multiply, subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Comparison,
    Element,
    Expression,
    Index,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.systems.partial import is_partial


def with_short_ranges(expression: Expression) -> Expression:
    """Every sum whose conditions leave out the first or the last positions of an index, without them."""
    return rewrite_bottom_up(expression, _short_range) if expression.binds else expression


def _short_range(node: Expression) -> Expression:
    if isinstance(node, Reduction) and node.kind == "sum":
        for index in node.indices:
            shorter = _without_ends(node, index)
            if shorter is not None:
                return _short_range(shorter)
    return node


@dataclass
class _Range:
    """The positions first, ..., stop - 1 of an index."""

    first: Expression
    stop: Expression

    def takes(self, condition: Expression, index: Index) -> bool:
        """Whether the condition bounds the index alone, so that the range, shortened, can stand for it."""
        bound = not_negative(condition)
        found = None if bound is None else affine(bound)
        if found is None or found.indices != (index,) or abs(found.factor(index)) != 1:
            return False
        start = found.start.expression()
        if any(isinstance(node, Counter) for node in start.walk()):
            return False
        if found.factor(index) > 0:
            end = linear_form(subtract(ZERO, start)).expression()
            return self._takes_first(end)
        return self._takes_stop(linear_form(add(start, ONE)).expression())

    def _takes_first(self, end: Expression) -> bool:
        if _proves(">=", self.first, end):
            return True
        if not _proves("<=", self.first, end):
            return False
        self.first = end
        return True

    def _takes_stop(self, end: Expression) -> bool:
        if _proves("<=", self.stop, end):
            return True
        if not _proves(">=", self.stop, end):
            return False
        self.stop = end
        return True


def _proves(operator: str, left: Expression, right: Expression) -> bool:
    return always_holds(Comparison(operator, left, right))  # type: ignore[arg-type]


def _without_ends(reduction: Reduction, index: Index) -> Expression | None:
    """The sum over the positions that the conditions on this index alone leave; None where they are all."""
    whole = size_of(index.axis)
    left = _Range(ZERO, whole)
    kept: list[Expression] = []
    standing: list[Expression] = []
    for factor in factors_of(reduction.body):
        if not (isinstance(factor, Where) and factor.otherwise == ZERO):
            kept.append(factor)
            continue
        parts = [part for part in conjuncts(factor.condition) if not left.takes(part, index)]
        if parts:
            whole_where = Where(conjunction(parts), factor.chosen, ZERO)
            (standing if _stands_still(factor.chosen, index) else kept).append(whole_where)
            continue
        for part in factors_of(factor.chosen):
            (standing if _needs_a_place(part, index) else kept).append(part)
    if (left.first, left.stop) == (ZERO, whole):
        return None
    if standing:
        # h[2] is there, and 1/g finite, where the range has a place: sum(t, where(t > 2, d[t]*h[2]/g, 0)).
        some = Comparison("<", left.first, left.stop)
        product = multiply(*standing)
        kept.append(product if _proves("<", left.first, left.stop) else Where(some, product, ZERO))
    length = at_least_zero(subtract(left.stop, left.first))
    if length == ZERO:
        return ZERO
    shorter = Index(index.name, extent(index.axis, length))
    moved = substitute(multiply(*kept), {index: add(shorter, left.first)})
    indices = tuple(shorter if other == index else other for other in reduction.indices)
    return Reduction("sum", indices, simplified(moved))


def _needs_a_place(factor: Expression, index: Index) -> bool:
    """Whether a factor that does not move with the index may be read only where the range has a place."""
    return _stands_still(factor, index) or (index not in factor.free_indices and is_partial(factor))


def _stands_still(chosen: Expression, index: Index) -> bool:
    """Whether an element is read at a place of its own that does not move with the index: h[2]."""
    return any(
        isinstance(node, Element)
        and index not in node.free_indices
        and not all(isinstance(position, Index) for position in node.positions)
        for node in chosen.walk()
    )
