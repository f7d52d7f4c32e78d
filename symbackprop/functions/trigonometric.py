"""Trigonometric and hyperbolic functions."""

from __future__ import annotations

import mpmath
import numpy as np

from symbackprop.functions.evaluation import by_math, signed_infinity
from symbackprop.functions.record import Domain, ElementwiseFunction, NumpyCall, Overflow, SympyFunction

TRIGONOMETRIC = (
    ElementwiseFunction(
        "sin",
        latex=r"\sin\left({}\right)",
        sympy=SympyFunction("sin"),
        parity="odd",
        evaluate=by_math("sin"),
        on_arrays=np.sin,
        precise=mpmath.sin,
        numpy=NumpyCall("np.sin({})"),
        title='Sine; Sitzmann et al., "Implicit neural representations", 2020',
    ),
    ElementwiseFunction(
        "cos",
        latex=r"\cos\left({}\right)",
        sympy=SympyFunction("cos"),
        parity="even",
        evaluate=by_math("cos"),
        on_arrays=np.cos,
        precise=mpmath.cos,
        numpy=NumpyCall("np.cos({})"),
        title="Cosine",
    ),
    ElementwiseFunction(
        "tan",
        latex=r"\tan\left({}\right)",
        sympy=SympyFunction("tan"),
        domain=Domain.BETWEEN_POLES,
        parity="odd",
        evaluate=by_math("tan"),
        on_arrays=np.tan,
        precise=mpmath.tan,
        numpy=NumpyCall("np.tan({})"),
        title="Tangent",
    ),
    ElementwiseFunction(
        "asin",
        latex=r"\arcsin\left({}\right)",
        sympy=SympyFunction("asin"),
        domain=Domain.UNIT_INTERVAL,
        parity="odd",
        evaluate=by_math("asin"),
        on_arrays=np.arcsin,
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
        on_arrays=np.arccos,
        precise=mpmath.acos,
        numpy=NumpyCall("np.arccos({})"),
        title="Inverse cosine",
    ),
    ElementwiseFunction(
        "atan",
        latex=r"\arctan\left({}\right)",
        sympy=SympyFunction("atan"),
        parity="odd",
        evaluate=by_math("atan"),
        on_arrays=np.arctan,
        precise=mpmath.atan,
        numpy=NumpyCall("np.arctan({})"),
        title="Inverse tangent",
    ),
    ElementwiseFunction(
        "sinh",
        latex=r"\sinh\left({}\right)",
        sympy=SympyFunction("sinh"),
        overflow=Overflow.BOTH_SIDES,
        parity="odd",
        evaluate=by_math("sinh", signed_infinity),
        on_arrays=np.sinh,
        precise=mpmath.sinh,
        numpy=NumpyCall("np.sinh({})"),
        title="Hyperbolic sine",
    ),
    ElementwiseFunction(
        "cosh",
        latex=r"\cosh\left({}\right)",
        sympy=SympyFunction("cosh"),
        overflow=Overflow.BOTH_SIDES,
        parity="even",
        evaluate=by_math("cosh"),
        on_arrays=np.cosh,
        precise=mpmath.cosh,
        numpy=NumpyCall("np.cosh({})"),
        title="Hyperbolic cosine",
    ),
)
