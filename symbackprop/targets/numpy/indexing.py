"""Subscripts of arrays: positions and slices, the last positions counted from the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symbackprop.array.layout import Group
from symbackprop.array.slices import Item, Pick, Span, Whole
from symbackprop.array.value import Value
from symbackprop.array.views import counted_from_end
from symbackprop.targets.numpy.python_expressions import Piece, number, slice_of


def item_texts(
    items: Sequence[Item], piece: Callable[[Value], Piece], layout: Sequence[Group] = ()
) -> list[str]:
    """`:`, `t - 1`; axes at the end that are kept whole go without saying.

    `layout` is the array's, where it is known: then `:-1` for `: T - 1`.
    """
    groups = layout or [()] * len(items)
    kept = max((place for place, item in enumerate(items, 1) if not _is_whole(item)), default=0)
    return [_item(item, group, piece) for item, group in zip(items[:kept], groups[:kept], strict=True)]


def _is_whole(item: Item) -> bool:
    """Whether an item keeps all of an axis."""
    return isinstance(item, Whole) or (
        isinstance(item, Span) and (item.start, item.stop, item.step) == (None, None, 1)
    )


def _item(item: Item, group: Group, piece: Callable[[Value], Piece]) -> str:
    match item:
        case Pick(place):
            return _place(place, group, piece).text
        case Span(_, start, stop, step):
            first, last = (None if end is None else _place(end, group, piece) for end in (start, stop))
            return slice_of(first, last, step)
    return ":"


def _place(place: Value, group: Group, piece: Callable[[Value], Piece]) -> Piece:
    """A place; `-1` for the size of the axis less 1."""
    back = counted_from_end(place, group)
    return piece(place) if back is None else number(-back)
