"""prod, max, min and argmax over indices; a sum is a contraction, or one of the loops."""

from __future__ import annotations

from symbackprop.array.ir import AxisSize, Reduce
from symbackprop.array.lookups import Nearest
from symbackprop.array.value import Value
from symbackprop.array.views import as_number, as_real, filled, grouped, operate, ordered
from symbackprop.array.whole_numbers import Lowering
from symbackprop.extrema.squared_distances import SquaredDistances, nearest_row
from symbackprop.lowering.scattering import extremum_by_place
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
