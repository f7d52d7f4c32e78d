"""Whether the numbers of a view lie side by side in memory, in the order of its axes."""

from __future__ import annotations

from collections.abc import Collection

from symbackprop.array.ir import Expand, Read
from symbackprop.array.layout import Layout, indices_of
from symbackprop.array.slices import Pick, Refold, Select, Span, Whole
from symbackprop.array.value import Value


def is_contiguous(value: Value, names: Collection[str]) -> bool:
    """Whether a view of arrays is certain to be in C order, where the arrays of these names are."""
    match value:
        case Read(name, _, _):
            return name in names
        case Expand(operand, _) | Refold(operand, _):
            return is_contiguous(operand, names)
        case Select(operand, items):
            first, *rest = items
            leading = isinstance(first, Pick | Whole) or (isinstance(first, Span) and first.step == 1)
            return leading and all(isinstance(item, Whole) for item in rest) and is_contiguous(operand, names)
    return False


def is_reshaped_in_place(value: Value, target: Layout, names: Collection[str]) -> bool:
    """Whether a reshape is certain to copy nothing: of what is contiguous, or where it merges no axes."""
    return is_contiguous(value, names) or _ends(value.layout) <= _ends(target)


def _ends(layout: Layout) -> set[int]:
    """After how many indices an axis of the array ends."""
    return {len(indices_of(layout[: place + 1])) for place, group in enumerate(layout) if group}
