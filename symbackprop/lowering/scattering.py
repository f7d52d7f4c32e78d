"""Sums with a delta between a place and an index of the result: scatter-adds.

grad_C[v,e] = sum(n, t, delta_y[n,t,e]*delta(ids[n,t], v))

The place is looked up, or reckoned: mod(7*ids[n] + 3, size(v)), i^2. One that moves evenly with an index is a
slice, and none of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbackprop.array.ir import Literal
from symbackprop.array.lookups import Clip, ScatterAdd, ScatterArgmax, ScatterExtremum
from symbackprop.array.value import Value
from symbackprop.array.views import as_number, as_real, elementwise, filled, ordered
from symbackprop.array.whole_numbers import Lowering, WholeNumbers, as_places
from symbackprop.indexing.counting import Counter, Extent, size_of
from symbackprop.indexing.places import affine
from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts, lower_bound
from symbackprop.integers.linear import linear_form
from symbackprop.integers.recognition import is_rounded_of_indices
from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, multiply, subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Axis,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import substitute

Indices = tuple[Index, ...]
Conditions = tuple[Expression, ...]


@dataclass(frozen=True)
class Scatter:
    """sum(along, rows*delta(place, index))*rest; the place depends on all of `along`, and on nothing else.

    Rows where the `bounds` do not hold belong to no place of the index.
    """

    place: Expression
    index: Index
    along: Indices
    rows: Expression
    rest: Expression

    def bounds(self, values: Mapping[str, Axis]) -> tuple[Expression, ...]:
        """The conditions that keep the place inside the index' axis; `values` are the axes integers index."""
        return bounds_of_place(self.place, self.index.axis, values)


def bounds_of_place(place: Expression, axis: Axis, values: Mapping[str, Axis]) -> tuple[Expression, ...]:
    """The conditions that keep a place inside an axis, but for those that are sure to hold."""
    if isinstance(place, Element) and values.get(place.tensor, axis) == axis and not isinstance(axis, Extent):
        return ()  # the values of an integer tensor lie inside the axis that they index
    bounds = (lower_bound(place), Comparison("<", place, size_of(axis)))
    known = Knowledge.of(bounds, ())
    return tuple(bound for bound in bounds if not known.proves(bound))


def scattered(reduction: Reduction, order: Indices) -> Scatter | None:
    """The sum as a scatter-add; None where it is none."""
    factors = factors_of(reduction.body)
    for number, factor in enumerate(factors):
        for place, index, kept in _placed(factor):
            others = (*factors[:number], *kept, *factors[number + 1 :])
            along = tuple(each for each in reduction.indices if each in place.free_indices)
            rest = [
                other
                for other in others
                if index in other.free_indices and other.free_indices.isdisjoint(reduction.indices)
            ]
            # A row that depends on the index, too, is read at its place: C[k,d] - x[n,d] at C[id[n],d].
            rows = [substitute(other, {index: place}) for other in others if other not in rest]
            if index in order and along and place.free_indices == set(along):
                inner = tuple(each for each in reduction.indices if each not in along)
                body = multiply(*rows)
                summed = Reduction("sum", inner, body) if inner else body
                return Scatter(place, index, along, summed, multiply(*rest))
    return None


def scattered_apart(reduction: Reduction, order: Indices) -> Expression | None:
    """sum(n, f*(delta(p[n], v) - delta(q[n], v))) as a sum of scatter-adds, where every term is one."""
    factors = factors_of(reduction.body)
    for number, factor in enumerate(factors):
        if isinstance(factor, Add):
            parts = [coefficient_and_rest(term) for term in factor.terms]
            sums = [
                reduction.with_children((multiply(*factors[:number], *rest, *factors[number + 1 :]),))
                for _, rest in parts
            ]
            if all(scattered(each, order) for each in sums):
                numbers = (Number(times) for times, _ in parts)
                return add(*(multiply(times, each) for times, each in zip(numbers, sums, strict=True)))
    return None


def _placed(factor: Expression) -> Iterator[tuple[Expression, Index, tuple[Expression, ...]]]:
    """(place, index, f) of delta(place, index)*f, which may be typed where(place == index, f, 0).

    A place that is one under a condition alone, floor(log(s - t)), is 0 elsewhere, and so is f.
    """
    match factor:
        case Delta():
            yield from ((place, index, ()) for place, index in _sides(factor))
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            for place, index, others in _compared(condition):
                kept = Where(conjunction(others), chosen, ZERO) if others else chosen
                yield place, index, factors_of(kept)
            factors = factors_of(chosen)
            for number, each in enumerate(factors):
                for place, index, others in _placed(each):
                    rest = multiply(*factors[:number], *others, *factors[number + 1 :])
                    yield Where(condition, place, ZERO), index, (Where(condition, rest, ZERO),)


def _compared(condition: Expression) -> Iterator[tuple[Expression, Index, Conditions]]:
    """(place, index, others) of place == index and others, where the place is looked up, or rounded."""
    parts = conjuncts(condition)
    for number, part in enumerate(parts):
        if isinstance(part, Comparison) and part.operator == "==":
            for place, index in _sides(part):
                is_looked_up = isinstance(place, Element) and place.values is not None
                if is_looked_up or is_rounded_of_indices(place):
                    yield place, index, (*parts[:number], *parts[number + 1 :])


def _sides(equated: Delta | Comparison) -> Iterator[tuple[Expression, Index]]:
    """(place, index) of a place equated with an index, which may be shifted: delta(ids[n], v + 1)."""
    for place, other in ((equated.left, equated.right), (equated.right, equated.left)):
        moved = affine(other)
        if affine(place) is not None or moved is None or len(moved.factors) != 1:
            continue
        (index,) = moved.indices
        if isinstance(index, Counter) or moved.factor(index) != 1:
            continue
        start = moved.start.expression()
        yield (place if other == index else linear_form(subtract(place, start)).expression()), index


def scatter_value(scatter: Scatter, order: Indices, lowering: Lowering) -> Value:
    """Dense factors contracted first, then added up where they belong; then what depends on the place."""
    own = (*scatter.along, *(index for index in order if index != scatter.index))
    bounds = scatter.bounds(lowering.values)
    places = ordered(WholeNumbers(own, lowering).value(scatter.place), own)
    kept = Where(conjunction(bounds), scatter.rows, ZERO) if bounds else scatter.rows
    rows = lowering.value(kept, own)
    target = tuple(index for index in own if index in (*scatter.along, *rows.indices))
    if bounds:
        places = Clip(places, scatter.index.axis)
    added = ScatterAdd(as_places(places), as_real(filled(as_number(rows), target)), scatter.index)
    if scatter.rest == ONE:
        return ordered(added, order)
    return elementwise("multiply", (added, lowering.value(scatter.rest, order)), order)


def extremum_by_place(reduction: Reduction, order: Indices, lowering: Lowering) -> Value | None:
    """max(n, where(places[n] == v, rows[n], number)), each row met at its place alone; None for any other."""
    sign, rest = coefficient_and_rest(reduction.body)
    masked = rest[0] if len(rest) == 1 else reduction.body
    is_place = reduction.kind == "argmax"
    if not isinstance(masked, Where) or not isinstance(masked.otherwise, Number):
        return None
    if (reduction.kind not in ("max", "min") or sign != 1) and not (is_place and len(reduction.indices) == 1):
        return None
    otherwise = Number(sign * masked.otherwise.value)
    for place, index, others in _compared(masked.condition):
        is_inside = not bounds_of_place(place, index.axis, lowering.values)
        if index in order and place.free_indices == {*reduction.indices} and is_inside:
            chosen = multiply(Number(sign), masked.chosen)
            own = Where(conjunction(others), chosen, otherwise) if others else chosen
            rows = substitute(own, {index: place})
            return _extremum(reduction, place, index, rows, otherwise, order, lowering)
    return None


def _extremum(
    reduction: Reduction,
    place: Expression,
    index: Index,
    rows: Expression,
    otherwise: Number,
    order: Indices,
    lowering: Lowering,
) -> Value:
    own = (*reduction.indices, *(each for each in order if each != index))
    places = as_places(ordered(WholeNumbers(own, lowering).value(place), own))
    values = as_number(lowering.value(rows, own))
    target = tuple(each for each in own if each in (*reduction.indices, *values.indices))
    kind = ScatterArgmax if reduction.kind == "argmax" else ScatterExtremum
    least = Literal(float(otherwise.value))
    return ordered(kind(reduction.kind, places, as_real(filled(values, target)), least, index), order)
