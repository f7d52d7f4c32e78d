"""Functions of one real or complex number, which give inf or nan, as arrays do, where Python's raise."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath

from symbackprop.functions.record import Evaluation, Numeric

_COMPLEX: Mapping[str, Callable[[complex], complex]] = {
    "log1p": lambda u: cmath.log(1 + u),
    "expm1": lambda u: cmath.exp(u) - 1,
}


def real_part(value: Numeric) -> float:
    """The part that decides conditions."""
    return float(value.real)


def sign_of(u: Numeric) -> float:
    """-1, 0 or 1; nan of nan."""
    real = real_part(u)
    return math.nan if math.isnan(real) else float((real > 0) - (real < 0))


def rounded(by: Callable[[float], float]) -> Evaluation:
    """A function to whole numbers, by the real part; what is not finite stays."""

    def evaluate(u: Numeric) -> Numeric:
        real = real_part(u)
        return float(by(real)) if math.isfinite(real) else real

    return evaluate


def signed_infinity(u: float) -> float:
    """What an odd function overflows to."""
    return math.copysign(math.inf, u)


def by_math(name: str, overflow: Callable[[float], float] = lambda u: math.inf) -> Evaluation:
    """A function of math and cmath."""
    real: Callable[[float], float] = getattr(math, name)
    of_complex: Callable[[complex], complex] = _COMPLEX[name] if name in _COMPLEX else getattr(cmath, name)

    def evaluate(u: Numeric) -> Numeric:
        try:
            return of_complex(u) if isinstance(u, complex) else real(u)
        except OverflowError:
            return overflow(real_part(u))
        except ValueError:
            return math.nan

    return evaluate


def logarithm(name: str, pole: float) -> Evaluation:
    """A logarithm of math and cmath, which is -inf at its pole."""
    beyond_the_pole = by_math(name)
    return lambda u: -math.inf if u == pole else beyond_the_pole(u)


def by_mpmath(function: Callable[..., Any], u: complex) -> complex:
    """A function of mpmath with digits enough for the imaginary part of a complex step."""
    apart = math.log10(max(1.0, abs(u.real))) - math.log10(abs(u.imag)) if u.imag else 0.0
    with mpmath.workdps(30 + max(0, math.ceil(apart))):
        return complex(function(mpmath.mpc(u)))


def exponential_of_minus_size(u: Numeric) -> Numeric:
    """e^-|u|, which cannot overflow: e^-u or e^u, by the sign of the real part."""
    if isinstance(u, complex):
        return cmath.exp(-u if u.real >= 0 else u)
    return math.exp(-abs(u))
