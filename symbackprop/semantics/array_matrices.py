"""Functions of a whole matrix, a matrix at each of many points."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.semantics import gaussian_elimination
from symbackprop.semantics.array_numbers import ArrayNumbers

Array: TypeAlias = NDArray[Any]


def matrix_values(
    numbers: ArrayNumbers,
    kind: str,
    array: Array,
    batch: Sequence[Array],
    positions: Sequence[Array],
    count: int,
) -> Array:
    """An element of an inverse or a cofactor, the determinant or log|det| of a matrix a point, or nan.

    `batch` and `positions` hold a place for each of `count` points; each matrix is worked out once.
    """
    shape = array.shape[: len(batch)]
    flat = np.zeros(count, dtype=np.int64)
    if batch:
        flat = np.ravel_multi_index(tuple(batch), shape)
    matrices = array.reshape(prod(shape), *array.shape[len(batch) :])
    each, inverse = np.unique(flat, return_inverse=True)
    found = [_of_matrix(numbers, kind, numbers.entries(matrices[place])) for place in each]
    if positions:
        size = array.shape[-1]
        return numbers.result(
            np.array(found).reshape(len(each), size, size)[inverse, positions[0], positions[1]]
        )
    return numbers.result(np.array(found)[inverse] if found else np.zeros(count))


def _of_matrix(numbers: ArrayNumbers, kind: str, rows: list[list[Any]]) -> Any:
    if kind == "inv":
        return gaussian_elimination.inverse(rows)
    if kind == "cofactor":
        return gaussian_elimination.cofactors(rows)
    determinant = gaussian_elimination.determinant(rows)
    if kind == "det":
        return determinant
    size = np.asarray(determinant if determinant.real > 0 else -determinant)
    with np.errstate(all="ignore"):
        return numbers.apply("log", [size])[()]
