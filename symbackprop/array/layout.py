"""Layouts: what each axis of an array runs over."""

from __future__ import annotations

from typing import TypeAlias

from symbackprop.notation.expressions import Axis, Index

# `(b,)` is index b, `()` an axis of length one, `(n, t)` two indices merged into one axis, the last fastest.
Group: TypeAlias = tuple[Index, ...]
Layout: TypeAlias = tuple[Group, ...]


def axes_of_layout(layout: Layout) -> tuple[Axis, ...]:
    """The axes that a layout's indices run over, in order."""
    return tuple(index.axis for index in indices_of(layout))


def indices_of(layout: Layout) -> tuple[Index, ...]:
    """The indices of a layout, outermost first, groups flattened."""
    return tuple(index for group in layout for index in group)


def layout_of(indices: tuple[Index, ...]) -> Layout:
    """One axis for each index."""
    return tuple((index,) for index in indices)


def is_nameable(layout: Layout) -> bool:
    """Whether a name can stand for an array: one axis an index, and the indices differ."""
    indices = indices_of(layout)
    return all(len(group) == 1 for group in layout) and len(set(indices)) == len(indices)


def layout_text(layout: Layout) -> str:
    """`[b,n*t,1]`, for messages."""
    return "[" + ",".join("*".join(index.name for index in group) or "1" for group in layout) + "]"
