"""Matching an expression against a pattern whose free indices may stand for others, or for positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import TypeAlias, cast

from symbackprop.integers.bounds import unproved_bounds
from symbackprop.notation.expressions import Expression, Index
from symbackprop.notation.substitution import is_canonical_name
from symbackprop.rewriting.labels import label
from symbackprop.rewriting.patterns import Found, PatternMatcher

Bindings: TypeAlias = Mapping[Index, Expression]


def match(
    pattern: Expression,
    expression: Expression,
    variables: frozenset[Index],
    bindings: Bindings | None = None,
    around: Sequence[Expression] = (),
) -> Iterator[Bindings]:
    """Every way to choose the variables so that the pattern is the expression.

    Both sides come with canonical bound names; terms and factors match in any order. `around` are the
    conditions under which the expression is read: k - size(j) is a place of J where k >= size(j).
    """
    is_variable = isinstance(pattern, Index)
    if not is_variable and (type(pattern) is not type(expression) or label(pattern) != label(expression)):
        return  # what most pairs come to
    known = tuple([condition for condition in around if not condition.tensors])
    matcher = PatternMatcher(partial(_may_stand_for, known), variables)
    for found in matcher.match(pattern, expression, Found(bindings or {})):
        yield cast("Bindings", found.values)


def _may_stand_for(known: tuple[Expression, ...], variable: Index, found: Found) -> bool:
    """A variable stands for an index of its axis, or for a position that is sure to lie inside it.

    It stands for no index that is bound in what is matched: sum(j, W[j,i]) is not sum(j, W[j,j]).
    """
    value = found.values[variable]
    assert isinstance(value, Expression)
    if any(is_canonical_name(index) for index in value.free_indices):
        return False
    if isinstance(value, Index):
        return value.axis == variable.axis
    # Within one axis s + 1 is another step of what is computed here, and there are many of them to try.
    is_other = all(index.axis != variable.axis for index in value.free_indices)
    return not value.tensors and not unproved_bounds(value, variable.axis, known if is_other else ())


def factors_matched(
    patterns: Sequence[Sequence[Expression]],
    factors: Sequence[Expression],
    variables: frozenset[Index],
    bindings: Bindings | None = None,
    used: tuple[int, ...] = (),
) -> Iterator[tuple[Bindings, tuple[int, ...]]]:
    """For each pattern, one of whose forms is to be found, a factor of its own, and the places of these."""
    if not patterns:
        yield bindings or {}, used
        return
    for (place, factor), pattern in product(enumerate(factors), patterns[0]):
        if place not in used:
            for extended in match(pattern, factor, variables, bindings):
                yield from factors_matched(patterns[1:], factors, variables, extended, (*used, place))
