"""Positions between which real numbers choose: C[where(w[n] > 0, ids[n], 1)] is read at ids[n] or at 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from itertools import product
from typing import NamedTuple

from symbackprop.integers.bounds import conjuncts, negated
from symbackprop.integers.recognition import compares_integers
from symbackprop.notation.expressions import Expression, Reduction, Where

MOST_CHOICES = 64  # of real numbers in one position


class Choice(NamedTuple):
    """A position that may be read, and what holds of integers where it is."""

    position: Expression
    conditions: tuple[Expression, ...] = ()


def is_certain(condition: Expression, integers: Collection[str]) -> bool:
    """Whether no real number decides a condition; `integers` are the tensors that hold none."""
    return not condition.tensors or compares_integers(condition, integers)


def choices_in(position: Expression, decides: Callable[[Expression], bool]) -> tuple[Choice, ...]:
    """The position for each choice that real numbers make in it; as it stands, where these are too many.

    `decides` says of a condition that integers decide it. What real numbers count is no choice.
    """
    if isinstance(position, Reduction) or not any(isinstance(node, Where) for node in position.walk()):
        return (Choice(position),)
    if isinstance(position, Where) and not decides(position.condition):
        fails = negated(position.condition)
        branches = ((negated(fails), position.chosen), (fails, position.otherwise))
        return tuple(
            Choice(each.position, (*filter(decides, conjuncts(condition)), *each.conditions))
            for condition, branch in branches
            for each in choices_in(branch, decides)
        )
    parts = [choices_in(part, decides) for part in position.children]
    if math.prod(map(len, parts)) > MOST_CHOICES:
        return (Choice(position),)
    return tuple(_together(position, each) for each in product(*parts))


def _together(position: Expression, parts: tuple[Choice, ...]) -> Choice:
    conditions = tuple(condition for part in parts for condition in part.conditions)
    return Choice(position.with_children(tuple(part.position for part in parts)), conditions)
