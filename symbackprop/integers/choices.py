"""Positions between which real numbers choose: C[where(w[n] > 0, ids[n], 1)] is read at ids[n] or at 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from itertools import product

from symbackprop.integers.recognition import compares_integers
from symbackprop.notation.expressions import Expression, Reduction, Where

MOST_CHOICES = 64  # of real numbers in one position


def is_certain(condition: Expression, integers: Collection[str]) -> bool:
    """Whether no real number decides a condition; `integers` are the tensors that hold none."""
    return not condition.tensors or compares_integers(condition, integers)


def choices_in(position: Expression, decides: Callable[[Expression], bool]) -> tuple[Expression, ...]:
    """The position for each choice that real numbers make in it; as it stands, where these are too many.

    `decides` says of a condition that integers decide it. What real numbers count is no choice.
    """
    if isinstance(position, Reduction) or not any(isinstance(node, Where) for node in position.walk()):
        return (position,)
    if isinstance(position, Where) and not decides(position.condition):
        return (*choices_in(position.chosen, decides), *choices_in(position.otherwise, decides))
    choices = [choices_in(part, decides) for part in position.children]
    if math.prod(map(len, choices)) > MOST_CHOICES:
        return (position,)
    return tuple([position.with_children(each) for each in product(*choices)])
