"""Exponentials and logarithms."""

from __future__ import annotations

import mpmath

from symbackprop.functions.builders import apply
from symbackprop.functions.evaluation import by_math, logarithm
from symbackprop.functions.record import (
    FUNCTION_WEIGHT,
    Domain,
    ElementwiseFunction,
    NumpyCall,
    NumpyKernel,
    Overflow,
    SympyFunction,
)
from symbackprop.notation.arithmetic import add, subtract
from symbackprop.notation.expressions import ONE

EXPONENTIALS = (
    ElementwiseFunction(
        "exp",
        latex=r"e^{{{}}}",
        mathml="<msup><mi>e</mi><mrow>{}</mrow></msup>",
        sympy=SympyFunction("exp"),
        overflow=Overflow.ABOVE_ZERO,
        is_nonnegative=True,
        keeps_positive=True,
        evaluate=by_math("exp"),
        on_arrays=lambda xp, u: xp.exp(u),
        precise=mpmath.exp,
        numpy=NumpyCall("np.exp({})"),
        title="Exponential function",
    ),
    ElementwiseFunction(
        "exp_of_sum",
        spelling="exp_of_sum",
        shown_by_definition=True,
        weight=2 * FUNCTION_WEIGHT,
        latex=r"e^{{{} + {}}}",
        arity=2,
        keeps_positive=True,
        definition=lambda *terms: apply("exp", add(*terms)),
        overflow=Overflow.ABOVE_ZERO,
        is_nonnegative=True,
        evaluate=lambda *terms: by_math("exp")(sum(terms)),
        on_arrays=lambda xp, *terms: xp.exp(sum(terms)),
        numpy=NumpyKernel(),
    ),
    ElementwiseFunction(
        "log",
        latex=r"\log\left({}\right)",
        sympy=SympyFunction("log"),
        domain=Domain.POSITIVE,
        evaluate=logarithm("log", 0.0),
        on_arrays=lambda xp, u: xp.log(u),
        precise=mpmath.log,
        numpy=NumpyCall("np.log({})"),
        title="Natural logarithm",
    ),
    ElementwiseFunction(
        "log1p",
        latex=r"\log\left(1 + {}\right)",
        mathml="<mrow><mi>log</mi><mo>(</mo><mn>1</mn><mo>+</mo>{}<mo>)</mo></mrow>",
        definition=lambda u: apply("log", add(ONE, u)),
        domain=Domain.ABOVE_MINUS_ONE,
        keeps_positive=True,
        evaluate=logarithm("log1p", -1.0),
        on_arrays=lambda xp, u: xp.log1p(u),
        numpy=NumpyCall("np.log1p({})"),
        title="log(1 + u)",
    ),
    ElementwiseFunction(
        "expm1",
        latex=r"\left(e^{{{}}} - 1\right)",
        mathml="<mrow><mo>(</mo><msup><mi>e</mi><mrow>{}</mrow></msup><mo>\u2212</mo><mn>1</mn><mo>)</mo></mrow>",
        definition=lambda u: subtract(apply("exp", u), ONE),
        overflow=Overflow.ABOVE_ZERO,
        keeps_positive=True,
        evaluate=by_math("expm1"),
        on_arrays=lambda xp, u: xp.expm1(u),
        numpy=NumpyCall("np.expm1({})"),
        title="exp(u) - 1",
    ),
)
