"""Products that divide by exponentials which all underflow: softmax(k, u[k]) where u[k] = -1e9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.notation.expressions import Expression, Multiply
from symbackprop.systems.shifted_exponentials import shifted_exponentials

Array: TypeAlias = NDArray[Any]


def without_underflow(
    node: Multiply, product: Callable[[], Array], value: Callable[[Expression], Array]
) -> Array:
    """The product in float64; at points where its exponentials vanish, by those with shifted exponents.

    `value` gives that of other expressions at the same points. A FloatingPointError is raised where that does
    not help.
    """
    refused: FloatingPointError | None = None
    try:
        found = product()
    except FloatingPointError as error:
        found, refused = np.array(np.nan), error
    if np.isnan(found).any():
        for each in shifted_exponentials(node):
            vanishes = value(each.total) == 0
            if vanishes.any():
                shifted = value(each.product)
                found = np.where(vanishes, shifted, found) if refused is None else shifted
        if refused is not None and np.isnan(found).any():
            raise refused
    return found
