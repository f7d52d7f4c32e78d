"""When a result is the expected one; with NumPy alone, for the process that runs a stranger's code."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.numerics.tolerance import largest_of

Array: TypeAlias = NDArray[Any]

RIGHT, SCALED = 2, 1
OF_TENSOR, OF_ALL = 1e-8, 1e-11  # of the tensor's largest number, and of the largest in sight


def error_of(found: Any, expected: Array, largest: float) -> float:
    """The largest difference, beside the largest expected number; infinite for another shape or nan."""
    try:
        array = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        return np.inf
    if array.shape != expected.shape or not np.all(np.isfinite(array)):
        return np.inf
    scale = largest_of([expected]) + OF_ALL / OF_TENSOR * largest
    difference = largest_of([array - expected])
    return difference / scale if scale else (0.0 if difference == 0 else np.inf)


def agrees(found: Any, expected: Array, largest: float) -> bool:
    """Whether an array has the expected shape and, up to `OF_TENSOR`, values."""
    return error_of(found, expected, largest) <= OF_TENSOR


def has_numbers_of(found: Array, known: Array) -> bool:
    """Whether an array holds the numbers of another: transposed, or heads of an axis in an axis of their own.

    Whole numbers tell nothing: counts come out as labels by chance.
    """
    if found.dtype.kind != "f" or found.size != known.size or not np.any(known != np.round(known)):
        return False
    return agrees(np.sort(found, axis=None), np.sort(known, axis=None), 0.0)


def grade_of(found: Any, expected: Array) -> int:
    """`RIGHT`, `SCALED` where it is a multiple of what is expected, or 0."""
    if agrees(found, expected, 0.0):
        return RIGHT
    if np.shape(found) != expected.shape or expected.size < 2:
        return 0
    square = float(np.sum(expected * expected))
    ratio = float(np.sum(found * expected)) / square if square else 0.0
    return SCALED if ratio and np.isfinite(ratio) and agrees(found, ratio * expected, 0.0) else 0


def shaped(found: Any, shape: tuple[int, ...]) -> Any:
    """The array in this shape where only axes of size 1 are in the way: a column or a row for a vector."""
    try:
        array = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        return found
    plain, wanted = ([size for size in each if size != 1] for each in (array.shape, shape))
    return array.reshape(shape) if plain == wanted else array
