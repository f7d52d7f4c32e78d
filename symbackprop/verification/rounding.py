"""Data as other roundings would have left them: how far results move with them says what digits are worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]


def moved_by_rounding(
    values: Mapping[str, Array], amount: float, rng: np.random.Generator, still: Collection[str] = ()
) -> dict[str, Array]:
    """Each number greater or smaller by this relative amount; whole numbers and `still` tensors stay."""
    return {
        name: array
        if array.dtype.kind in "iu" or name in still
        else array + amount * np.abs(array) * rng.choice((-1.0, 1.0), array.shape)
        for name, array in values.items()
    }
