"""Trigonometric and hyperbolic functions."""

from __future__ import annotations

import mpmath

from symbackprop.functions.evaluation import by_math, signed_infinity
from symbackprop.functions.record import Domain, ElementwiseFunction, NumpyCall, Overflow, SympyFunction

TRIGONOMETRIC = (
    ElementwiseFunction(
        "sin",
        latex=r"\sin\left({}\right)",
        sympy=SympyFunction("sin"),
        evaluate=by_math("sin"),
        on_arrays=lambda xp, u: xp.sin(u),
        precise=mpmath.sin,
        numpy=NumpyCall("np.sin({})"),
        title='Sine; Sitzmann et al., "Implicit neural representations", 2020',
    ),
    ElementwiseFunction(
        "cos",
        latex=r"\cos\left({}\right)",
        sympy=SympyFunction("cos"),
        evaluate=by_math("cos"),
        on_arrays=lambda xp, u: xp.cos(u),
        precise=mpmath.cos,
        numpy=NumpyCall("np.cos({})"),
        title="Cosine",
    ),
    ElementwiseFunction(
        "tan",
        latex=r"\tan\left({}\right)",
        sympy=SympyFunction("tan"),
        domain=Domain.BETWEEN_POLES,
        evaluate=by_math("tan"),
        on_arrays=lambda xp, u: xp.tan(u),
        precise=mpmath.tan,
        numpy=NumpyCall("np.tan({})"),
        title="Tangent",
    ),
    ElementwiseFunction(
        "asin",
        latex=r"\arcsin\left({}\right)",
        sympy=SympyFunction("asin"),
        domain=Domain.UNIT_INTERVAL,
        evaluate=by_math("asin"),
        on_arrays=lambda xp, u: xp.arcsin(u),
        precise=mpmath.asin,
        numpy=NumpyCall("np.arcsin({})"),
        title="Inverse sine",
    ),
    ElementwiseFunction(
        "acos",
        latex=r"\arccos\left({}\right)",
        sympy=SympyFunction("acos"),
        domain=Domain.UNIT_INTERVAL,
        evaluate=by_math("acos"),
        on_arrays=lambda xp, u: xp.arccos(u),
        precise=mpmath.acos,
        numpy=NumpyCall("np.arccos({})"),
        title="Inverse cosine",
    ),
    ElementwiseFunction(
        "atan",
        latex=r"\arctan\left({}\right)",
        sympy=SympyFunction("atan"),
        keeps_positive=True,
        evaluate=by_math("atan"),
        on_arrays=lambda xp, u: xp.arctan(u),
        precise=mpmath.atan,
        numpy=NumpyCall("np.arctan({})"),
        title="Inverse tangent",
    ),
    ElementwiseFunction(
        "sinh",
        latex=r"\sinh\left({}\right)",
        sympy=SympyFunction("sinh"),
        overflow=Overflow.BOTH_SIDES,
        keeps_positive=True,
        evaluate=by_math("sinh", signed_infinity),
        on_arrays=lambda xp, u: xp.sinh(u),
        precise=mpmath.sinh,
        numpy=NumpyCall("np.sinh({})"),
        title="Hyperbolic sine",
    ),
    ElementwiseFunction(
        "cosh",
        latex=r"\cosh\left({}\right)",
        sympy=SympyFunction("cosh"),
        overflow=Overflow.BOTH_SIDES,
        keeps_positive=True,
        evaluate=by_math("cosh"),
        on_arrays=lambda xp, u: xp.cosh(u),
        precise=mpmath.cosh,
        numpy=NumpyCall("np.cosh({})"),
        title="Hyperbolic cosine",
    ),
)
