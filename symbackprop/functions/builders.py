"""What the definitions of functions are written with."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.notation.arithmetic import power
from symbackprop.notation.expressions import Apply, Expression, Number

HALF = Number(Fraction(1, 2))


def apply(name: str, *arguments: Expression) -> Expression:
    """The function applied to arguments."""
    return Apply(name, arguments)


def square_root(radicand: Expression) -> Expression:
    """sqrt(x), which is x^(1/2)."""
    return power(radicand, HALF)
