"""The digits to which numbers are shown: few enough for a slide, and none is 0 that is not."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

DECIMALS, DIGITS = 3, 3  # of numbers that are rounded, digits those of the largest in an array
ENDS_WITHIN, MOST_DECIMALS = 4, 6
NOTHING = 1e-12  # what rounding leaves of 0


def decimals_of(array: Array) -> int:
    """How many decimals an array is shown with, all its numbers alike.

    Those at which its numbers end, if all end soon; else three, or more where that is less than three digits
    of the largest, or nothing of the smallest.
    """
    numbers = np.asarray(array)
    sizes = [] if numbers.dtype.kind in "iub" else [float(each) for each in np.abs(numbers).flat]
    sizes = [each for each in sizes if NOTHING < each < math.inf]
    ends = [_end_of(each) for each in sizes]
    found = max((end for end in ends if end is not None), default=0)
    if None in ends:
        of_largest = DIGITS - 1 - math.floor(math.log10(max(sizes)))
        of_smallest = math.ceil(-math.log10(2 * min(sizes)))
        found = max(found, DECIMALS, min(max(of_largest, of_smallest), MOST_DECIMALS))
    return found


def _end_of(number: float) -> int | None:
    return next((decimals for decimals in range(ENDS_WITHIN + 1) if ends_at(number, decimals)), None)


def ends_at(number: float, decimals: int) -> bool:
    """Whether a number has no digits behind these decimals but for rounding."""
    return abs(number - round(number, decimals)) <= NOTHING * max(1.0, abs(number))


def digits(number: Any, decimals: int) -> str:
    """A number with these decimals; 0 with none, and what would read as 0 with its first digit."""
    if isinstance(number, np.integer | np.bool_ | int):
        return str(int(number))
    value = float(number)
    if abs(value) <= NOTHING:
        return "0"
    shown = f"{value:.{decimals}f}"
    return shown if float(shown) else np.format_float_positional(value, precision=1, fractional=False)


def in_formula(number: Any, decimals: int) -> str:
    """The same among others: 2 for 2.00, where that is all of it."""
    shown = digits(number, decimals)
    if "." in shown and ends_at(float(number), decimals):
        shown = shown.rstrip("0").rstrip(".")
    return shown


def rows_of(array: Array, decimals: int) -> list[list[str]]:
    """The numbers as text, row by row, all with the same number of digits."""
    return [[digits(number, decimals) for number in row] for row in np.atleast_2d(np.asarray(array))]


def comes_to(found: float, shown: str, decimals: int) -> bool:
    """Whether a person who works with the numbers that are shown writes down the same, at no tie."""
    return abs(found - float(shown)) < 0.5 * 10.0**-decimals - NOTHING
