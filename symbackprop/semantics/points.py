"""Points: a position for each free index, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.notation.expressions import Expression, Index

Array: TypeAlias = NDArray[Any]
MOST_DIMENSIONS = 24  # NumPy has no more than 32, before its second version


@dataclass(frozen=True)
class Points:
    """Points in row-major order over `shape`.

    `places` holds the positions of each index, as an array with as many dimensions that is broadcast to that
    shape: a sum over further indices repeats no position of those outside.
    """

    shape: tuple[int, ...]
    places: Mapping[Index, Array]

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return prod(self.shape)

    def positions(self, index: Index) -> Array:
        """The position of an index at each point."""
        return self.flat(self.places[index])

    def flat(self, found: Array) -> Array:
        """What is broadcast to the shape, one number for each point, or the number of a single one."""
        whole = found if np.shape(found) == self.shape else np.broadcast_to(found, self.shape)
        return np.reshape(whole, self.count)

    def of(self, free: Iterable[Index]) -> Points:
        """The positions of these indices that occur together, each once: fewer, where others vary beside."""
        places = {index: self.places[index] for index in free}
        standing = (1,) * len(self.shape)
        return Points(np.broadcast_shapes(standing, *(each.shape for each in places.values())), places)

    def where(self, mask: Array, free: Iterable[Index]) -> Points:
        """Those that a mask, or an array of their numbers, selects, as far as these indices go."""
        chosen = np.flatnonzero(mask) if mask.dtype == bool else mask
        return Points((len(chosen),), {index: self.positions(index).take(chosen) for index in free})

    def where_all(
        self, conditions: Iterable[Expression], holds: Callable[[Any, Points], Array]
    ) -> Array | None:
        """The numbers of those where all conditions hold, each asked where those before do; None for all."""
        left: Array | None = None
        for condition in conditions:
            free = condition.free_indices
            inside = self.of(free) if left is None else self.where(left, free)
            found = holds(condition, inside)
            if not found.all():
                whole = self.flat(found.reshape(inside.shape)) if left is None else found
                left = np.flatnonzero(whole) if left is None else left[whole]
        return left

    def between(self, start: int, stop: int, free: Iterable[Index]) -> Points:
        """Those of these numbers, as far as these indices go."""
        if stop - start == self.count:
            return Points(self.shape, {index: self.places[index] for index in free})
        return Points((stop - start,), {index: self.positions(index)[start:stop] for index in free})

    def along(self, indices: Sequence[Index], shape: tuple[int, ...]) -> Points:
        """Each point at all positions of further indices, over axes of this shape, in row-major order."""
        if not indices:
            return self
        if len(self.shape) + len(shape) > MOST_DIMENSIONS:
            merged = Points((self.count,), {index: self.positions(index) for index in self.places})
            return merged.along(indices, shape)
        further = (1,) * len(shape)
        places = {index: own.reshape(own.shape + further) for index, own in self.places.items()}
        places.update(_open_grid(indices, shape, len(self.shape)))
        return Points(self.shape + shape, places)

    def each(self, found: Array) -> Array:
        """A value that is the same at all points, or one for each, as one for each."""
        return found if found.shape == (self.count,) else np.broadcast_to(found, (self.count,))


def grid(indices: tuple[Index, ...], sizes: Mapping[str, int], at: Mapping[Index, int]) -> Points:
    """All positions of `indices`, in row-major order; those in `at` stand still."""
    shape = tuple(sizes[index.axis.name] for index in indices)
    standing = {index: np.full((1,) * len(shape), place) for index, place in at.items()}
    return Points(shape, {**standing, **_open_grid(indices, shape, 0)})


def _open_grid(indices: Sequence[Index], shape: tuple[int, ...], before: int) -> dict[Index, Array]:
    """The positions of each index along a dimension of its own, behind as many others as come `before`."""
    count = before + len(shape)
    return {
        index: np.arange(size).reshape((1,) * place + (size,) + (1,) * (count - place - 1))
        for place, (index, size) in enumerate(zip(indices, shape, strict=True), before)
    }
