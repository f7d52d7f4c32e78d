"""Points: a position for each free index, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.notation.expressions import Index

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Points:
    """`count` points; `positions` holds an array of that length for each index."""

    count: int
    positions: Mapping[Index, Array]

    def where(self, mask: Array, free: Iterable[Index]) -> Points:
        """Those that a mask, or an array of their numbers, selects, as far as these indices go."""
        chosen = np.flatnonzero(mask) if mask.dtype == bool else mask
        return Points(len(chosen), {index: self.positions[index].take(chosen) for index in free})

    def between(self, start: int, stop: int, free: Iterable[Index]) -> Points:
        """Those of these numbers, as far as these indices go."""
        return Points(stop - start, {index: self.positions[index][start:stop] for index in free})

    def along(self, indices: Sequence[Index], shape: tuple[int, ...]) -> Points:
        """Each point at all positions of further indices, over axes of this shape, in row-major order."""
        width = prod(shape)
        if not indices:
            return self
        positions = {index: np.repeat(own, width) for index, own in self.positions.items()}
        for index, own in zip(indices, _row_major(shape, width), strict=True):
            positions[index] = own if self.count == 1 else np.tile(own, self.count)
        return Points(self.count * width, positions)

    def each(self, found: Array) -> Array:
        """A value that is the same at all points, or one for each, as one for each."""
        return found if found.shape == (self.count,) else np.broadcast_to(found, (self.count,))


def grid(indices: tuple[Index, ...], sizes: Mapping[str, int], at: Mapping[Index, int]) -> Points:
    """All positions of `indices`, in row-major order; those in `at` stand still."""
    shape = tuple(sizes[index.axis.name] for index in indices)
    count = prod(shape)
    positions = {index: np.full(count, place) for index, place in at.items()}
    positions.update(zip(indices, _row_major(shape, count), strict=True))
    return Points(count, positions)


def _row_major(shape: tuple[int, ...], count: int) -> Sequence[Array]:
    """The position along each axis at all `count` places of this shape."""
    if len(shape) == 1:
        return (np.arange(count),)
    return list(np.indices(shape).reshape(len(shape), count))
