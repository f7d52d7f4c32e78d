"""What an operation costs on one element, against an addition in a pass over memory."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.functions.record import FUNCTION_WEIGHT
from symbackprop.functions.table import ALL_FUNCTIONS

# A multiply-add inside a matrix product, which runs in the cache.
MATRIX_PRODUCT_WEIGHT = Fraction(1, 16)
ROOT_WEIGHT = 4
# Adding at a place that is looked up, against adding in order.
SCATTER_WEIGHT = 4
# Beyond the product that the divisor stands in.
DIVISION_WEIGHT = 1
# Times the cost, for an equation that is defined where what another divides by is 0.
MOST_FOR_A_DIVISION = 2
# Times the cost, for equations in which a value stands beside its mean.
MOST_FOR_A_MEAN = 2
# Times the cost, for an equation that does without a name which its like in other layers have.
MOST_FOR_A_NAME_OF_MANY = Fraction(2, 3)
# Of n^3 multiply-adds in a matrix product: LU and Cholesky take a third; singular values, ten inverses.
FACTORISATION_WEIGHT = Fraction(1, 3)
INVERSE_WEIGHT = Fraction(1)
COFACTOR_WEIGHT = Fraction(10)


def weight_of(function: str) -> int:
    """The weight of an element-wise function of the language, by its record."""
    return ALL_FUNCTIONS[function].weight


def power_weight(exponent: Fraction | None) -> int:
    """The weight of x^exponent without the division by x^n; None where the exponent is no number."""
    if exponent is None:
        return FUNCTION_WEIGHT
    size = abs(exponent)
    root = ROOT_WEIGHT if size.denominator > 1 else 0
    return root + max(0, int(size).bit_length() - 1)
