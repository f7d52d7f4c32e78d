"""What stands beside a Kronecker delta is read at the position that it names, or at the index.

delta(p,i)*f(p) = delta(p,i)*f(i), for the delta is 0 where p is not i.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import repeat

from symbackprop.integers.bounds import conjuncts, lies_inside
from symbackprop.notation.arithmetic import (
    add,
    factors_of,
    is_reciprocal,
    multiply,
    normalised,
)
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.rewriting.premises import KnownRanges
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated
from symbackprop.systems.partial import NOTHING_KNOWN, Ranges


def substitute_position(node: Expression, ranges: Ranges) -> Expression | None:
    """delta(p,i)*f(p) = delta(p,i)*f(i), where that frees f of a lookup p; where p is not i, both are 0."""

    def moved(position: Expression, index: Index, others: tuple[Expression, ...]) -> tuple[Expression, ...]:
        if isinstance(position, Index | Number) or _partial(others, position, index, ranges):
            return others
        return tuple([loosened(other, position, index, ranges) for other in others])

    return _beside_delta(node, moved)


def loosened(factor: Expression, position: Expression, index: Index, ranges: Ranges) -> Expression:
    """The factor with i for p; as typed, p[ids[j]] - q[j], where it depends on j either way.

    A condition has i: where(ids[j] < j, ..) tells that a recurrence reads earlier steps by i < j.
    """
    moved = with_index(factor, position, index, ranges)
    is_bound = isinstance(position, Element) and not moved.free_indices.isdisjoint(position.free_indices)
    return factor if is_bound and not _is_compared(position, factor) else moved


def _is_compared(position: Expression, factor: Expression) -> bool:
    compared = (each for each in factor.walk() if isinstance(each, Comparison))
    return any(position in each.walk() for each in compared)


def fix_index(node: Expression, ranges: Ranges) -> Expression | None:
    """delta(p,i)*g(i) = delta(p,i)*g(p), where g may be undefined at an i that is not p.

    So is read what cancels with it: delta(p,i)*x[i]/x[i] = delta(p,i)*x[p]/x[p].
    """

    def moved(position: Expression, index: Index, others: tuple[Expression, ...]) -> tuple[Expression, ...]:
        if index in position.free_indices:
            return others  # delta(ids[i],i): the position depends on i again
        return _read_at_position(others, _partial(others, position, index, ranges), position, index)

    return _beside_delta(node, moved)


def _beside_delta(
    node: Expression, moved: Callable[[Expression, Index, tuple[Expression, ...]], tuple[Expression, ...]]
) -> Expression | None:
    """A product with what stands beside the first delta for which that is another one."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        others = (*node.factors[:place], *node.factors[place + 1 :])
        for position, index in sides_of(factor):
            replaced = moved(position, index, others)
            if replaced != others:
                return multiply(*replaced[:place], factor, *replaced[place:])
    return None


def _partial(
    factors: Iterable[Expression], position: Expression, index: Index, ranges: Ranges
) -> frozenset[Expression]:
    return frozenset(each for each in factors if may_be_undefined(each, position, index, ranges))


def may_be_undefined(factor: Expression, position: Expression, index: Index, ranges: Ranges) -> bool:
    """Whether it may be so where the position is not the index; of two indices it then depends on both."""
    if isinstance(position, Index):
        reads = {position, index} <= factor.free_indices
    else:
        reads = index in factor.free_indices or any(node == position for node in factor.walk())
    return reads and ranges.is_partial(factor)


def _read_at_position(
    factors: tuple[Expression, ...], partial: frozenset[Expression], position: Expression, index: Index
) -> tuple[Expression, ...]:
    if not partial or not lies_inside(position, index):
        return factors
    moved = [_at_position(factor, position, index) for factor in factors]
    if any(map(_divides_by_zero, moved)):
        return factors  # 1/(x[i] - x[j]) for i = j: it is for a condition to keep that from being read
    below = _divisors(there for there, factor in zip(moved, factors, strict=True) if factor in partial)
    return tuple(
        [
            there if factor in partial or there in below else factor
            for there, factor in zip(moved, factors, strict=True)
        ]
    )


def _at_position(factor: Expression, position: Expression, index: Index) -> Expression:
    """The factor with p for i; as it is where conditions alone have i, and p has all of them as well."""
    if isinstance(factor, Where) and index not in factor.chosen.free_indices | factor.otherwise.free_indices:
        conditions = conjuncts(factor.condition)
        if {substitute(each, {index: position}) for each in conditions} <= {*conditions}:
            return factor
    return substitute(factor, {index: position})


def _divides_by_zero(factor: Expression) -> bool:
    if not any(isinstance(node, Power) for node in factor.walk()):
        return False
    nodes = rewrite_bottom_up(factor, normalised).walk()
    return any(isinstance(node, Power) and node.base == ZERO for node in nodes)


def _divisors(factors: Iterable[Expression]) -> set[Expression]:
    return {factor.base for factor in factors if isinstance(factor, Power) and is_reciprocal(factor)}


def cancel_under_delta(node: Expression) -> Expression | None:
    """x[i]*(delta(p,i)/x[p] + f) = delta(p,i) + x[i]*f: multiplied out where that cancels a divisor."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        others = (*node.factors[:place], *node.factors[place + 1 :])
        if isinstance(factor, Add) and any(_cancels(term, others) for term in factor.terms):
            before, after = node.factors[:place], node.factors[place + 1 :]
            return add(*(multiply(*before, term, *after) for term in factor.terms))
    return None


def _cancels(term: Expression, others: tuple[Expression, ...]) -> bool:
    """Whether one of the others, at the position that a delta in the term gives, is a divisor of the term."""
    below = _divisors(factors_of(term))
    return bool(below) and any(
        index in other.free_indices and substitute(other, {index: position}) in below
        for factor in factors_of(term)
        for position, index in sides_of(factor)
        for other in others
    )


def sides_of(factor: Expression) -> Iterator[tuple[Expression, Index]]:
    """(p, i) of a delta; of two indices the one that comes first by name takes the place of the other."""
    if isinstance(factor, Delta):
        for position, index in ((factor.left, factor.right), (factor.right, factor.left)):
            if isinstance(index, Index) and not (
                isinstance(position, Index) and (position.axis != index.axis or position.name > index.name)
            ):
                yield position, index


def with_index(
    expression: Expression, position: Expression, index: Index, ranges: Ranges = NOTHING_KNOWN
) -> Expression:
    """The expression with the index in the place of a position, but for a read of another axis there."""
    if expression == position:
        return index
    captured = position.free_indices | {index}
    if isinstance(expression, Reduction) and captured & frozenset(expression.indices):
        return expression
    if isinstance(expression, Element):
        children = _positions_with_index(expression, position, index, ranges)
    else:
        children = tuple([with_index(child, position, index, ranges) for child in expression.children])
    if children == expression.children:
        return expression
    moved = expression.with_children(children)
    if isinstance(expression, Where) and any(node == position for node in moved.walk()):
        return expression  # a guard moves together with all that it guards, or stays
    return moved


def _positions_with_index(
    element: Element, position: Expression, index: Index, ranges: Ranges
) -> tuple[Expression, ...]:
    """The index for p itself; a read beside p, at p + 1, may leave its axis where p is not i."""
    axes = ranges.axes.get(element.tensor) or repeat(index.axis)
    return tuple(
        [
            (index if axis == index.axis else child)
            if child == position
            else with_index(child, position, index, ranges)
            if isinstance(child, Element)
            else child
            for child, axis in zip(element.positions, axes, strict=False)
        ]
    )


def substitution_rules(ranges: Ranges) -> tuple[Rule, ...]:
    """The rules, where so much is known of the tensors."""
    return (
        stated(
            "delta substitutes",
            "delta(p,i)*f(p) = delta(p,i)*f(i)",
            lambda node: substitute_position(node, ranges),
            where=(when("not partial", "f"),),
            decreases="misplaced reads",
            example="delta(ids[k],i)*A[ids[k],j]",
            near_miss="delta(ids[k],i)*(A[ids[k],j] - B[j,k])",
            premise=lambda node: KnownRanges.of(ranges, node.tensors),
            roots=(Multiply,),
        ),
        stated(
            "delta fixes the index",
            "delta(p,i)*g(i) = delta(p,i)*g(p)",
            lambda node: fix_index(node, ranges),
            where=(when("partial", "g"), when("defined", "g(p)"), when("inside", "p", "i")),
            decreases="misplaced reads",
            example="delta(ids[k],i)/x[i]",
            near_miss="delta(ids[k],i)*x[i]",
            premise=lambda node: KnownRanges.of(ranges, node.tensors),
            roots=(Multiply,),
        ),
        stated(
            "cancel under delta",
            "f(i)*(delta(p,i)/f(p) + g) = f(i)*delta(p,i)/f(p) + f(i)*g",
            cancel_under_delta,
            decreases="sums to multiply out",
            example="x[i]*(delta(ids[k],i)/x[ids[k]] - c)",
            near_miss="x[i]*(delta(ids[k],i2)/x[ids[k]] - c)",
            roots=(Multiply,),
        ),
    )
