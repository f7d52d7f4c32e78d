"""A table by cases under a sum: sum(i, f(i)*where(i == 0, a, where(i == 1, b, 0))) is f(0)*a + f(1)*b."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from symbackprop.integers.bounds import Knowledge, conjuncts
from symbackprop.notation.arithmetic import add, factors_of
from symbackprop.notation.expressions import (
    ZERO,
    Comparison,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.rewriting.rule import Path, Step, replace_at
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated

MOST_PLACES = 16


def places_apart(node: Expression) -> Expression | None:
    """where(i == 0, f, where(i == 1, g, 0)) = where(i == 0, f, 0) + where(i == 1, g, 0), of fixed places."""
    cases = [*_cases(node)] if isinstance(node, Where) else []
    if not 1 < len(cases) <= MOST_PLACES or not all(_fixed_indices(condition) for condition, _ in cases):
        return None
    pairs = combinations([condition for condition, _ in cases], 2)
    if not all(Knowledge.of((), pair).is_contradictory for pair in pairs):
        return None
    return add(*(Where(condition, chosen, ZERO) for condition, chosen in cases if chosen != ZERO))


def with_places_apart(total: Reduction) -> tuple[Step, Reduction] | None:
    """The step that makes a sum of a table under a sum over its places, and what it leaves."""
    for number, factor in enumerate(factors_of(total.body)):
        apart = places_apart(factor)
        if apart is not None and any(
            _fixed_indices(condition) & {*total.indices} for condition, _ in _cases(factor)
        ):
            place: Path = (number,) if isinstance(total.body, Multiply) else ()
            opened = total.with_children((replace_at(total.body, place, apart),))
            return Step(PLACES_APART.used_on(factor), (0, *place), total, opened), opened
    return None


def _cases(node: Expression) -> Iterator[tuple[Expression, Expression]]:
    """Each alternative of a condition with what it chooses; what is not 0 at the end under none."""
    while isinstance(node, Where):
        is_either = isinstance(node.condition, Logic) and node.condition.operator == "or"
        for alternative in node.condition.children if is_either else (node.condition,):
            yield alternative, node.chosen
        node = node.otherwise
    if node != ZERO:
        yield ZERO, node


def _fixed_indices(condition: Expression) -> frozenset[Expression]:
    """The indices that a condition, of these alone, compares with numbers that they are to be."""
    parts = conjuncts(condition)
    fixed = [
        part.left
        for part in parts
        if isinstance(part, Comparison) and part.operator == "==" and isinstance(part.right, Number)
    ]
    is_of_indices = len(fixed) == len(parts) and all(isinstance(each, Index) for each in fixed)
    return frozenset(fixed) if is_of_indices else frozenset()


PLACES_APART = stated(
    "places apart",
    "where(i == n, f, where(i == m, g, 0)) = where(i == n, f, 0) + where(i == m, g, 0)",
    places_apart,
    where=(when("numeral", "n"), when("numeral", "m")),
    decreases="cost",
    example="where(i == 0 and j == 1, x[i], where(i == 1 and j == 0, y[j], 0))",
    near_miss="where(i == 0, x[i], where(j == 0, y[j], 0))",
    roots=(Where,),
)
