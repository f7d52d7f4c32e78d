"""The element-wise functions of the language, as a table: how each is defined, computed and written.

A function with a `definition` is nothing but that formula: its derivative is derived from it. The others are
elementary; `derivation.elementary` asks SymPy for their derivatives under `sympy_name`, or takes the table's
where SymPy has no such function.

`evaluate` takes one real or complex number. A complex number is a real one with an infinitesimal imaginary
part (the complex step), so that conditions are decided by the real part.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import mpmath

from symbackprop.notation.arithmetic import add, divide, multiply, negate, power, subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Apply,
    Comparison,
    Constant,
    Expression,
    Number,
    Where,
)

Numeric: TypeAlias = float | complex
Evaluation: TypeAlias = Callable[[Numeric], Numeric]
HALF = Number(Fraction(1, 2))


@dataclass(frozen=True)
class ElementwiseFunction:
    """One function of the language; `latex` is a format with one slot an argument."""

    name: str
    evaluate: Callable[..., Numeric]
    latex: str
    definition: Callable[..., Expression] | None = None
    derivative: Callable[[Expression], Expression] | None = None
    sympy_name: str = ""
    arity: int = 1


def apply(name: str, *arguments: Expression) -> Expression:
    """The function applied to arguments."""
    return Apply(name, arguments)


def square_root(radicand: Expression) -> Expression:
    """sqrt(x), which is x^(1/2)."""
    return power(radicand, HALF)


def _real(value: Numeric) -> float:
    return float(value.real)


def _sign(u: Numeric) -> float:
    real = _real(u)
    return math.nan if math.isnan(real) else float((real > 0) - (real < 0))


def _softplus(u: Numeric) -> Numeric:
    if isinstance(u, complex):
        return u + cmath.log(1 + cmath.exp(-u)) if u.real > 0 else cmath.log(1 + cmath.exp(u))
    return max(u, 0.0) + math.log1p(math.exp(-abs(u)))


def _sigmoid(u: Numeric) -> Numeric:
    small: Numeric = cmath.exp(-u if u.real >= 0 else u) if isinstance(u, complex) else math.exp(-abs(u))
    return 1 / (1 + small) if _real(u) >= 0 else small / (1 + small)


def _precisely(function: Callable[..., Any], u: complex) -> complex:
    """A function of mpmath with digits enough for the imaginary part of a complex step."""
    apart = math.log10(max(1.0, abs(u.real))) - math.log10(abs(u.imag)) if u.imag else 0.0
    with mpmath.workdps(30 + max(0, math.ceil(apart))):
        return complex(function(mpmath.mpc(u)))


def _erf(u: Numeric) -> Numeric:
    return _precisely(mpmath.erf, u) if isinstance(u, complex) else math.erf(u)


def _log_gamma(u: Numeric) -> Numeric:
    if isinstance(u, complex):
        return _precisely(mpmath.loggamma, u)
    if math.isinf(u) or (u <= 0 and u == math.floor(u)):
        return math.inf
    return math.lgamma(u)


def _polygamma(order: int) -> Callable[[Numeric], Numeric]:
    def evaluate(u: Numeric) -> Numeric:
        if _real(u) <= 0 and u == math.floor(_real(u)):
            return math.nan
        if isinstance(u, complex):
            return _precisely(lambda argument: mpmath.psi(order, argument), u)
        return float(mpmath.psi(order, u))

    return evaluate


def _normal_distribution(u: Numeric) -> Numeric:
    # erfc keeps the digits that 1 + erf loses for negative arguments.
    if isinstance(u, complex):
        return _precisely(lambda argument: mpmath.erfc(-argument / mpmath.sqrt(2)) / 2, u)
    return math.erfc(-u / math.sqrt(2)) / 2


def _gelu(u: Numeric) -> Numeric:
    if isinstance(u, complex) or math.isfinite(u):
        return u * _normal_distribution(u)
    return max(u, 0.0)


def _sigmoid_formula(u: Expression) -> Expression:
    return divide(ONE, add(ONE, apply("exp", negate(u))))


def _normal_density(u: Expression) -> Expression:
    squared = divide(power(u, Number(2)), Number(2))
    return divide(apply("exp", negate(squared)), square_root(multiply(Number(2), Constant("pi"))))


def _elementary(name: str, overflow: Callable[[float], float] = lambda u: math.inf) -> Evaluation:
    """A function of math and cmath that gives inf or nan, as arrays do, where those raise."""
    real: Callable[[float], float] = getattr(math, name)
    of_complex: Callable[[complex], complex] = _COMPLEX[name] if name in _COMPLEX else getattr(cmath, name)

    def evaluate(u: Numeric) -> Numeric:
        try:
            return of_complex(u) if isinstance(u, complex) else real(u)
        except OverflowError:
            return overflow(_real(u))
        except ValueError:
            return math.nan

    return evaluate


def _signed_infinity(u: float) -> float:
    return math.copysign(math.inf, u)


_COMPLEX: Mapping[str, Callable[[complex], complex]] = {
    "log1p": lambda u: cmath.log(1 + u),
    "expm1": lambda u: cmath.exp(u) - 1,
}


def _logarithm(name: str, pole: float) -> Evaluation:
    """log and log1p, which are -inf at their pole."""
    beyond_the_pole = _elementary(name)
    return lambda u: -math.inf if u == pole else beyond_the_pole(u)


_DEFINED = (
    ElementwiseFunction("sigmoid", _sigmoid, r"\sigma\left({}\right)", _sigmoid_formula),
    ElementwiseFunction(
        "relu",
        lambda u: u if _real(u) > 0 else 0.0 * u,
        r"\operatorname{{relu}}\left({}\right)",
        lambda u: Where(Comparison(">", u, ZERO), u, ZERO),
    ),
    ElementwiseFunction(
        "softplus",
        _softplus,
        r"\operatorname{{softplus}}\left({}\right)",
        lambda u: apply("log", add(ONE, apply("exp", u))),
    ),
    ElementwiseFunction(
        "gelu",
        _gelu,
        r"\operatorname{{gelu}}\left({}\right)",
        lambda u: multiply(u, apply("normcdf", u)),
    ),
    ElementwiseFunction(
        "silu",
        lambda u: u * _sigmoid(u),
        r"\operatorname{{silu}}\left({}\right)",
        lambda u: multiply(u, apply("sigmoid", u)),
    ),
    ElementwiseFunction(
        "log1p",
        _logarithm("log1p", -1.0),
        r"\log\left(1 + {}\right)",
        lambda u: apply("log", add(ONE, u)),
    ),
    ElementwiseFunction(
        "expm1",
        _elementary("expm1"),
        r"\left(e^{{{}}} - 1\right)",
        lambda u: subtract(apply("exp", u), ONE),
    ),
    ElementwiseFunction(
        "abs",
        lambda u: u * _sign(u),
        r"\left|{}\right|",
        lambda u: multiply(u, apply("sign", u)),
    ),
    ElementwiseFunction(
        "max",
        lambda a, b: a if _real(a) >= _real(b) or a != a else b,  # nan stays nan, on either side
        r"\max\left({}, {}\right)",
        lambda a, b: Where(Comparison(">=", a, b), a, b),
        arity=2,
    ),
    ElementwiseFunction(
        "min",
        lambda a, b: a if _real(a) <= _real(b) or a != a else b,
        r"\min\left({}, {}\right)",
        lambda a, b: Where(Comparison("<=", a, b), a, b),
        arity=2,
    ),
)

_ELEMENTARY = (
    ElementwiseFunction("exp", _elementary("exp"), r"e^{{{}}}", sympy_name="exp"),
    ElementwiseFunction("log", _logarithm("log", 0.0), r"\log\left({}\right)", sympy_name="log"),
    # sign is constant but at 0, and 0 there by convention, so that its derivative is 0 everywhere.
    ElementwiseFunction("sign", _sign, r"\operatorname{{sign}}\left({}\right)", sympy_name="sign"),
    ElementwiseFunction("sin", _elementary("sin"), r"\sin\left({}\right)", sympy_name="sin"),
    ElementwiseFunction("cos", _elementary("cos"), r"\cos\left({}\right)", sympy_name="cos"),
    ElementwiseFunction("tan", _elementary("tan"), r"\tan\left({}\right)", sympy_name="tan"),
    ElementwiseFunction("asin", _elementary("asin"), r"\arcsin\left({}\right)", sympy_name="asin"),
    ElementwiseFunction("acos", _elementary("acos"), r"\arccos\left({}\right)", sympy_name="acos"),
    ElementwiseFunction("atan", _elementary("atan"), r"\arctan\left({}\right)", sympy_name="atan"),
    ElementwiseFunction(
        "sinh",
        _elementary("sinh", _signed_infinity),
        r"\sinh\left({}\right)",
        sympy_name="sinh",
    ),
    ElementwiseFunction("cosh", _elementary("cosh"), r"\cosh\left({}\right)", sympy_name="cosh"),
    ElementwiseFunction("tanh", _elementary("tanh"), r"\tanh\left({}\right)", sympy_name="tanh"),
    ElementwiseFunction("erf", _erf, r"\operatorname{{erf}}\left({}\right)", sympy_name="erf"),
    # The standard normal distribution, whose derivative is its density.
    ElementwiseFunction("normcdf", _normal_distribution, r"\Phi\left({}\right)", derivative=_normal_density),
    ElementwiseFunction("lgamma", _log_gamma, r"\log\Gamma\left({}\right)", sympy_name="loggamma"),
    ElementwiseFunction("digamma", _polygamma(0), r"\psi\left({}\right)", sympy_name="digamma"),
    ElementwiseFunction("trigamma", _polygamma(1), r"\psi'\left({}\right)", sympy_name="trigamma"),
)

FUNCTIONS: Mapping[str, ElementwiseFunction] = {
    function.name: function for function in (*_ELEMENTARY, *_DEFINED)
}


# Functions of integers, for positions; the evaluator works them out exactly, and nothing is differentiated.
INTEGER_FUNCTIONS: Mapping[str, ElementwiseFunction] = {
    "floor": ElementwiseFunction("floor", lambda u: math.floor(_real(u)), r"\left\lfloor {} \right\rfloor"),
    "mod": ElementwiseFunction("mod", lambda u, m: _real(u) % _real(m), r"\left({} \bmod {}\right)", arity=2),
}
ALL_FUNCTIONS: Mapping[str, ElementwiseFunction] = {**FUNCTIONS, **INTEGER_FUNCTIONS}


def definition_of(application: Apply) -> Expression | None:
    """The formula that the function stands for, at these arguments; None where it is elementary."""
    formula = ALL_FUNCTIONS[application.function].definition
    return None if formula is None else formula(*application.arguments)
