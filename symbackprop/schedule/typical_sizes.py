"""Typical sizes: what an axis is taken to hold while its size is a symbol.

Costs compare forms of one result, so that only ratios matter. All axes without a declared size count as
equally long; a tie keeps the order in which the model writes its factors.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from symbackprop.notation.expressions import Index

TYPICAL_SIZE = 64
# A multiply-add inside a matrix product takes about this part of the time of one in an element-wise pass.
MATRIX_PRODUCT_DISCOUNT = 1 / 16


def typical_size(index: Index) -> int:
    """The declared size of the index's axis, or the typical one."""
    return TYPICAL_SIZE if index.axis.size is None else max(1, index.axis.size)


def typical_count(indices: Iterable[Index]) -> int:
    """How many elements an array over these indices typically has."""
    return prod(typical_size(index) for index in indices)
