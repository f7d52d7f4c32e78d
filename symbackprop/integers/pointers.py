"""Positions that are looked up, or between which numbers choose, at the steps of a recurrence.

On which side of a step one lies, and what a Kronecker delta tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts
from symbackprop.integers.guards import always_holds
from symbackprop.integers.linear import linear_form
from symbackprop.integers.recognition import rounds_reals
from symbackprop.notation.arithmetic import factors_of, multiply, subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Apply,
    Axis,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import readings
from symbackprop.notation.substitution import rewrite_bottom_up


@lru_cache(maxsize=10_000)
def proved_side(position: Expression, step: Index, conditions: tuple[Expression, ...]) -> int | None:
    """-1 where the position is proved to lie before the step, 1 where after it; None where neither is.

    What is looked up for a position is an integer from 0 on, of which nothing else is known. The axes whose
    sizes the position names have places (`axes_with_steps`): t - size(p) comes before t.
    """
    return _side_by(position, step, (*conditions, *map(_has_places, _axes_named(position))))


def axes_with_steps(
    position: Expression, step: Index, conditions: tuple[Expression, ...]
) -> tuple[Axis, ...]:
    """The axes that must have places for the position to lie on a side of the step."""
    named = _axes_named(position)
    if not named or position == step or _side_by(position, step, conditions) is not None:
        return ()
    return named


def _axes_named(position: Expression) -> tuple[Axis, ...]:
    return tuple(dict.fromkeys(node.axis for node in position.walk() if isinstance(node, Size)))


def _has_places(axis: Axis) -> Expression:
    return Comparison(">=", Size(axis), ONE)


def _side_by(position: Expression, step: Index, conditions: tuple[Expression, ...]) -> int | None:
    as_integers = _with_integers((position,))
    position = as_integers(position)
    known = Knowledge.of((position, step), [as_integers(each) for each in conditions])
    if known.proves(Comparison("<", position, step)):
        return -1
    return 1 if known.proves(Comparison(">", position, step)) else None


def with_deltas_told(
    where: Where,
    factors: Sequence[Expression],
    steps: Sequence[Index],
    step: Index | None,
    is_partial: bool = False,
) -> Where:
    """The `where` with what deltas tell of looked-up places, else with the side of the step that they tell.

    The place alone says nothing where the condition keeps it inside: s - 1 - b[s] >= 0 is t >= 0.
    """
    placed = with_places_told(where, factors, step, is_partial)
    about_step = [each for each in conjuncts(placed.condition) if step in each.free_indices]
    says_nothing = about_step and all(map(always_holds, about_step))
    return with_step_told(where if says_nothing else placed, factors, steps, step)


def with_places_told(
    where: Where, factors: Sequence[Expression], step: Index | None, is_partial: bool = False
) -> Where:
    """where(b[s] > 0, f, 0) beside delta(s - b[s],t) is where(s - t > 0, f, 0): the delta tells b[s].

    So does a delta among the factors of f, and of the `where`s among these. Where f may be undefined without
    the condition, as x[b[s] - 1] is, and all that `is_partial`, it stays beside the new one.
    """
    deltas = (each for each in (*factors, *_factors_under(where)) if isinstance(each, Delta))
    told = dict(pair for delta in deltas if step in delta.children for pair in _integers_told(delta))
    used = frozenset(unknown for unknown in told if is_partial or _is_used(unknown, where.chosen))
    return _with_conditions(where, told, used) if told else where


def _factors_under(where: Where) -> Iterator[Expression]:
    for factor in factors_of(where.chosen):
        yield factor
        if isinstance(factor, Where) and factor.otherwise == ZERO:
            yield from _factors_under(factor)


def _integers_told(delta: Delta) -> Iterator[tuple[Expression, Expression]]:
    """What is looked up in a delta, and what it is: (b[s], s - t) of delta(s - b[s],t)."""
    difference = linear_form(subtract(delta.left, delta.right))
    for unknown, factor in difference.coefficients.items():
        if isinstance(unknown, Element) and abs(factor) == 1:
            yield unknown, linear_form(subtract(unknown, difference.scaled(factor).expression())).expression()


def _is_used(unknown: Expression, expression: Expression) -> bool:
    """Whether it is part of a value, but for deltas, comparisons and positions that are no more than it."""
    match expression:
        case Delta() | Comparison():
            parts = [part for side in expression.children for part in linear_form(side).coefficients]
        case Element(_, positions):
            parts = list(positions)
        case _:
            return expression == unknown or any(_is_used(unknown, child) for child in expression.children)
    return expression == unknown or any(part != unknown and _is_used(unknown, part) for part in parts)


def _with_conditions(
    where: Where, told: Mapping[Expression, Expression], used: frozenset[Expression]
) -> Where:
    """The `where`, and those among its factors, with conditions on what is told; those on `used` stay too."""
    factors = [
        _with_conditions(each, told, used) if isinstance(each, Where) and each.otherwise == ZERO else each
        for each in factors_of(where.chosen)
    ]
    conditions = conjuncts(where.condition)
    kept = [each for each in conditions if not used.isdisjoint(each.walk())]
    new = [rewrite_bottom_up(each, lambda node: told.get(node, node)) for each in conditions]
    return Where(conjunction(list(dict.fromkeys((*kept, *new)))), multiply(*factors), ZERO)


def with_step_told(
    where: Where, factors: Sequence[Expression], steps: Sequence[Index], step: Index | None
) -> Where:
    """where(s > 0, f, 0) beside delta(p,t) is where(t < s, f, 0), where p < s follows for s > 0.

    That is so of a p between whose places real numbers choose: where(z[s] > 0, s - 1, 0). `steps` are the
    indices s of which something is asked, t is the `step`; the deltas are those of `with_places_told`, and so
    are the conditions that stay.
    """
    if step is None or step in where.condition.free_indices:
        return where
    conditions = conjuncts(where.condition)
    deltas = (each for each in (*factors, *_factors_under(where)) if isinstance(each, Delta))
    for delta in deltas:
        told = side_told(delta, steps, step, conditions)
        if told is not None:
            used = frozenset(each for each, _ in _integers_told(delta) if _is_used(each, where.chosen))
            kept = [each for each in conditions if not used.isdisjoint(each.walk())]
            left = _not_told(conditions, (told, Comparison("==", *delta.children)))
            return Where(conjunction((told, *kept, *left)), where.chosen, ZERO)
    return where


def side_told(
    delta: Delta, steps: Sequence[Index], step: Index, conditions: tuple[Expression, ...] = ()
) -> Expression | None:
    """t < s of delta(s - 1 - b[s],t), t the `step`, for one of the `steps` s; None where none is told so."""
    if delta.tensors and step in delta.children:
        looked_up = delta.left if delta.right == step else delta.right
        for own in steps:
            side = None if own == step else proved_side(looked_up, own, conditions)
            if side is not None:
                return Comparison("<" if side < 0 else ">", step, own)
    return None


def _not_told(conditions: Sequence[Expression], known: Sequence[Expression]) -> tuple[Expression, ...]:
    """The conditions on indices and what is looked up that do not follow from what is known."""
    as_integers = _with_integers(known)
    facts = Knowledge.of((), [as_integers(each) for each in known])
    return tuple([each for each in conditions if not facts.proves(as_integers(each))])


def _with_integers(expressions: Iterable[Expression]) -> Callable[[Expression], Expression]:
    """What writes an index without an end for each element that stands for an integer in these."""
    looked_up = dict.fromkeys(element for each in expressions for element in _looked_up(each))
    numbers = {node: Index(f"@{place}", Axis(f"@{place}", "@")) for place, node in enumerate(looked_up)}

    def as_integer(node: Expression) -> Expression:
        return numbers.get(node, node) if isinstance(node, Element) else node

    return lambda expression: rewrite_bottom_up(expression, as_integer)


def _looked_up(position: Expression) -> Iterator[Element]:
    """The elements that are integers: none that a condition compares, or that is rounded or counted."""
    if isinstance(position, Element):
        yield position
    elif not (isinstance(position, Comparison | Logic | Reduction) or rounds_reals(position)):
        yield from (each for child in position.children for each in _looked_up(child))


def is_pointed(
    factor: Expression, places: Mapping[str, int], step: Index | None, condition: Expression
) -> bool:
    """Whether it reads the recurrence where a lookup or a floor tells, and the condition speaks of that.

    So it does of a[par[t]] in step t where that is par[t] < t.
    """
    positions = (read.positions[places[read.tensor]] for read in readings(factor) if read.tensor in places)
    return step in condition.free_indices and any(
        step in position.free_indices
        and condition.tensors <= position.tensors
        and any(isinstance(node, Element | Apply) for node in position.walk())
        for position in positions
    )
