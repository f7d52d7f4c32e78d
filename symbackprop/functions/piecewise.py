"""Functions that bend or jump, and those of whole numbers."""

from __future__ import annotations

import math

import mpmath

from symbackprop.functions.builders import apply
from symbackprop.functions.evaluation import real_part, rounded, sign_of
from symbackprop.functions.record import ElementwiseFunction, Kink, NumpyCall, SympyFunction
from symbackprop.notation.arithmetic import multiply, negate
from symbackprop.notation.expressions import MINUS_ONE, ONE, ZERO, Comparison, Where

PIECEWISE = (
    ElementwiseFunction(
        "abs",
        is_even=True,
        weight=1,
        latex=r"\left|{}\right|",
        mathml="<mrow><mo>|</mo>{}<mo>|</mo></mrow>",
        definition=lambda u: multiply(u, apply("sign", u)),
        kink=Kink("0 at 0", lambda u: Where(Comparison(">=", u, ZERO), u, negate(u))),
        is_nonnegative=True,
        keeps_positive=True,
        evaluate=lambda u: u * sign_of(u),
        on_arrays=lambda xp, u: u * xp.sign(u.real),
        numpy=NumpyCall("np.abs({})"),
        title="Absolute value",
    ),
    # Constant but at 0, and 0 there by convention, so that its derivative is 0 everywhere.
    ElementwiseFunction(
        "sign",
        is_odd=True,
        weight=1,
        latex=r"\operatorname{{sign}}\left({}\right)",
        sympy=SympyFunction("sign"),
        kink=Kink("0 everywhere", lambda u: Where(Comparison(">=", u, ZERO), ONE, MINUS_ONE)),
        is_step=True,
        keeps_positive=True,
        evaluate=sign_of,
        on_arrays=lambda xp, u: xp.sign(u.real),
        precise=lambda u: mpmath.sign(u.real),
        numpy=NumpyCall("np.sign({})"),
        title="Sign, 0 at 0",
    ),
    ElementwiseFunction(
        "max",
        weight=1,
        latex=r"\max\left({}, {}\right)",
        arity=2,
        definition=lambda a, b: Where(Comparison(">=", a, b), a, b),
        kink=Kink("to the first at a tie", lambda a, b: apply("max", b, a)),
        evaluate=lambda a, b: a if real_part(a) >= real_part(b) or a != a else b,  # nan stays nan
        on_arrays=lambda xp, a, b: xp.where((a.real >= b.real) | xp.isnan(a), a, b),
        numpy=NumpyCall("np.maximum({}, {})"),
    ),
    ElementwiseFunction(
        "min",
        weight=1,
        latex=r"\min\left({}, {}\right)",
        arity=2,
        definition=lambda a, b: Where(Comparison("<=", a, b), a, b),
        kink=Kink("to the first at a tie", lambda a, b: apply("min", b, a)),
        evaluate=lambda a, b: a if real_part(a) <= real_part(b) or a != a else b,
        on_arrays=lambda xp, a, b: xp.where((a.real <= b.real) | xp.isnan(a), a, b),
        numpy=NumpyCall("np.minimum({}, {})"),
    ),
    # Constant between their jumps. Of integers and their ratios, floor is that of `OF_INTEGERS`.
    *(
        ElementwiseFunction(
            name,
            weight=1,
            spelling=spelling,
            latex=latex,
            mathml=mathml,
            is_step=True,
            is_integer=True,
            keeps_positive=name == "ceil",
            stands_still=True,
            yields_its_name=not spelling,
            derivative=lambda u: ZERO,
            evaluate=rounded(by),
            on_arrays=on_arrays,
            precise=precise,
            numpy=NumpyCall(call),
            is_odd=name == "round",
        )
        for name, spelling, latex, mathml, by, on_arrays, precise, call in (
            (
                "floor_of_real",
                "floor",
                r"\lfloor {} \rfloor",
                "<mrow><mo>\u230a</mo>{}<mo>\u230b</mo></mrow>",
                math.floor,
                lambda xp, u: xp.floor(u.real),
                lambda u: mpmath.floor(u.real),
                "np.floor({})",
            ),
            (
                "ceil",
                "",
                r"\lceil {} \rceil",
                "<mrow><mo>\u2308</mo>{}<mo>\u2309</mo></mrow>",
                math.ceil,
                lambda xp, u: xp.ceil(u.real),
                lambda u: mpmath.ceil(u.real),
                "np.ceil({})",
            ),
            # To the even one of two that are equally near, as IEEE 754, Python and NumPy do.
            (
                "round",
                "",
                r"\operatorname{{round}}\left({}\right)",
                "",
                round,
                lambda xp, u: xp.round(u.real),
                lambda u: mpmath.nint(u.real),
                "np.round({})",
            ),
        )
    ),
    # The value passes, the gradient does not; a complex step ends here. What is computed is the argument.
    ElementwiseFunction(
        "stop",
        is_odd=True,
        weight=0,
        is_identity=True,
        keeps_positive=True,
        yields_its_name=True,
        derivative=lambda u: ZERO,
        latex=r"\operatorname{{sg}}\left({}\right)",
        stands_still=True,
        evaluate=real_part,
        on_arrays=lambda xp, u: u.real,
        precise=lambda u: u.real,
        numpy=NumpyCall("np.asarray({})"),
    ),
)

# For positions; the evaluators work them out exactly, and nothing is differentiated.
OF_INTEGERS = (
    ElementwiseFunction(
        "floor",
        weight=1,
        latex=r"\left\lfloor {} \right\rfloor",
        mathml="<mrow><mo>\u230a</mo>{}<mo>\u230b</mo></mrow>",
        is_step=True,
        stands_still=True,
        evaluate=lambda u: math.floor(real_part(u)),
    ),
    ElementwiseFunction(
        "mod",
        weight=1,
        latex=r"\left({} \bmod {}\right)",
        mathml="<mrow><mo>(</mo>{}<mo>mod</mo>{}<mo>)</mo></mrow>",
        arity=2,
        stands_still=True,
        evaluate=lambda u, m: real_part(u) % real_part(m),
    ),
)
