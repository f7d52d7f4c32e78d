"""The functions that networks are built with."""

from __future__ import annotations

import cmath
import math
from typing import Any

import mpmath

from symbackprop.functions.builders import apply
from symbackprop.functions.evaluation import by_math, exponential_of_minus_size, real_part
from symbackprop.functions.record import (
    ElementwiseFunction,
    Kink,
    Numeric,
    NumpyCall,
    NumpyKernel,
    SympyFunction,
)
from symbackprop.functions.special import normal_distribution
from symbackprop.notation.arithmetic import add, divide, multiply, negate
from symbackprop.notation.expressions import ONE, ZERO, Comparison, Where


def _sigmoid(u: Numeric) -> Numeric:
    small = exponential_of_minus_size(u)
    return 1 / (1 + small) if real_part(u) >= 0 else small / (1 + small)


def _sigmoid_of_array(xp: Any, u: Any) -> Any:
    small = xp.exp(xp.where(u.real >= 0, -u, u))
    return xp.where(u.real >= 0, 1.0, small) / (1.0 + small)


def _softplus(u: Numeric) -> Numeric:
    if isinstance(u, complex):
        return u + cmath.log(1 + cmath.exp(-u)) if u.real > 0 else cmath.log(1 + cmath.exp(u))
    return max(u, 0.0) + math.log1p(math.exp(-abs(u)))


def _softplus_of_array(xp: Any, u: Any) -> Any:
    small = xp.exp(xp.where(u.real > 0, -u, u))
    # log(1 + w) = 2*artanh(w/(2 + w)) keeps the digits of a tiny w, of a complex one too.
    return xp.where(u.real > 0, u, 0.0) + 2.0 * xp.arctanh(small / (2.0 + small))


def _gelu(u: Numeric) -> Numeric:
    if isinstance(u, complex) or math.isfinite(u):
        return u * normal_distribution(u)
    return max(u, 0.0)


def _mish(u: Numeric) -> Numeric:
    # tanh(log(1 + w)) = w*(w + 2)/(w*(w + 2) + 2) keeps its digits where w = e^u is tiny.
    small = exponential_of_minus_size(u)
    if real_part(u) > 0:
        return u * ((1 + 2 * small) / (1 + 2 * small + 2 * small * small))
    grown = small * (small + 2)
    return u * (grown / (grown + 2))


ACTIVATIONS = (
    ElementwiseFunction(
        "sigmoid",
        latex=r"\sigma\left({}\right)",
        definition=lambda u: divide(ONE, add(ONE, apply("exp", negate(u)))),
        is_nonnegative=True,
        between=(0, 1),
        keeps_positive=True,
        evaluate=_sigmoid,
        on_arrays=_sigmoid_of_array,
        numpy=NumpyKernel(),
        title="Logistic sigmoid, 1/(1 + exp(-u))",
    ),
    ElementwiseFunction(
        "tanh",
        is_odd=True,
        between=(-1, 1),
        latex=r"\tanh\left({}\right)",
        sympy=SympyFunction("tanh"),
        keeps_positive=True,
        evaluate=by_math("tanh"),
        on_arrays=lambda xp, u: xp.tanh(u),
        precise=mpmath.tanh,
        quotient_of=("sinh", "cosh"),
        numpy=NumpyCall("np.tanh({})"),
        title="Hyperbolic tangent",
    ),
    ElementwiseFunction(
        "relu",
        weight=1,
        latex=r"\operatorname{{relu}}\left({}\right)",
        definition=lambda u: Where(Comparison(">", u, ZERO), u, ZERO),
        kink=Kink("0 at 0", lambda u: Where(Comparison(">=", u, ZERO), u, ZERO)),
        is_nonnegative=True,
        keeps_positive=True,
        evaluate=lambda u: u if real_part(u) > 0 else 0.0 * u,
        on_arrays=lambda xp, u: xp.where(u.real > 0, u, 0.0 * u),
        numpy=NumpyCall("np.maximum({}, 0.0)"),
        title="Rectified linear unit, max(u, 0); Nair and Hinton, 2010",
        class_name="ReLU",
    ),
    ElementwiseFunction(
        "softplus",
        latex=r"\operatorname{{softplus}}\left({}\right)",
        definition=lambda u: apply("log", add(ONE, apply("exp", u))),
        is_nonnegative=True,
        keeps_positive=True,
        evaluate=_softplus,
        on_arrays=_softplus_of_array,
        numpy=NumpyCall("np.logaddexp({}, 0.0)"),
        title="Softplus, log(1 + exp(u)); Dugas et al., 2001",
    ),
    ElementwiseFunction(
        "silu",
        latex=r"\operatorname{{silu}}\left({}\right)",
        definition=lambda u: multiply(u, apply("sigmoid", u)),
        evaluate=lambda u: u * _sigmoid(u),
        numpy=NumpyKernel(calls=("sigmoid",)),
        title="Sigmoid linear unit, u*sigmoid(u); Elfwing et al., 2018",
        class_name="SiLU",
    ),
    ElementwiseFunction(
        "gelu",
        latex=r"\operatorname{{gelu}}\left({}\right)",
        definition=lambda u: multiply(u, apply("normcdf", u)),
        evaluate=_gelu,
        numpy=NumpyKernel(calls=("normcdf",)),
        title="Gaussian error linear unit, u*Phi(u); Hendrycks and Gimpel, 2016",
        class_name="GELU",
    ),
    ElementwiseFunction(
        "mish",
        latex=r"\operatorname{{mish}}\left({}\right)",
        definition=lambda u: multiply(u, apply("tanh", apply("softplus", u))),
        evaluate=_mish,
        numpy=NumpyKernel(),
        title="Mish, u*tanh(softplus(u)); Misra, 2019",
    ),
)
