"""Scalars in products: numbers in front, powers, quotients, signs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from symbackprop.array.ir import Elementwise, Literal
from symbackprop.array.value import Value
from symbackprop.array.views import operate
from symbackprop.lowering.products import Factor
from symbackprop.schedule.kinds import Kind


def scaled(number: Fraction, scalars: Sequence[Factor], core: Factor | None) -> Value:
    """number * scalars * core / scalars.

    A fraction that binary floats lack stays a quotient: x/3, not 0.333*x.
    """
    exact = number.denominator & (number.denominator - 1) == 0
    parts = [*scalars, *([core] if core is not None else [])]
    above = [factor.value for factor in parts if not factor.inverse]
    below = [factor.value for factor in parts if factor.inverse]
    if not exact:
        below.insert(0, Literal(float(number.denominator)))
    in_front = abs(float(number)) if exact else float(abs(number.numerator))
    if in_front != 1.0 or not above:
        above.insert(0, Literal(in_front))
    value = chain("multiply", above)
    if number < 0:
        value = negative(value)
    return chain("divide", [value, chain("multiply", below)]) if below else value


def number_apart(factor: Factor) -> tuple[Fraction, Factor]:
    """The number that stands in front of a factor, and the factor without it."""
    match factor.value:
        case Elementwise("multiply", (Literal(number), rest)) if number:
            exact = Fraction(number)
            return 1 / exact if factor.inverse else exact, Factor(rest, factor.inverse)
    return Fraction(1), factor


def negative(value: Value) -> Value:
    """-value; the first factor of a product takes the sign."""
    if isinstance(value, Literal):
        return Literal(-value.value)
    if isinstance(value, Elementwise) and value.operation == "negative":
        return value.arguments[0]
    if isinstance(value, Elementwise) and value.operation in ("multiply", "divide"):
        first, *rest = value.arguments
        if not first.kind.is_condition:
            return Elementwise(value.operation, (negative(first), *rest))
    return operate("negative", value)


def chain(operation: str, values: Sequence[Value]) -> Value:
    """Scalars and at most one array, combined from left to right; their layouts need no lining up."""
    total = values[0]
    for value in values[1:]:
        total = operate(operation, total, value)
    return total


def positive_power(base: Value, exponent: Fraction) -> Value:
    """base ^ exponent; a Python number stays one."""
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2) and base.kind is not Kind.PYTHON:
        return operate("sqrt", base)
    whole = exponent.denominator == 1
    if isinstance(base, Literal) and base.value < 0 and not whole:
        return Literal(math.nan)  # Python would make a complex number of it
    return operate("power", base, Literal(exponent.numerator if whole else float(exponent)))
