"""Inverse, cofactors and determinant by Gaussian elimination, in any numbers: floats, complex ones, mpmath's.

Rows are exchanged for the largest pivot. Nothing is compared but magnitudes, so that a complex step goes
through unharmed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

Matrix: TypeAlias = Sequence[Sequence[Any]]


def determinant(matrix: Matrix) -> Any:
    """The product of the pivots, negative after an odd number of exchanges; 1 for a matrix without rows."""
    return _eliminated(matrix, [[] for _ in matrix])[0]


def inverse(matrix: Matrix) -> list[list[Any]]:
    """The inverse, nan throughout where a pivot is exactly zero."""
    size = len(matrix)
    identity = [[1 if row == column else 0 for column in range(size)] for row in range(size)]
    product, found = _eliminated(matrix, identity)
    return found if product != 0 else [[math.nan] * size for _ in range(size)]


def cofactors(matrix: Matrix) -> list[list[Any]]:
    """The signed minors: (-1)^(i+j) times the determinant without row i and column j."""
    size = range(len(matrix))
    return [
        [(-1) ** (row + column) * determinant(_minor(matrix, row, column)) for column in size] for row in size
    ]


def _minor(matrix: Matrix, row: int, column: int) -> Matrix:
    others = (entries for place, entries in enumerate(matrix) if place != row)
    return [[entry for place, entry in enumerate(entries) if place != column] for entries in others]


def _eliminated(matrix: Matrix, beside: Matrix) -> tuple[Any, list[list[Any]]]:
    """Gauss-Jordan: the product of the pivots, and what `beside` becomes as the matrix becomes the identity.

    Where the product is 0, elimination has stopped half-way.
    """
    size = len(matrix)
    rows = [[*left, *right] for left, right in zip(matrix, beside, strict=True)]
    product: Any = 1
    for column in range(size):
        best = max(range(column, size), key=lambda row: abs(rows[row][column]))
        pivot = rows[best][column]
        if pivot == 0:
            return pivot, []
        if best != column:
            rows[best], rows[column] = rows[column], rows[best]
            product = -product
        product = product * pivot
        rows[column] = [entry / pivot for entry in rows[column]]
        for row in range(size):
            if row != column:
                times = rows[row][column]
                rows[row] = [
                    entry - times * above for entry, above in zip(rows[row], rows[column], strict=True)
                ]
    return product, [row[size:] for row in rows]
