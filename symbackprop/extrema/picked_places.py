"""Sums over what belongs to the place of a maximum, computed at that place alone: sparse, and never dense.

With p[n] = argmax(j, y[n,j]), which is computed once,

    sum(n, where(argmax(j, y[n,j]) == k, f[n,k,i], 0)) = sum(n, delta(p[n], k)*f[n,p[n],i])
    sum(k, where(argmax(j, y[n,j]) == k, f[n,k,i], 0)) = f[n,p[n],i]

The first is a scatter-add, the second a lookup.
"""

from __future__ import annotations

from collections import Counter as CountOf
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from symbackprop.indexing.counting import Counter
from symbackprop.notation.arithmetic import factors_of, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.schedule.occurrences import occurrence
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.system import Equation

Items = tuple[NamedEquation, ...]


@dataclass(frozen=True)
class Pick:
    """A sum whose body is 0 but where `index`, summed over or the result's, is the place of a maximum."""

    total: Reduction
    factor: Where
    place: Reduction
    index: Index

    def at(self, place: Element) -> Expression:
        """The sum, by a name for the place."""
        others = [each for each in factors_of(self.total.body) if each is not self.factor]
        moved = [substitute(each, {self.index: place}) for each in (*others, self.factor.chosen)]
        if self.index not in self.total.indices:
            return self.total.with_children((multiply(Delta(place, self.index), *moved),))
        left = tuple(index for index in self.total.indices if index != self.index)
        return Reduction("sum", left, multiply(*moved)) if left else multiply(*moved)

    def fits(self, result: Collection[Index]) -> bool:
        """Whether the sum is a scatter-add over an index of the result, or a lookup of what depends on it."""
        free, own = self.place.free_indices, self.place.indices
        scatters = self.index in result and bool(free) and free <= set(self.total.indices)
        read = self.index in self.factor.chosen.free_indices
        looks_up = read and self.index in self.total.indices and self.index not in free
        return len(own) == 1 and own[0].axis == self.index.axis and (scatters or looks_up)


def with_places_of_maxima(items: Sequence[NamedEquation], taken: Collection[str]) -> Items:
    """The equations, such sums by names of places, and an equation for each place before its first reader.

    A place that several masks compare with an index is computed once, too. New names are none of those that
    are `taken`. What recurs stays as it is.
    """
    loop_carried = loop_carried_tensors([item.equation for item in items])
    places = [
        () if item.equation.tensor in loop_carried else tuple(_places(item.equation.expression))
        for item in items
    ]
    counts = CountOf(occurrence(place)[0] for own in places for place, _ in own)
    names: dict[Expression, str] = {}
    found: list[NamedEquation] = []
    for item, own in zip(items, places, strict=True):
        for place, pick in own:
            key, indices = occurrence(place)
            picked = pick is not None and pick.fits(item.equation.indices)
            if not (picked or key in names or counts[key] > 1):
                continue
            if key not in names:
                names[key] = numbered_name(f"{item.equation.tensor}_place", {*taken, *names.values()})
                found.append(item.temporary(Part.SUBEXPRESSION, Equation(names[key], indices, place)))
            named = Element(names[key], indices)
            before, after = (pick.total, pick.at(named)) if picked and pick is not None else (place, named)
            item = item.computing(_replaced(item.equation.expression, before, after))
        found.append(item)
    return tuple(found)


def _replaced(expression: Expression, before: Expression, after: Expression) -> Expression:
    return rewrite_bottom_up(expression, lambda node: after if node == before else node)


def _places(expression: Expression) -> Iterator[tuple[Reduction, Pick | None]]:
    """The places of maxima that masks compare with an index, and the sum that a mask is a factor of."""
    for node in _parts(expression):
        is_sum = isinstance(node, Reduction) and node.kind == "sum"
        total = node if isinstance(node, Reduction) and is_sum else None
        for factor in factors_of(node if total is None else total.body):
            if isinstance(factor, Where) and factor.otherwise == ZERO:
                for place, index in _compared(factor.condition):
                    yield place, None if total is None else Pick(total, factor, place, index)


def _parts(expression: Expression) -> Iterator[Expression]:
    """What is added, multiplied and divided by, and the sums within sums."""
    match expression:
        case Add() | Multiply():
            yield from (part for child in expression.children for part in _parts(child))
        case Power(base, _):
            yield from _parts(base)
        case Reduction("sum", _, body):
            yield expression
            yield from (part for part in _parts(body) if isinstance(part, Reduction))
        case _:
            yield expression


def _compared(condition: Expression) -> Iterator[tuple[Reduction, Index]]:
    """The place of a maximum and the index that a condition compares, in either order."""
    if isinstance(condition, Comparison) and condition.operator == "==":
        for place, index in ((condition.left, condition.right), (condition.right, condition.left)):
            is_place = isinstance(place, Reduction) and place.kind == "argmax"
            if is_place and isinstance(index, Index) and not isinstance(index, Counter):
                assert isinstance(place, Reduction)
                yield place, index
