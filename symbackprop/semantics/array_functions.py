"""The language's functions on arrays of float64 or complex numbers; complex ones are decided by real parts.

A function whose record has no evaluation on arrays is taken number by number. Nothing here is shared with
what a generated module calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.functions.elementary import FUNCTIONS
from symbackprop.semantics import elimination

Array: TypeAlias = NDArray[Any]


_COMPARED: Mapping[str, Callable[[Array, Array], Array]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def values_of(function: str, arguments: Sequence[Array]) -> Array:
    """A function of the language, number by number."""
    record = FUNCTIONS[function]
    if record.on_arrays is not None:
        return np.asarray(record.on_arrays(np, *arguments))
    arrays = np.broadcast_arrays(*arguments)
    numbers = [
        record.evaluate(*place) for place in zip(*(array.ravel().tolist() for array in arrays), strict=True)
    ]
    return np.array(numbers, dtype=None if numbers else float).reshape(arrays[0].shape)


def power_values(base: Array, exponent: Array) -> Array:
    """base^exponent; of complex numbers by repeated multiplication where the exponent is a small integer."""
    if not np.iscomplexobj(base) and not np.iscomplexobj(exponent):
        return np.asarray(np.float_power(base, exponent))
    whole = exponent.ravel()[:1].real
    is_one = exponent.size > 0 and np.all(exponent == exponent.ravel()[0]) and whole == np.round(whole)
    if is_one and abs(whole) <= 64:
        product = np.ones_like(base)
        for _ in range(int(abs(whole[0]))):
            product = product * base
        return product if whole >= 0 else 1.0 / product
    return np.asarray(np.asarray(base, dtype=np.complex128) ** exponent)


def compared(operator: str, left: Array, right: Array) -> Array:
    """A comparison, complex numbers by their real parts."""
    return _COMPARED[operator](np.real(left), np.real(right))


def matrix_values(
    kind: str, array: Array, batch: Sequence[Array], positions: Sequence[Array], count: int
) -> Array:
    """An element of an inverse or a cofactor, the determinant or log|det| of a matrix a point, or nan.

    `batch` and `positions` hold a place for each of `count` points; each matrix is worked out once.
    """
    shape = array.shape[: len(batch)]
    flat = np.zeros(count, dtype=np.int64)
    if batch:
        flat = np.ravel_multi_index(tuple(batch), shape)
    matrices = array.reshape(math.prod(shape), *array.shape[len(batch) :])
    each, inverse = np.unique(flat, return_inverse=True)
    found = [_of_matrix(kind, matrices[place].tolist()) for place in each]
    if positions:
        size = array.shape[-1]
        return np.array(found).reshape(len(each), size, size)[inverse, positions[0], positions[1]]
    return np.array(found)[inverse] if found else np.zeros(count)


def _of_matrix(kind: str, rows: list[list[Any]]) -> Any:
    if kind == "inv":
        return elimination.inverse(rows)
    if kind == "cofactor":
        return elimination.cofactors(rows)
    determinant = elimination.determinant(rows)
    if kind == "det":
        return determinant
    with np.errstate(all="ignore"):
        return np.log(determinant if np.real(determinant) > 0 else -determinant)
