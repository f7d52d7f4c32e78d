"""prod, max, min and argmax over indices; a sum is a contraction, or one of the loops."""

from __future__ import annotations

from symbackprop.array.ir import AxisSize, Reduce
from symbackprop.array.lookups import Nearest, Scan
from symbackprop.array.value import Value
from symbackprop.array.views import as_number, as_real, filled, grouped, operate, ordered
from symbackprop.array.whole_numbers import Lowering
from symbackprop.extrema.squared_distances import SquaredDistances, nearest_row
from symbackprop.indexing.running import Accumulation, accumulation
from symbackprop.lowering.products import Factor
from symbackprop.lowering.scattering import extremum_by_place, scatter_value, scattered, scattered_apart
from symbackprop.lowering.summed_products import contraction
from symbackprop.notation.expressions import Index, Reduction
from symbackprop.notation.substitution import rename_bound
from symbackprop.schedule.terms import Indices, natural_order


def extremum_or_product(reduction: Reduction, order: Indices, lowering: Lowering) -> Value:
    """A reduction that is no sum, its axes in the given order.

    An index that the body lacks changes no extremum, and makes a power of a product.
    """
    afresh = rename_bound(reduction, order)
    by_place = extremum_by_place(afresh, order, lowering)
    if by_place is not None:
        return by_place
    distances = nearest_row(afresh)
    if distances is not None:
        return ordered(_nearest(distances, order, lowering), order)
    running = accumulation(afresh)
    if running is not None:
        return _accumulated(afresh, running, order, lowering)
    body, kind = afresh.body, afresh.kind
    value = as_number(lowering.value(body, natural_order(body, (*order, *afresh.indices))))
    places = tuple(value.indices.index(index) for index in afresh.indices if index in value.indices)
    missing = [index for index in afresh.indices if index not in value.indices]
    if kind == "argmax":
        return ordered(_argmax(afresh.indices, value), order)
    if kind == "prod":
        for index in missing:
            value = operate("power", value, AxisSize(index.axis))
    reduced = Reduce(as_real(value), kind, places) if places else value
    return ordered(reduced, order)


def _nearest(distances: SquaredDistances, order: Indices, lowering: Lowering) -> Value:
    """The first row of those nearest to each point."""
    counted = tuple(each for each in order if each in distances.others)
    points = lowering.value(distances.points, (*counted, distances.inner))
    return Nearest(points, lowering.value(distances.rows, (distances.row, distances.inner)))


def _argmax(over: tuple[Index, ...], value: Value) -> Value:
    """The first position of the maximum, several indices counted through in row-major order."""
    value = filled(value, (*value.indices, *(index for index in over if index not in value.indices)))
    kept = tuple(index for index in value.indices if index not in over)
    merged = grouped(as_real(value), (*((index,) for index in kept), over))
    return Reduce(merged, "argmax", (len(kept),))


def summed_in_one_pass(reduction: Reduction, order: Indices, lowering: Lowering) -> Value | None:
    """The sum accumulated along an axis, or scattered to the places of its rows; None for any other."""
    running = accumulation(reduction)
    if running is not None and running.ends.index in order:
        return _accumulated(reduction, running, order, lowering)
    scatter = scattered(reduction, order)
    if scatter is not None:
        return scatter_value(scatter, order, lowering)
    several = scattered_apart(reduction, order)
    return None if several is None else lowering.value(several, order)


def _accumulated(reduction: Reduction, found: Accumulation, order: Indices, lowering: Lowering) -> Value:
    """The array of all sums, or products: what is summed within first, then accumulated."""
    ends, bound = found.ends, [each for each in reduction.indices if each != found.ends.along]
    late = tuple(each for each in bound if any(each in other.free_indices for other in found.beside))
    inner = tuple(each for each in bound if each not in late)
    numbers = Reduction(reduction.kind, inner, found.numbers) if inner else found.numbers
    everything = (*order, *late)
    own = tuple(ends.along if each == ends.index else each for each in everything)
    values = as_real(as_number(lowering.value(numbers, own)))
    place = values.indices.index(ends.along)
    scan = Scan(values, reduction.kind, place, ends.own, ends.reverse, ends.index)
    if not found.beside:
        return ordered(scan, order)
    beside = [lowering.value(each, natural_order(each, everything)) for each in found.beside]
    return contraction([Factor(each) for each in (scan, *map(as_number, beside))], late, order).resolved()
