"""Cofactors of matrices that may be singular, by the singular value decomposition.

A = U S V' has the cofactors det(U V') U C V', where the diagonal C holds for each singular value the product
of the others: G. W. Stewart, On the adjugate matrix, Linear Algebra and its Applications 283 (1998), 151-164.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def cofactors(matrices: NDArray[Any]) -> NDArray[Any]:
    """The signed minors of the matrices that the last two axes hold, in the same places."""
    left, values, right = np.linalg.svd(matrices)
    diagonal = np.eye(values.shape[-1], dtype=bool)
    others = np.prod(np.where(diagonal, 1, values[..., None, :]), axis=-1)
    sign = np.sign(np.linalg.det(left) * np.linalg.det(right))
    result: NDArray[Any] = sign[..., None, None] * (left * others[..., None, :]) @ right
    return result
