"""Multiples of one value compared: r >= 0 for 0.9*r >= -0.1*r, for q*r >= (q - 1)*r too."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    subtract,
)
from symbackprop.notation.expressions import MIRRORED, ZERO, Comparison, Expression, Number
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated


def multiples_compared(node: Expression) -> Expression | None:
    """n*f >= m*f = f >= 0 for numbers n > m, f <= 0 for n < m, likewise the other comparisons; m may be 0."""
    if not (isinstance(node, Comparison) and node.tensors):
        return None
    difference = _number_apart(*map(factors_of, node.children))
    if difference is not None:
        number, value = difference
        return Comparison(node.operator if number > 0 else MIRRORED[node.operator], value, ZERO)
    (number, left), (other, right) = map(coefficient_and_rest, node.children)
    if number == other or (number == 1 and not other) or (other and multiply(*left) != multiply(*right)):
        return None
    operator = node.operator if number > other else MIRRORED[node.operator]
    return Comparison(operator, multiply(*left), ZERO)


def _number_apart(
    left: Sequence[Expression], right: Sequence[Expression]
) -> tuple[Fraction, Expression] | None:
    """n and f of (g + n)*f and g*f, where g is no number and f may stand there as -f."""
    for value in (factor for factor in left if not isinstance(factor, Number)):
        for sign, same in ((1, value), (-1, negate(value))):
            if same in right:
                one, other = (
                    multiply(*(each for each in side if each not in (value, same))) for side in (left, right)
                )
                apart = subtract(one, other) if sign > 0 else add(one, other)
                if isinstance(apart, Number) and apart.value and not isinstance(one, Number):
                    return apart.value, value
    return None


MULTIPLES_COMPARED = stated(
    "multiples of one value compared",
    "(n*f >= m*f) = (f >= 0) if n > m and (f <= 0) if n < m, m may be 0, "
    "((g + n)*f >= g*f) = (f >= 0) if n > 0, likewise the other comparisons",
    multiples_compared,
    where=(when("numeral", "n"), when("numeral", "m")),
    decreases="names and numbers",
    example="where(3*x[i] >= -x[i], c, 0)",
    near_miss="where(3*x[i] >= -c, c, 0)",
    roots=(Comparison,),
)
