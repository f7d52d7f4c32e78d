"""Polynomials of indices and sizes that are never negative: I*(I + 1)/2 - i*(i + 1)/2 - i - 1 for i < I.

An index below its size leaves a natural number of places behind it, I = i + 1 + r. A polynomial of natural
numbers without a minus is not negative; nor is one, r^2 - r, that is not for r = 0, and not for r + 1.
"""

from __future__ import annotations

from symbackprop.integers.base_sizes import in_base_sizes
from symbackprop.integers.integer_valued import with_whole_floors
from symbackprop.integers.linear import LinearForm, linear_form
from symbackprop.notation.arithmetic import add, factors_of, power
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Axis,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Size,
)
from symbackprop.notation.substitution import rewrite_bottom_up

MOST_SPLITS = 2
LARGEST_POWER = 4
MOST_VALUES = 4096  # of one index whose size is declared, tried one by one


def is_never_negative(expression: Expression) -> bool:
    """Whether an integer expression is at least 0 for all sizes, each index below its own, by proof."""
    bare = rewrite_bottom_up(in_base_sizes(expression), _without_whole_floor)
    indices = dict.fromkeys(node for node in bare.walk() if isinstance(node, Index))
    behind: dict[Expression, Expression] = {}
    for index in indices:
        if index.axis.size is None and index.axis.formula is None:
            places = Size(Axis(f"{index.axis.name} behind {index.name}", index.name))
            behind.setdefault(Size(index.axis), add(index, ONE, places))
    return _has_no_minus(_with(bare, behind), MOST_SPLITS) or _is_counted_out(bare, tuple(indices))


def _without_whole_floor(node: Expression) -> Expression:
    """(i^2 + i)/2 for its floor: one of two neighbours is even."""
    if isinstance(node, Apply) and node.function == "floor" and with_whole_floors(node.arguments[0]):
        return node.arguments[0]
    return node


def _with(expression: Expression, values: dict[Expression, Expression]) -> Expression:
    return rewrite_bottom_up(expression, lambda node: _multiplied_out(values.get(node, node)))


def _multiplied_out(node: Expression) -> Expression:
    """A whole power of a sum as a product, which linear forms multiply out; that of a number as a number."""
    match node:
        case Power(Number() as base, exponent):
            return power(base, exponent)
        case Power(Add() as base, Number(exponent)) if exponent.denominator == 1:
            return Multiply((base,) * int(exponent)) if 1 < exponent <= LARGEST_POWER else node
    return node


def _has_no_minus(expression: Expression, splits: int) -> bool:
    form = linear_form(expression)
    if not all(_is_natural(unknown) for unknown in form.coefficients):
        return False
    if form.constant >= 0 and all(value > 0 for value in form.coefficients.values()):
        return True
    polynomial = form.expression()
    return splits > 0 and any(
        _has_no_minus(_with(polynomial, {number: ZERO}), splits - 1)
        and _has_no_minus(_with(polynomial, {number: add(number, ONE)}), splits - 1)
        for number in _numbers(form)
    )


def _numbers(form: LinearForm) -> list[Expression]:
    """The indices and sizes that a polynomial is one of."""
    nodes = (node for unknown in form.coefficients for node in unknown.walk())
    return list(dict.fromkeys(node for node in nodes if isinstance(node, Index | Size)))


def _is_natural(unknown: Expression) -> bool:
    """Whether it is a product of indices, sizes and whole powers of them."""
    return all(
        isinstance(factor, Index | Size)
        or (
            isinstance(factor, Power)
            and isinstance(factor.base, Index | Size)
            and isinstance(factor.exponent, Number)
            and factor.exponent.value.denominator == 1
            and factor.exponent.value > 0
        )
        for factor in factors_of(unknown)
    )


def _is_counted_out(expression: Expression, indices: tuple[Index, ...]) -> bool:
    """Whether it is at least 0 at each place of one index, where all sizes are declared."""
    if len(indices) > 1 or any((index.axis.size or MOST_VALUES + 1) > MOST_VALUES for index in indices):
        return False
    values = [Number(value) for value in range(indices[0].axis.size or 0)] if indices else [ZERO]
    found = (linear_form(_with(expression, dict.fromkeys(indices, value))) for value in values)
    return all(not form.coefficients and form.constant >= 0 for form in found)
