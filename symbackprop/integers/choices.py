"""Positions between which real numbers choose: C[where(w[n] > 0, ids[n], 1)] is read at ids[n] or at 1."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from symbackprop.integers.bounds import conjunction, conjuncts, lower_bound, negated, unproved_bounds
from symbackprop.integers.guards import unproved_reads
from symbackprop.integers.linear import linear_form
from symbackprop.integers.recognition import compares_integers, rounds_reals
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import (
    ONE,
    Apply,
    Axis,
    Comparison,
    Expression,
    Logic,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import rewrite_bottom_up

MOST_CHOICES = 64  # of real numbers in one position


class Choice(NamedTuple):
    """A position that may be read, and what holds of integers where it is."""

    position: Expression
    conditions: tuple[Expression, ...] = ()


def is_certain(condition: Expression, integers: Collection[str]) -> bool:
    """Whether no real number decides a condition; `integers` are the tensors that hold none."""
    return not condition.tensors or compares_integers(condition, integers)


def choices_in(
    position: Expression, decides: Callable[[Expression], bool], conditions: tuple[Expression, ...] = ()
) -> tuple[Choice, ...]:
    """The position for each choice that real numbers make in it; as it stands, where these are too many.

    `decides` says of a condition that integers decide it, `conditions` hold where the position is read. What
    real numbers count is no choice. A condition that compares what is chosen, p > 0 for a p that
    where(w[n] > 0, n, 0) stands for, is decided with it.
    """
    found = tuple(islice(_choices(Choice(position, conditions), decides), MOST_CHOICES + 1))
    kept = found if len(found) <= MOST_CHOICES else (Choice(position, conditions),)
    return tuple(
        Choice(position, tuple(part for each in known for part in _decided(each, decides)))
        for position, known in kept
    )


def with_a_place(position: Expression, axis: Axis) -> tuple[Expression, ...]:
    """That there is a place on the axis that is read, and on those whose sizes the position names.

    And that what `widths_of_clips` finds is a place of the axis, too.
    """
    return (*_with_places(position, axis), *map(lower_bound, widths_of_clips(position, axis)))


def _with_places(position: Expression, axis: Axis) -> tuple[Expression, ...]:
    named = (node.axis for node in position.walk() if isinstance(node, Size))
    return tuple([Comparison(">=", Size(each), ONE) for each in dict.fromkeys((axis, *named))])


def widths_of_clips(position: Expression, axis: Axis) -> tuple[Expression, ...]:
    """How far the bounds of clips in a position lie apart, where sizes alone say whether they are in order.

    size(k) - 2 of clip(floor(u), 0, size(k) - 2), which is no place between 0 and size(k) - 2 for one place.
    """
    known, found = _with_places(position, axis), dict[Expression, None]()
    for node in position.walk():
        match node:
            case Apply("min", (Apply("max", (_, low)), high)) if not (low.tensors or high.tensors):
                width = linear_form(subtract(high, low)).expression()
                is_open = unproved_bounds(width, axis, known) == (lower_bound(width),)
                if is_open and not width.free_indices:
                    found[width] = None
    return tuple(found)


def axes_needed(
    expression: Expression, axes: Mapping[str, Sequence[Axis]], decides: Callable[[Expression], bool]
) -> Iterator[Axis]:
    """The axes without a place of which what rounds reals reads outside: clip(floor(x), 0, size - 1)."""
    for read, position, axis in unproved_reads(expression, axes):
        for chosen, conditions in choices_in(position, decides, read.conditions):
            if any(map(rounds_reals, chosen.walk())) and unproved_bounds(chosen, axis, conditions):
                known = with_a_place(chosen, axis)
                if not unproved_bounds(chosen, axis, (*conditions, *known)):
                    yield from (node.axis for node in chosen.walk() if isinstance(node, Size))


def _decided(condition: Expression, decides: Callable[[Expression], bool]) -> tuple[Expression, ...]:
    """What integers say where a condition holds: n > 0 of n > 0 and w[n] > 0 or n > 1."""
    match condition:
        case Logic("and", operands):
            return tuple(part for each in operands for part in _decided(each, decides))
        case Logic("or", operands) if not decides(condition):
            parts = [_decided(each, decides) for each in operands]
            return (Logic("or", tuple(map(conjunction, parts))),) if all(parts) else ()
    return (condition,) if decides(condition) else ()


def _choices(choice: Choice, decides: Callable[[Expression], bool]) -> Iterator[Choice]:
    condition = next(_undecided(choice.position, decides), None)
    if condition is None:
        yield choice
        return
    for holds in (True, False):
        position, *known = (_where(condition, holds, each) for each in (choice.position, *choice.conditions))
        # Negated twice, not (f or g) is two conditions.
        also = negated(negated(condition)) if holds else negated(condition)
        yield from _choices(Choice(position, (*known, *conjuncts(also))), decides)


def _undecided(node: Expression, decides: Callable[[Expression], bool]) -> Iterator[Expression]:
    """The conditions between whose branches real numbers choose, those within what others compare first."""
    if isinstance(node, Reduction):
        return
    if isinstance(node, Where):
        yield from _undecided_within(node.condition, decides)
        if not decides(node.condition):
            yield node.condition
        yield from (each for branch in node.children[1:] for each in _undecided(branch, decides))
        return
    yield from (each for child in node.children for each in _undecided(child, decides))


def _undecided_within(condition: Expression, decides: Callable[[Expression], bool]) -> Iterator[Expression]:
    """Those within a condition which integers decide once they are chosen."""
    if isinstance(condition, Logic):
        yield from (each for operand in condition.operands for each in _undecided_within(operand, decides))
    elif decides(rewrite_bottom_up(condition, lambda node: node.chosen if isinstance(node, Where) else node)):
        yield from (each for side in condition.children for each in _undecided(side, decides))


def _where(condition: Expression, holds: bool, expression: Expression) -> Expression:
    """The expression where the condition holds, or where it does not."""
    if isinstance(expression, Reduction) and not condition.free_indices.isdisjoint(expression.indices):
        return expression  # of the indices that are bound anew it says nothing
    if isinstance(expression, Where) and expression.condition == condition:
        return _where(condition, holds, expression.chosen if holds else expression.otherwise)
    return expression.with_children(tuple(_where(condition, holds, each) for each in expression.children))
