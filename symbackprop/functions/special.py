"""The error function, the normal distribution, and the logarithm of gamma with its derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath

from symbackprop.functions.builders import apply, square_root
from symbackprop.functions.evaluation import by_mpmath, real_part
from symbackprop.functions.record import Domain, ElementwiseFunction, Numeric, NumpyKernel, SympyFunction
from symbackprop.notation.arithmetic import divide, multiply, negate, power
from symbackprop.notation.expressions import Constant, Expression, Number

SHORT = 1e-12  # the square of a shorter imaginary part is less than any rounding


def _erf(u: Numeric) -> Numeric:
    if not isinstance(u, complex):
        return math.erf(u)
    if abs(u.imag) >= SHORT:
        return by_mpmath(mpmath.erf, u)
    # By its definition, the integral of 2/sqrt(pi)*exp(-t^2): on so short a way that does not change.
    return complex(math.erf(u.real), 2 / math.sqrt(math.pi) * _gaussian(u.real * math.sqrt(2)) * u.imag)


def _gaussian(u: float) -> float:
    return math.exp(-min(u * u / 2, 1e4))


def _precise_normal_distribution(u: Any) -> Any:
    return mpmath.erfc(-u / mpmath.sqrt(2)) / 2


def normal_distribution(u: Numeric) -> Numeric:
    """The standard normal distribution; erfc keeps the digits that 1 + erf loses for negative arguments."""
    if not isinstance(u, complex):
        return math.erfc(-u / math.sqrt(2)) / 2
    if abs(u.imag) >= SHORT:
        return by_mpmath(_precise_normal_distribution, u)
    density = _gaussian(u.real) / math.sqrt(2 * math.pi)  # the integrand of its definition
    return complex(math.erfc(-u.real / math.sqrt(2)) / 2, density * u.imag)


def _normal_density(u: Expression) -> Expression:
    squared = divide(power(u, Number(2)), Number(2))
    return divide(apply("exp", negate(squared)), square_root(multiply(Number(2), Constant("pi"))))


def _precise_log_gamma(u: Any) -> Any:
    """log |gamma(u)| of a real number, and what continues it: mpmath's own takes another branch below 0.

    There by the reflection gamma(u)*gamma(1 - u) = pi/sin(pi*u), whose sign is taken out.
    """
    if u.real > 0 or not mpmath.isfinite(u):
        return mpmath.loggamma(u)
    sine = mpmath.sinpi(u)
    return mpmath.log(mpmath.pi / (sine if sine.real > 0 else -sine)) - mpmath.loggamma(1 - u)


def _log_gamma(u: Numeric) -> Numeric:
    if isinstance(u, complex):
        return by_mpmath(_precise_log_gamma, u)
    if math.isinf(u) or (u <= 0 and u == math.floor(u)):
        return math.inf
    return math.lgamma(u)


def _precise_trigamma(u: Any) -> Any:
    """psi'(u) = (pi/sin(pi*u))^2 - psi'(1 - u): below 0, mpmath's own takes a step for each whole number."""
    if u.real >= 0 or not mpmath.isfinite(u):
        return mpmath.psi(1, u)
    return (mpmath.pi / mpmath.sinpi(u)) ** 2 - mpmath.psi(1, 1 - u)


def _polygamma(precise: Callable[[Any], Any]) -> Callable[[Numeric], Numeric]:
    def evaluate(u: Numeric) -> Numeric:
        if real_part(u) <= 0 and u == math.floor(real_part(u)):
            return math.nan
        return by_mpmath(precise, u) if isinstance(u, complex) else float(precise(mpmath.mpf(u)))

    return evaluate


SPECIAL = (
    ElementwiseFunction(
        "erf",
        is_odd=True,
        keeps_positive=True,
        latex=r"\operatorname{{erf}}\left({}\right)",
        sympy=SympyFunction("erf"),
        evaluate=_erf,
        precise=mpmath.erf,
        numpy=NumpyKernel(calls=("polynomial", "normcdf"), makes_array=True),
        title="Error function",
    ),
    ElementwiseFunction(
        "normcdf",
        keeps_positive=True,
        latex=r"\Phi\left({}\right)",
        derivative=_normal_density,
        is_nonnegative=True,
        evaluate=normal_distribution,
        precise=_precise_normal_distribution,
        numpy=NumpyKernel(calls=("scaled_tail", "in_blocks")),
        title="Standard normal distribution, Phi(u)",
        class_name="NormCDF",
    ),
    ElementwiseFunction(
        "lgamma",
        latex=r"\log\Gamma\left({}\right)",
        sympy=SympyFunction("loggamma"),
        domain=Domain.POSITIVE,
        evaluate=_log_gamma,
        precise=_precise_log_gamma,
        numpy=NumpyKernel(calls=("lgamma_large", "lgamma_small", "lgamma_negative"), makes_array=True),
        title="Logarithm of the gamma function",
    ),
    ElementwiseFunction(
        "digamma",
        latex=r"\psi\left({}\right)",
        sympy=SympyFunction("polygamma", (0,)),
        domain=Domain.POSITIVE,
        evaluate=_polygamma(mpmath.digamma),
        precise=mpmath.digamma,
        numpy=NumpyKernel(calls=("digamma_large", "digamma_small", "digamma_negative"), makes_array=True),
        title="Derivative of lgamma",
    ),
    # There for derivatives, and no layer: SymPy's next derivative has no name in the language.
    ElementwiseFunction(
        "trigamma",
        latex=r"\psi'\left({}\right)",
        sympy=SympyFunction("polygamma", (1,)),
        domain=Domain.POSITIVE,
        evaluate=_polygamma(_precise_trigamma),
        precise=_precise_trigamma,
        numpy=NumpyKernel(calls=("trigamma_large", "trigamma_small", "trigamma_negative"), makes_array=True),
    ),
)
