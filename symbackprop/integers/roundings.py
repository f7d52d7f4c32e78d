"""Between which whole numbers a rounded real one lies: floor(u) < K for u < K, 0 <= floor(sigmoid(u)*K).

That is so of numbers as they are computed: whatever rounds to the next float keeps the order of two numbers,
and leaves whole ones as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.linear import LinearForm, linear_form
from symbackprop.integers.recognition import is_integer, is_natural, is_positive
from symbackprop.notation.arithmetic import add, coefficient_and_rest, multiply, normalised
from symbackprop.notation.expressions import (
    MINUS_ONE,
    MIRRORED,
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    ComparisonOperator,
    Expression,
    Logic,
    Multiply,
    Number,
    Power,
)
from symbackprop.notation.substitution import rewrite_bottom_up

Interval: TypeAlias = tuple[Expression | None, Expression | None]


def with_roundings(condition: Expression, rounded: Collection[Apply]) -> Expression:
    """The condition, and what its comparisons with whole numbers say of these: of floor(u) where u < n."""

    def change(node: Expression) -> Expression:
        if not isinstance(node, Comparison) or node.operator in ("==", "!="):
            return node
        sides = ((node.left, node.operator, node.right), (node.right, MIRRORED[node.operator], node.left))
        told = [
            Comparison(_operator(step.function, operator), step, whole)
            for real, operator, whole in sides
            for step in rounded
            if step.arguments == (real,) and is_integer(whole, whole.tensors)
        ]
        return Logic("and", (node, *told)) if told else node

    return rewrite_bottom_up(condition, change)


def _operator(function: str, operator: ComparisonOperator) -> ComparisonOperator:
    """floor(u) < n where u < n, and ceil(u) <= n."""
    if operator == "<":
        return operator if _rounds_down(function) else "<="
    return ">=" if operator == ">" and not _rounds_up(function) else operator


def _rounds_down(function: str) -> bool:
    return ALL_FUNCTIONS[function].evaluate(0.75) == 0


def _rounds_up(function: str) -> bool:
    return ALL_FUNCTIONS[function].evaluate(0.25) == 1


def range_of_rounded(node: Apply) -> Iterator[LinearForm]:
    """Forms that are >= 0 because of the values that what is rounded can have."""
    own = related_form(node)
    least, greatest = _interval(rewrite_bottom_up(node.arguments[0], normalised))
    low = None if least is None else _whole(least, ceil if _rounds_up(node.function) else floor)
    high = None if greatest is None else _whole(greatest, floor if _rounds_down(node.function) else ceil)
    if low is not None:
        yield own.plus(related_form(low), -1)
    if high is not None:
        yield related_form(high).plus(own, -1)


def _whole(end: Expression, rounding: Callable[[Fraction], int]) -> Expression | None:
    """K of K + 1/2 that is rounded downwards; None where the rest is no whole number."""
    constant = linear_form(end).constant
    whole = add(end, Number(rounding(constant) - constant))
    return whole if is_integer(whole) else None


def _interval(node: Expression) -> Interval:
    """The least and the greatest value, where they are known; sizes are at least 1."""
    match node:
        case Number(value) if value.denominator & (value.denominator - 1) == 0:  # a float holds it
            return node, node
        case Apply(function) if ALL_FUNCTIONS[function].between is not None:
            low, high = ALL_FUNCTIONS[function].between or (0, 0)
            return Number(low), Number(high)
        case Add(terms) if not _is_counted(node):
            least, greatest = zip(*map(_interval, terms), strict=True)
            return _combined(add, least), _combined(add, greatest)
        case Multiply() if not _is_counted(node):
            return _interval_of_product(node)
        case Power(_, Number(exponent)) if exponent > 0 and exponent.numerator % 2 == 0:
            return ZERO, None
        case Apply(function) if ALL_FUNCTIONS[function].is_nonnegative:
            return ZERO, None
    return (node, node) if _is_counted(node) else (None, None)


def _interval_of_product(node: Multiply) -> Interval:
    """That of a number times whole ones from 0 on times one other, or several that are not negative."""
    number, rest = coefficient_and_rest(node)
    others = [factor for factor in rest if not _is_counted(factor)]
    scale = multiply(Number(abs(number)), *(factor for factor in rest if factor not in others))
    intervals = [_interval(factor) for factor in others]
    if None in (_interval(Number(number))) or (
        len(others) > 1 and any(not isinstance(low, Number) or low.value < 0 for low, _ in intervals)
    ):
        return None, None
    if not others:  # size(k)/2
        return node, node
    least, greatest = (_combined(multiply, (scale, *ends)) for ends in zip(*intervals, strict=True))
    if number > 0:
        return least, greatest
    return _combined(multiply, (MINUS_ONE, greatest)), _combined(multiply, (MINUS_ONE, least))


def _combined(combine: Callable[..., Expression], ends: Sequence[Expression | None]) -> Expression | None:
    known = [each for each in ends if each is not None]
    return combine(*known) if len(known) == len(ends) else None


def _is_counted(node: Expression) -> bool:
    """Whether it is a whole number that is known before, and from 0 on: size(k) - 1."""
    return not node.tensors and (is_natural(node) or is_positive(add(node, ONE)))
