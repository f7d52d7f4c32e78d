"""Layouts: what each axis of an array runs over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class ShapeSource:
    """A tensor whose shape gives the sizes of some axes; None stands where a size is not needed."""

    tensor: str
    axes: tuple[Axis | None, ...]

    @property
    def given(self) -> int:
        """How many sizes the shape gives."""
        return sum(axis is not None for axis in self.axes)


def shape_sources(
    layouts: Mapping[str, Layout], axes: Iterable[Axis]
) -> tuple[tuple[ShapeSource, ...], tuple[Axis, ...]]:
    """Few arrays, those named first preferred, whose shapes give the sizes; and the axes that none has."""
    sources: list[ShapeSource] = []
    missing = tuple(axes)
    while missing:
        candidates = (_shape_source(name, layout, missing) for name, layout in layouts.items())
        best = max(candidates, key=lambda source: source.given, default=ShapeSource("", ()))
        if not best.given:
            break
        sources.append(best)
        missing = tuple(axis for axis in missing if axis not in best.axes)
    return tuple(sources), missing


def _shape_source(name: str, layout: Layout, missing: tuple[Axis, ...]) -> ShapeSource:
    own = [group[0].axis if len(group) == 1 else None for group in layout]
    axes = tuple(
        axis if axis in missing and axis not in own[:place] else None for place, axis in enumerate(own)
    )
    return ShapeSource(name, axes)
