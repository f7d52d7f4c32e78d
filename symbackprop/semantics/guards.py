"""Conditions that hold wherever an evaluator stands: what it reads there need not be sound elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symbackprop.integers.bounds import conjuncts, negated
from symbackprop.notation.expressions import Expression, Index
from symbackprop.semantics.points import Points


@dataclass(frozen=True)
class Guards:
    """Those of the `where`s and conjunctions around an expression."""

    conditions: tuple[Expression, ...] = ()

    def under(self, condition: Expression, holds: bool) -> Guards:
        """With what holds besides where a condition does, or does not."""
        return Guards((*self.conditions, *conjuncts(condition if holds else negated(condition))))

    def outside(self, bound: Iterable[Index]) -> Guards:
        """Those that say nothing of indices which are bound anew."""
        inner = frozenset(bound)
        return Guards(tuple(each for each in self.conditions if inner.isdisjoint(each.free_indices)))

    def at(self, points: Points) -> tuple[Expression, ...]:
        """Those that can be worked out at these points."""
        return tuple(each for each in self.conditions if each.free_indices <= points.places.keys())


NO_GUARDS = Guards()
