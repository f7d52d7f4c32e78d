"""Points: a position for each free index, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def grid(indices: tuple[Index, ...], sizes: Mapping[str, int], at: Mapping[Index, int]) -> Points:
    """All positions of `indices`, in row-major order; those in `at` stand still."""
    shape = tuple(sizes[index.axis.name] for index in indices)
    count = prod(shape)
    places = np.indices(shape).reshape(len(shape), count)
    positions = {index: np.full(count, place) for index, place in at.items()}
    positions.update(zip(indices, places, strict=True))
    return Points(count, positions)
