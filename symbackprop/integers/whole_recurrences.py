"""Recurrences of whole numbers, c[t] = where(t == 0, 0, c[t-1] + ..): a counter, a state of an automaton.

That all values of one lie inside an axis is shown by induction over the steps: the value at a step does where
those that it reads do. What counts up needs more than that, c[t] <= t, which is shown together with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from symbackprop.integers.bounds import Knowledge, conjuncts, negated, unproved_bounds
from symbackprop.integers.choices import MOST_CHOICES
from symbackprop.integers.recognition import is_integer
from symbackprop.integers.whole_definitions import WholeDefinition
from symbackprop.notation.arithmetic import add, negate
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
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

# What may hold of a value, the step at which it is one, and the number of steps.
Invariant: TypeAlias = Callable[[Expression, Expression, Expression], Expression]

INVARIANTS: tuple[Invariant, ...] = (
    lambda value, step, steps: Comparison("<=", value, step),
    lambda value, step, steps: Comparison("<=", value, add(step, ONE)),
    lambda value, step, steps: Comparison("<", value, add(steps, negate(step))),
    lambda value, step, steps: Comparison("<=", value, add(steps, negate(step))),
    lambda value, step, steps: Comparison(">=", value, step),
    lambda value, step, steps: Comparison(">=", value, add(steps, negate(step), MINUS_ONE)),
)


class _Case(NamedTuple):
    """A value that a definition may have, and the conditions under which it has it."""

    value: Expression
    conditions: tuple[Expression, ...] = ()


class _Kept(NamedTuple):
    """An invariant along the index at a place."""

    invariant: Invariant
    place: int


def stays_inside(definition: WholeDefinition, values: Mapping[str, Axis]) -> bool:
    """Whether a recurrence defines places of its axis in `values`, if all other tensors there hold such."""
    cases = _cases_of(definition, values)
    if cases and all(_is_inside(definition, case, values, None) for case in cases):
        return True
    return next(_kept(definition, values), None) is not None


def reads_inside_by(
    position: Expression,
    axis: Axis,
    conditions: Sequence[Expression],
    definitions: Mapping[str, WholeDefinition],
    values: Mapping[str, Axis],
) -> bool:
    """Whether a position that is read under these conditions lies inside by what recurrences keep.

    `definitions` are the recurrences among what has `values`, all of which stay inside.
    """
    kept = {name: tuple(_kept(definition, values)) for name, definition in definitions.items()}
    cases = islice(_cases(_Case(position, tuple(conditions))), MOST_CHOICES + 1)
    for count, case in enumerate(cases):
        numbers, value, known = _numbered(case, values)
        known += [
            _claim(each, number, _all_with(numbers, read.positions), definitions[read.tensor])
            for read, number in numbers.items()
            for each in kept.get(read.tensor, ())
        ]
        if count == MOST_CHOICES or unproved_bounds(value, axis, known):
            return False
    return True


def _kept(definition: WholeDefinition, values: Mapping[str, Axis]) -> Iterator[_Kept]:
    """The invariants that a recurrence keeps, each along one of its indices."""
    cases = _cases_of(definition, values)
    for place in range(len(definition.indices) if cases else 0):
        for invariant in INVARIANTS:
            kept = _Kept(invariant, place)
            if all(_is_inside(definition, case, values, kept) for case in cases):
                yield kept


def _cases_of(definition: WholeDefinition, values: Mapping[str, Axis]) -> tuple[_Case, ...]:
    """The values that a recurrence may have; none where they may not be whole, or are too many."""
    if not is_integer(definition.expression, values):
        return ()
    cases = tuple(islice(_cases(_Case(definition.expression)), MOST_CHOICES + 1))
    return cases if len(cases) <= MOST_CHOICES else ()


def _claim(
    kept: _Kept,
    value: Expression,
    positions: Sequence[Expression],
    definition: WholeDefinition,
) -> Expression:
    """What an invariant says of the value at these positions."""
    steps = Size(definition.indices[kept.place].axis)
    return kept.invariant(value, positions[kept.place], steps)


def _cases(case: _Case) -> Iterator[_Case]:
    """Each branch of the `where`s in a value, with the conditions around it."""
    choice = next(_choices_in(case.value), None)
    if choice is None:
        yield case
        return
    holds, chosen, otherwise = _as_where(choice).children
    for branch, known in ((chosen, negated(negated(holds))), (otherwise, negated(holds))):
        value = _replaced(case.value, choice, branch)
        yield from _cases(_Case(value, (*case.conditions, *conjuncts(known))))


def _choices_in(node: Expression) -> Iterator[Where | Delta]:
    if isinstance(node, Where | Delta):
        yield node
    elif not isinstance(node, Reduction | Comparison | Element):
        yield from (each for child in node.children for each in _choices_in(child))


def _as_where(choice: Where | Delta) -> Where:
    """A Kronecker delta as the `where` that it is."""
    if isinstance(choice, Where):
        return choice
    return Where(Comparison("==", choice.left, choice.right), ONE, ZERO)


def _replaced(node: Expression, choice: Expression, branch: Expression) -> Expression:
    """The value with a branch for the choice, wherever the choice stands in it."""
    if node == choice:
        return branch
    if isinstance(node, Reduction | Comparison | Element):
        return node
    return node.with_children(tuple([_replaced(each, choice, branch) for each in node.children]))


def _is_inside(
    definition: WholeDefinition,
    case: _Case,
    values: Mapping[str, Axis],
    kept: _Kept | None,
) -> bool:
    """Whether the value of a case lies inside its axis, and keeps an invariant that earlier ones keep."""
    own = values[definition.tensor]
    numbers, value, known = _numbered(case, values)
    known.append(Comparison(">=", Size(own), ONE))  # what is read at a place of an empty axis, is refused
    claims: list[Expression] = []
    if kept is not None:
        known += [
            _claim(kept, number, _all_with(numbers, read.positions), definition)
            for read, number in numbers.items()
            if read.tensor == definition.tensor
        ]
        claims.append(_claim(kept, value, definition.indices, definition))
    facts = Knowledge.of((value, *definition.indices), known)
    is_place = isinstance(value, Index) and value.axis == own
    return (is_place or not unproved_bounds(value, own, known)) and all(map(facts.proves, claims))


def _numbered(
    case: _Case, values: Mapping[str, Axis]
) -> tuple[dict[Element, Index], Expression, list[Expression]]:
    """An index over its axis for each whole number that a case reads, and the case with them.

    A condition that may not look at all that it reads, t == 0 or c[t-1] > 3, says nothing of it.
    """
    conditions = [each for each in case.conditions if _is_looked_at(each, values)]
    numbers = _numbers_of((case.value, *conditions), values)
    value, *known = _all_with(numbers, (case.value, *conditions))
    return numbers, value, known


def _is_looked_at(condition: Expression, values: Mapping[str, Axis]) -> bool:
    """Whether a condition looks at every whole number in it."""
    return condition.tensors.isdisjoint(values) or not any(
        isinstance(node, Logic | Where) for node in condition.walk()
    )


def _numbers_of(expressions: Iterable[Expression], values: Mapping[str, Axis]) -> dict[Element, Index]:
    """For each whole number that is read an index over the axis of its values; none of those reduced."""
    found: dict[Element, Index] = {}
    pending = list(expressions)
    while pending:
        node = pending.pop()
        if isinstance(node, Element) and node.tensor in values:
            found.setdefault(node, Index(f"@{len(found)}", values[node.tensor]))
        elif not isinstance(node, Reduction):
            pending += node.children
    return found


def _all_with(numbers: Mapping[Element, Index], expressions: Iterable[Expression]) -> tuple[Expression, ...]:
    return tuple([_with_numbers(each, numbers) for each in expressions])


def _with_numbers(expression: Expression, numbers: Mapping[Element, Index]) -> Expression:
    if isinstance(expression, Element) and expression in numbers:
        return numbers[expression]
    if isinstance(expression, Reduction):
        return expression
    return expression.with_children(tuple([_with_numbers(each, numbers) for each in expression.children]))
