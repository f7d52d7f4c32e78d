"""Least squared distances by the nearest row: it is found first, and its distance alone is computed.

With p[n] = argmax(k, -sum(i, (c[k,i] - x[n,i])^2)), which takes products of two matrices,

    min(k, sum(i, (c[k,i] - x[n,i])^2)) = sum(i, (c[p[n],i] - x[n,i])^2)

so that no array has all of k, i and n.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from symbackprop.extrema.squared_distances import SquaredDistances, squared_distances
from symbackprop.notation.arithmetic import coefficient_and_rest, multiply, negate
from symbackprop.notation.expressions import (
    Add,
    Element,
    Expression,
    Number,
    Power,
    Reduction,
    ReductionKind,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.schedule.named_equations import NamedEquation, Part, items_in_reading_order
from symbackprop.schedule.occurrences import occurrence
from symbackprop.schedule.terms import Indices
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.system import Equation

Items: TypeAlias = tuple[NamedEquation, ...]


def with_nearest_rows(items: Sequence[NamedEquation], ends: Collection[str], taken: Collection[str]) -> Items:
    """The equations, least distances by the places of nearest rows.

    Distances that others read as well, or that are among `ends`, stay as they are, and so does what recurs.
    New names are none of those that are `taken`.
    """
    by_name = {item.equation.tensor: item for item in items}
    loop_carried = loop_carried_tensors([item.equation for item in items])
    inner = {name for name, item in by_name.items() if item.origin.part is Part.SUBEXPRESSION} - {*ends}
    named = {name: by_name[name].equation for name in inner - {*loop_carried}}
    reading = _Reading({name: equation for name, equation in named.items() if _is_difference(equation)})
    reading = replace(reading, totals=_only_selected(items, named, reading))
    rewriting = _Rewriting(reading, {*taken, *by_name})
    changed = [
        each
        for item in items
        for each in ([item] if item.equation.tensor in loop_carried else rewriting.lines(item))
    ]
    if not rewriting.known:
        return tuple(items)
    while True:
        read = {name for item in changed for name in item.equation.reads}
        kept = [item for item in changed if item.equation.tensor in read or item.equation.tensor not in inner]
        if len(kept) == len(changed):
            return items_in_reading_order(kept)
        changed = kept


def _is_difference(equation: Equation) -> bool:
    return isinstance(equation.expression, Add) and len(equation.expression.terms) == 2


@dataclass(frozen=True)
class _Selection:
    """Which row is the nearest, or how far it is times a number: `argmax` or `min`."""

    kind: ReductionKind
    number: Fraction
    distances: SquaredDistances


@dataclass(frozen=True)
class _Reading:
    """Reads selections where differences, and distances that are read for the least alone, have names."""

    differences: Mapping[str, Equation]
    totals: Mapping[str, Equation] = field(default_factory=dict)

    def selection(self, node: Expression) -> _Selection | None:
        """The node as a selection of the least; None where it is none."""
        if not isinstance(node, Reduction) or node.kind not in ("min", "argmax") or len(node.indices) > 1:
            return None
        number, rest = coefficient_and_rest(node.body)
        least = number > 0 if node.kind == "min" else number < 0
        if not least or len(rest) != 1:
            return None
        distances = squared_distances(self.opened(rest[0]), node.indices[0])
        return None if distances is None else _Selection(node.kind, number, distances)

    def opened(self, expression: Expression) -> Expression:
        """The expression without these names."""
        return rewrite_bottom_up(expression, self._opened)

    def _opened(self, node: Expression) -> Expression:
        if not isinstance(node, Element):
            return node
        equation = self.differences.get(node.tensor) or self.totals.get(node.tensor)
        if equation is None:
            return node
        named = dict(zip(equation.indices, node.positions, strict=True))
        return self.opened(substitute(equation.expression, named))


def _only_selected(
    items: Sequence[NamedEquation], named: Mapping[str, Equation], reading: _Reading
) -> dict[str, Equation]:
    """The equations of squared distances that are read for the least of them alone, by name."""
    nodes = [node for item in items for node in item.equation.expression.walk()]
    found: dict[str, Equation] = {}
    for name, equation in named.items():
        if isinstance(equation.expression, Reduction):
            opening = replace(reading, totals={name: equation})
            around = [node for node in nodes if isinstance(node, Reduction) and name in node.body.tensors]
            selected = [node for node in around if opening.selection(node) is not None]
            reads = sum(isinstance(node, Element) and node.tensor == name for node in nodes)
            if reads == len(selected) > 0:
                found[name] = equation
    return found


@dataclass(frozen=True)
class _Nearest:
    """The equations of a place, of the differences from the row there, and of the least distance."""

    place: Equation
    difference: Equation
    least: Equation


@dataclass
class _Rewriting:
    """Rewrites equations by nearest rows; `renamed` has the places that had names before."""

    reading: _Reading
    taken: set[str]
    known: dict[Expression, _Nearest] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    def lines(self, item: NamedEquation) -> Iterator[NamedEquation]:
        """The equation, behind those that it is the first to read; none for what is a place itself."""
        name, expression = item.equation.tensor, item.equation.expression
        before = len(self.known)
        changed = rewrite_bottom_up(expression, lambda node: self._changed(node, name))
        for new in [*self.known.values()][before:]:
            for equation in (new.place, new.difference, new.least):
                yield item.temporary(Part.SUBEXPRESSION, equation, item.guarded)
        if item.origin.part is Part.SUBEXPRESSION and isinstance(changed, Element) and changed != expression:
            self.renamed[name] = changed.tensor
        else:
            yield item if changed == expression else item.computing(changed)

    def _changed(self, node: Expression, reader: str) -> Expression:
        if isinstance(node, Element):
            return self._renamed(node)
        selection = self.reading.selection(node)
        return node if selection is None else self._selected(selection, reader)

    def _renamed(self, element: Element) -> Expression:
        """A place by its new name; a difference at the place of a nearest row by the name that has it."""
        if element.tensor in self.renamed:
            return Element(self.renamed[element.tensor], element.positions)
        places = [each for each in element.positions if isinstance(each, Element)]
        for place, nearest in product(places, self.known.values()):
            counted = [*place.positions, *(each for each in element.positions if each is not place)]
            indices, own = list(dict.fromkeys(counted)), nearest.difference.indices
            if place.tensor == nearest.place.tensor and len(indices) == len(own):
                same = substitute(nearest.difference.expression, dict(zip(own, indices, strict=True)))
                if same == self.reading.opened(element):
                    return Element(nearest.difference.tensor, tuple(indices))
        return element

    def _selected(self, selection: _Selection, reader: str) -> Expression:
        distances = selection.distances
        place = Reduction("argmax", (distances.row,), negate(distances.total))
        key, indices = occurrence(place)
        if key not in self.known:
            self.known[key] = self._nearest(distances, place, indices, reader)
        nearest = self.known[key]
        if selection.kind == "argmax":
            return Element(nearest.place.tensor, indices)
        return multiply(Number(selection.number), Element(nearest.least.tensor, indices))

    def _nearest(
        self, distances: SquaredDistances, place: Reduction, indices: Indices, reader: str
    ) -> _Nearest:
        """The names that an equation is the first to need."""
        nearest, difference, least = (
            self._fresh(f"{reader}_{what}") for what in ("nearest", "difference", "least")
        )
        apart = substitute(distances.difference, {distances.row: Element(nearest, indices)})
        inner = (*indices, distances.inner)
        square = Power(Element(difference, inner), Number(Fraction(2)))
        return _Nearest(
            Equation(nearest, indices, place),
            Equation(difference, inner, apart),
            Equation(least, indices, Reduction("sum", (distances.inner,), square)),
        )

    def _fresh(self, stem: str) -> str:
        name = numbered_name(stem, self.taken)
        self.taken.add(name)
        return name
