"""When two arrays that should be the same are: up to the rounding of the terms that make their values up.

One notion for the verification of a module and for `check`. Two numbers agree within a part of the largest
entry of their tensor and a far smaller one of the largest number in sight. Where they do not, the equations
as typed and their chain rule before any simplification are evaluated again, each datum and each operation's
result off by `ROUNDINGS`, at random: how far a value moves with them is what the rounding of its terms
amounts to, also where these cancel. A gradient within that is honest; a wrong term is far outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

# Of the largest entry of the tensor, and of the largest number in sight.
OF_TENSOR, OF_ALL = 1e-9, 1e-12
ROUNDINGS = 1e-13  # a few hundred roundings of float64


def largest_of(arrays: Iterable[Array]) -> float:
    """The largest finite magnitude, 0 where there is none."""
    found = [np.abs(array[np.isfinite(array)]) for array in map(np.asarray, arrays)]
    return max((float(each.max(initial=0.0)) for each in found), default=0.0)


def all_finite(arrays: Iterable[Array]) -> bool:
    """Whether every number in these arrays is finite."""
    return all(bool(np.isfinite(array).all()) for array in arrays)


def unmoving(result: Any, gradients: Mapping[str, Any], values: Mapping[str, Any]) -> frozenset[str]:
    """The tensors that move a result by nothing, or by no more than rounding where all of it changes.

    Two values along an axis have the z-scores 1 and -1, whatever they are: nothing moves them.
    """
    largest = OF_TENSOR * largest_of([result])
    sizes = {name: largest_of([values.get(name, 1.0)]) for name in gradients}
    return frozenset(
        [name for name, each in gradients.items() if largest_of([each]) * sizes[name] <= largest]
    )


def agree(found: Any, expected: Array, largest: float, unsteady: float = 0.0) -> bool:
    """Whether an array of real numbers has the expected shape and, up to a tolerance, values.

    `largest` is the largest number in sight; `unsteady` is how far the expected values move where data
    and operations are off by a few hundred roundings: no program can be asked to come closer.
    """
    array = np.asarray(found)
    if array.shape != expected.shape or array.dtype.kind != "f":
        return False
    if not np.isfinite(array).all():
        return False
    allowed = OF_TENSOR * largest_of([expected]) + OF_ALL * largest + unsteady
    return bool((np.abs(array - expected) <= allowed).all())
