"""Arithmetic of many numbers at once, each beside a first-order bound on its rounding error.

Errors are in units of the rounding. What is not finite at a point is nan there, but the
reciprocal of an exact 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from symbackprop.functions.record import Evaluation

INFINITESIMAL = 1e-30


class Rounded(NamedTuple):
    """Values, one a point, and bounds on their errors in units of the rounding."""

    values: list[float]
    errors: list[float]


def finite(compute: Callable[..., float], *arguments: Any) -> float:
    """The number, or nan where there is none or it is infinite."""
    try:
        value = float(compute(*arguments))
    except (ArithmeticError, ValueError):
        return math.nan
    return value if math.isfinite(value) else math.nan


def real_part(evaluate: Evaluation, arguments: Sequence[float]) -> float:
    """The value at real arguments."""
    return evaluate(*arguments).real


def slope(evaluate: Evaluation, arguments: Sequence[float], place: int) -> float:
    """The derivative by one argument, by a complex step."""
    nearby = [*arguments[:place], arguments[place] + 1j * INFINITESIMAL, *arguments[place + 1 :]]
    return complex(evaluate(*nearby)).imag / INFINITESIMAL


def _slope_of_power(base: float, exponent: float) -> float:
    return exponent * math.pow(base, exponent - 1)


def added(terms: list[Rounded]) -> Rounded:
    """The sum, in any order; to add an exact 0 is no operation."""
    terms = [term for term in terms if any(map(any, term))] or terms[:1]
    values = [sum(row) for row in zip(*[term.values for term in terms], strict=True)]
    own = values
    if len(terms) > 2:
        own = [sum(map(abs, row)) for row in zip(*[term.values for term in terms], strict=True)]
    rows = zip(own, *[term.errors for term in terms], strict=True)
    return Rounded(values, [abs(first) + sum(others) for first, *others in rows])


def multiplied(factors: list[Rounded]) -> Rounded:
    """The product; an exact 0 times the reciprocal of an exact 0 is 0."""
    (values, errors), *others = factors
    for other in others:
        products = [left * right for left, right in zip(values, other.values, strict=True)]
        rows = zip(products, values, errors, *other, strict=True)
        errors = [
            abs(left) * right_error
            + error * abs(right)
            # A sign, and no operation.
            + (0.0 if not error and left in (1.0, -1.0) else abs(value))
            for value, left, error, right, right_error in rows
        ]
        values = products
    for point, value in enumerate(values):
        if math.isnan(value) and _is_zero([(each.values[point], each.errors[point]) for each in factors]):
            values[point] = errors[point] = 0.0
    return Rounded(values, errors)


def _is_zero(factors: Sequence[tuple[float, float]]) -> bool:
    """Whether a product of (value, error) has an exact 0 as a factor, and reciprocals of an exact 0."""
    return (0.0, 0.0) in factors and not any(math.isnan(value) for value, _ in factors)


def raised(base: Rounded, exponent: float) -> Rounded:
    """The power; the reciprocal of an exact 0 is infinite."""
    values = [
        math.inf if value == error == 0 > exponent else finite(math.pow, value, exponent)
        for value, error in zip(*base, strict=True)
    ]
    errors = [abs(value) for value in values]
    for point, (value, error) in enumerate(zip(*base, strict=True)):
        if error:
            errors[point] += abs(finite(_slope_of_power, value, exponent)) * error
    return Rounded(values, errors)
