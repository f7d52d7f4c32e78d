"""What stands in brackets behind an array: places and spans, the last ones counted from the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symbackprop.array.ir import AxisSize, Elementwise, Literal
from symbackprop.array.layout import Group
from symbackprop.array.slices import Item, Pick, Span
from symbackprop.array.value import Value
from symbackprop.targets.numpy.python_expressions import Piece, slice_of


def item_texts(
    items: Sequence[Item], piece: Callable[[Value], Piece], layout: Sequence[Group] = ()
) -> list[str]:
    """`:`, `t - 1`; axes at the end that are kept whole go without saying.

    `layout` is the array's, where it is known: then `:-1` for `: T - 1`.
    """
    groups = layout or [()] * len(items)
    shown = [_item(item, group, piece) for item, group in zip(items, groups, strict=True)]
    while shown and shown[-1] == ":":
        shown.pop()
    return shown


def _item(item: Item, group: Group, piece: Callable[[Value], Piece]) -> str:
    match item:
        case Pick(place):
            return _from_end(place, group) or piece(place).text
        case Span(_, start, stop, step):
            first, last = (
                "" if end is None else _from_end(end, group) or piece(end).text for end in (start, stop)
            )
            return slice_of(first, last, str(step) if step > 1 else "")
    return ":"


def _from_end(place: Value, group: Group) -> str:
    """`-1` for the size of the axis less 1; nothing for any other place."""
    match place:
        case Elementwise("subtract", (AxisSize(axis, False), Literal(int(back)))) if back > 0:
            return f"-{back}" if [index.axis for index in group] == [axis] else ""
    return ""
