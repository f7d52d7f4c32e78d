"""The numbers that the naive evaluator computes with: float64 and complex, or mpmath's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from symbackprop.functions.table import FUNCTIONS
from symbackprop.notation.expressions import Number
from symbackprop.semantics.array_functions import LARGEST_WHOLE, whole_power


@dataclass(frozen=True)
class Arithmetic:
    """The numbers that are computed with."""

    number: Callable[[Number], Any]
    pi: Any
    apply: Callable[[str, tuple[Any, ...]], Any]
    power: Callable[[Any, Any], Any]


def _float_power(base: Any, exponent: Any) -> Any:
    if isinstance(base, complex) or isinstance(exponent, complex):
        if exponent == 0:
            return 1.0
        if base == 0:  # Python raises for an exponent off the real line
            return 0.0 if np.real(exponent) > 0 else math.nan
        if abs(exponent) < LARGEST_WHOLE and exponent == round(np.real(exponent)):
            power = whole_power(complex(base), int(abs(np.real(exponent))))
            if np.real(exponent) < 0:
                return 1.0 / power if power else complex(math.inf)
            return power
        return complex(base) ** exponent
    return np.float64(base) ** exponent


FLOATS = Arithmetic(
    number=lambda node: node.value.numerator / node.value.denominator,
    pi=math.pi,
    apply=lambda name, arguments: FUNCTIONS[name].evaluate(*arguments),
    power=_float_power,
)


# An argument beyond 2^LARGEST_EXPONENT is infinite: the bits of its exponential would fill the memory.
LARGEST_EXPONENT = 10_000


def as_ieee(function: Callable[..., Any], *numbers: Any) -> Any:
    """mpmath's value, infinite at a pole and nan where it is not defined, or not real for real numbers."""
    is_real = not any(isinstance(each, mpmath.mpc) for each in numbers)
    try:
        found = function(*numbers)
    except ZeroDivisionError:
        return mpmath.inf if is_real else mpmath.mpc(mpmath.nan, mpmath.nan)
    except ValueError:
        return mpmath.nan
    return mpmath.nan if is_real and isinstance(found, mpmath.mpc) else found


def power_as_ieee(base: Any, exponent: Any) -> Any:
    """base ^ exponent: 0^-1 is infinite, a root of a negative number no number."""
    if isinstance(exponent, mpmath.mpc) and base == 0 and exponent.real > 0:
        return mpmath.mpf(0)  # which mpmath does not say of an exponent off the real line
    return as_ieee(mpmath.power, base, _within_reach(exponent))


def applied_as_ieee(function: Callable[..., Any], *numbers: Any) -> Any:
    """mpmath's value of an elementary function; the logarithm is small however large its argument."""
    if function is mpmath.log:
        return as_ieee(function, *numbers)
    return as_ieee(function, *map(_within_reach, numbers))


def _within_reach(number: Any) -> Any:
    if isinstance(number, mpmath.mpf) and mpmath.isfinite(number) and mpmath.mag(number) > LARGEST_EXPONENT:
        return mpmath.sign(number) * mpmath.inf
    return number


def _apply_precisely(name: str, arguments: tuple[Any, ...]) -> Any:
    precise = FUNCTIONS[name].precise
    assert precise is not None, f"'{name}' is evaluated by its definition"
    return applied_as_ieee(precise, *arguments)


PRECISE = Arithmetic(
    number=lambda node: mpmath.mpf(node.value.numerator) / node.value.denominator,
    pi=mpmath.mp.pi,
    apply=_apply_precisely,
    power=power_as_ieee,
)
