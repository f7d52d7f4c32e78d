"""Positions that deltas tie: beside delta(p,q), f[p] is f[q]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from symbackprop.integers.bounds import conjuncts
from symbackprop.notation.expressions import Comparison, Delta, Element, Expression, Index
from symbackprop.notation.substitution import substitute

Deltas: TypeAlias = tuple[Delta, ...]


def deltas_of(condition: Expression) -> Iterator[Delta]:
    """The deltas that are 1 where a condition holds."""
    for part in conjuncts(condition):
        match part:
            case Comparison("==", left, right):
                yield Delta(left, right)


def tied_by(node: Expression, deltas: Deltas) -> Iterator[Expression]:
    """The node at the other position of each delta."""
    for delta in deltas:
        for index, place in ((delta.left, delta.right), (delta.right, delta.left)):
            if isinstance(index, Index):
                yield substitute(node, {index: place})


def is_tied(node: Expression, element: Expression, delta: Delta) -> bool:
    """Whether it is the element, read at the other position of a delta."""
    if not (isinstance(node, Element) and isinstance(element, Element)) or node.tensor != element.tensor:
        return False
    there = tuple(delta.right if each == delta.left else each for each in node.positions)
    back = tuple(delta.left if each == delta.right else each for each in node.positions)
    return element.positions in (there, back)
