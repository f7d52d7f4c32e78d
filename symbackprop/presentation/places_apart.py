"""A table by cases under a sum: sum(i, f(i)*where(i == 0, a, where(i == 1, b, 0))) is f(0)*a + f(1)*b."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import TypeAlias

from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts, negated
from symbackprop.notation.arithmetic import add, factors_of, multiply
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

Case: TypeAlias = tuple[Expression, Expression]  # a condition, and what it chooses


def places_apart(node: Expression) -> Expression | None:
    """where(i == 0, f, where(i == 1, g, 0)) = where(i == 0, f, 0) + where(i == 1, g, 0), of fixed places.

    Of an axis of a known size the last branch has places, too: (1, 1) if three of a 2 x 2 matrix are stated.
    """
    cases = _with_places_left([*_cases(node)]) if isinstance(node, Where) else []
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


def _cases(node: Expression) -> Iterator[Case]:
    """Each alternative of a condition with what it chooses; what is not 0 at the end under none.

    where(i != 0 or j != 1, f, g) is a case of its second branch, and 2*where(c, f, g) two of 2*f and 2*g.
    """
    outer: list[Expression] = []
    while (found := _where_and_rest(node)) is not None:
        where, rest = found
        outer += rest
        opposite = negated(where.condition)
        if _fixed_indices(opposite):
            yield opposite, multiply(*outer, where.otherwise)
            node = where.chosen
        else:
            is_either = isinstance(where.condition, Logic) and where.condition.operator == "or"
            for alternative in where.condition.children if is_either else (where.condition,):
                yield alternative, multiply(*outer, where.chosen)
            node = where.otherwise
    if node != ZERO:
        yield ZERO, multiply(*outer, node)


def _where_and_rest(node: Expression) -> tuple[Where, list[Expression]] | None:
    """The one `where` among the factors, and the other factors."""
    factors = [*factors_of(node)]
    wheres = [factor for factor in factors if isinstance(factor, Where)]
    return (wheres[0], [each for each in factors if each is not wheres[0]]) if len(wheres) == 1 else None


def _with_places_left(cases: Sequence[Case]) -> list[Case]:
    """The cases with the last one, under no condition, at each of the places that the others leave to it."""
    *stated, (last, chosen) = cases
    if last != ZERO or not all(_fixed_indices(condition) for condition, _ in stated):
        return [*cases]
    indices = sorted(frozenset[Index]().union(*(_fixed_indices(each) for each, _ in stated)), key=str)
    sizes = [index.axis.size for index in indices]
    if any(size is None for size in sizes) or math.prod(filter(None, sizes)) > MOST_PLACES:
        return [*cases]
    places = product(*(range(size) for size in sizes if size is not None))
    at = [
        conjunction([Comparison("==", *pair) for pair in zip(indices, map(Number, place), strict=True)])
        for place in places
    ]
    taken = [condition for condition, _ in stated]
    left = [each for each in at if all(Knowledge.of((), (each, known)).is_contradictory for known in taken)]
    return [*stated, *((each, chosen) for each in left)]


def _fixed_indices(condition: Expression) -> frozenset[Index]:
    """The indices that a condition, of these alone, compares with numbers that they are to be."""
    parts = conjuncts(condition)
    fixed = [
        part.left
        for part in parts
        if isinstance(part, Comparison)
        and part.operator == "=="
        and isinstance(part.left, Index)
        and isinstance(part.right, Number)
    ]
    return frozenset(fixed) if len(fixed) == len(parts) else frozenset()


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
