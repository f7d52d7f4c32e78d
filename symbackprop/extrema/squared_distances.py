"""sum(i, (rows[k,i] - points[n,i])^2): the squared distances of points to all rows of a matrix."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.notation.arithmetic import coefficient_and_rest, terms_of
from symbackprop.notation.expressions import Element, Expression, Index, Number, Power, Reduction
from symbackprop.notation.substitution import rename_bound

_TWO = Number(Fraction(2))


@dataclass(frozen=True)
class SquaredDistances:
    """The two elements whose squared `difference` is summed over `inner`; `row` is the first one's alone."""

    total: Expression
    difference: Expression
    rows: Element
    points: Element
    row: Index
    inner: Index

    @property
    def others(self) -> tuple[Index, ...]:
        """The indices that count the points, in the order of their axes."""
        return tuple(each for each in _indices(self.points) if each != self.inner)


def squared_distances(total: Expression, row: Index) -> SquaredDistances | None:
    """The sum as the distances to the rows of a matrix that `row` counts; None where it is none."""
    match total:
        case Reduction("sum", (_,), Power(_, exponent)) if exponent == _TWO:
            total = rename_bound(total, (row,))
            (inner,), (difference, _) = total.indices, total.body.children
        case _:
            return None
    terms = [coefficient_and_rest(term) for term in terms_of(difference)]
    elements = [rest[0] for _, rest in terms if len(rest) == 1 and isinstance(rest[0], Element)]
    if sorted(number for number, _ in terms) != [-1, 1] or len(elements) != 2:
        return None
    for rows, points in (elements, elements[::-1]):
        apart = _counted(rows, {row, inner}) and set(_indices(rows)) == {row, inner}
        of_points = _counted(points, {inner}) and row not in _indices(points)
        if apart and of_points and len(points.positions) > 1:
            return SquaredDistances(total, difference, rows, points, row, inner)
    return None


def nearest_row(place: Expression) -> SquaredDistances | None:
    """The distances of which argmax(k, -sum(i, (rows[k,i] - points[n,i])^2)) finds the least; or None."""
    match place:
        case Reduction("argmax", (row,), body):
            number, rest = coefficient_and_rest(body)
            return squared_distances(rest[0], row) if number < 0 and len(rest) == 1 else None
    return None


def _counted(element: Element, needed: Collection[Index]) -> bool:
    """Whether an element is read at indices that differ, these among them."""
    indices = _indices(element)
    return len(set(indices)) == len(element.positions) and set(needed) <= set(indices)


def _indices(element: Element) -> tuple[Index, ...]:
    return tuple(each for each in element.positions if isinstance(each, Index))
