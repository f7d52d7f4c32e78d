"""Windows that a sum of products contracts as they are: one large product, instead of one for each offset.

u[n,o,a] = sum(c, r, W[o,c,r]*x[n,c,a+r]) is a product of W, c and r one axis, and the windows of x (im2col),
whose copy is as many times as large as x as a window has places. Its adjoint,
delta_x[n,c,i] = sum(o, r, W[o,c,r]*pad(delta_u[n,o,i-r])), is a product of W and delta_u over n, c, r and a,
whose parts are added to the places i = a + r, one offset after another (col2im).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import prod

from symbackprop.indexing.counting import Counter, counter_of
from symbackprop.indexing.places import Affine, Window, affine, window_of
from symbackprop.indexing.windows import Stepped
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import add, factors_of
from symbackprop.notation.expressions import (
    ZERO,
    Axis,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Where,
)
from symbackprop.notation.substitution import fresh_index

# A kernel with more places is stepped through, so that the windows' copy stays small.
MOST_PLACES = 64


def is_contracted(
    way: Stepped, body: Expression, bound: Collection[Index], kernel_axes: Collection[Axis]
) -> bool:
    """Whether the body, summed over `bound`, is a matrix product of windows, whose offset a loop would step.

    One factor reads a tensor in windows; another has an index of its own, and does not have all of the first.
    """
    if way.way == "scatter" or way.solved is not None or way.index.axis not in kernel_axes or not bound:
        return False
    factors = factors_of(body)
    reading = [factor for factor in factors if _windows(factor, way.index)]
    if len(reading) != 1:
        return False
    (factor,) = reading
    places = prod(window.offset.axis.size or 1 for window in _windows(factor, way.index))
    others = frozenset().union(*(other.free_indices for other in factors if other is not factor))
    rows, columns = others - factor.free_indices, factor.free_indices - others
    return places <= MOST_PLACES and bool(rows - set(bound)) and bool(columns - set(bound))


def _windows(factor: Expression, offset: Index) -> list[Window]:
    """The windows in which a factor reads a tensor at this offset; none where a view does not read it."""
    element = factor.chosen if isinstance(factor, Where) and factor.otherwise == ZERO else factor
    if not isinstance(element, Element) or factor.free_indices != element.free_indices:
        return []
    found: list[Window] = []
    alone: list[Index] = []
    for position in element.positions:
        form = affine(position)
        window = None if form is None else window_of(form)
        if form is None or len(form.factors) > 1 + (window is not None):
            return []
        alone += form.indices
        found += [window] if window is not None else []
    is_read = offset in {window.offset for window in found} and len(set(alone)) == len(alone)
    return found if is_read and not any(isinstance(index, Counter) for index in alone) else []


def scattered(
    way: Stepped,
    body: Expression,
    bound: Collection[Index],
    result: Collection[Index],
    own: Mapping[str, tuple[Index, ...]],
) -> Stepped | None:
    """The way to scatter what a loop would add up; None where that is no part of one product of matrices.

    One factor is read at places that move down with the offset, and is 0 outside its axis: the product is
    over its own places, and those of the result are solved for.
    """
    if way.way != "add" or way.solved is not None:
        return None
    offset = way.index
    padded = [
        factor for factor in factors_of(body) if isinstance(factor, Where) and offset in factor.free_indices
    ]
    if len(padded) != 1 or not isinstance(padded[0].chosen, Element) or padded[0].otherwise != ZERO:
        return None
    element = padded[0].chosen
    others = [factor for factor in factors_of(body) if factor is not padded[0]]
    for place, index in enumerate(own[element.tensor]):
        form = affine(element.positions[place])
        solved = None if form is None or form.factor(offset) != -1 else _only_other(form, offset)
        if form is None or solved not in result or any(solved in other.free_indices for other in others):
            continue
        along = fresh_index(
            Index(index.axis.label, index.axis),
            {*bound, *result, *(node for node in body.walk() if isinstance(node, Index))},
        )
        start = linear_form(add(along, counter_of(offset))).plus(form.start, -1)
        positions = (*element.positions[:place], along, *element.positions[place + 1 :])
        product = Multiply((*others, Element(element.tensor, positions)))
        if is_stack_of_products(product, (offset,), bound):
            return Stepped("scatter", offset, solved, start.expression(), along)
    return None


def _only_other(form: Affine, offset: Index) -> Index | None:
    """The index beside the offset by which a position moves one on; None where there is none, or another."""
    others = [(index, factor) for index, factor in form.factors if index != offset]
    return others[0][0] if len(others) == 1 and others[0][1] == 1 else None


def is_stack_of_products(body: Expression, offsets: Collection[Index], bound: Collection[Index]) -> bool:
    """Whether the body, summed over `bound`, is a product of matrices, the offsets among the rows of one."""
    factors = factors_of(body)
    moving = [factor for factor in factors if factor.free_indices & set(offsets)]
    rows = frozenset().union(*(factor.free_indices for factor in moving))
    columns = frozenset().union(*(factor.free_indices for factor in factors if factor not in moving))
    places = prod(offset.axis.size or 1 for offset in offsets)
    small = places <= MOST_PLACES and all(isinstance(factor, Element | Number) for factor in factors)
    return small and bool(moving) and bool(rows & columns & set(bound)) and bool(columns - rows - set(bound))
