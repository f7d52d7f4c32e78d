"""Integers among expressions: which expressions are some, for all that reads, proves, evaluates or lowers.

| expression                                         | is an integer where                    |
|----------------------------------------------------|----------------------------------------|
| an index, a size, a delta, the place of a maximum  | always                                 |
| an element                                         | its tensor holds integers              |
| a sum, a product, max, min, abs, a reduction       | all that it is made of are             |
| floor(x)                                           | x is made of integers by + - * / alone |
| floor(x), ceil(x), round(x) of any other x         | x reads a tensor, or is made of         |
|                                                    | integers by functions that NumPy has   |
| mod(a, m)                                          | a and m are                            |
| a^n                                                | a is, and n is one that is never < 0   |
| where(c, a, b)                                     | a and b are, whatever c compares       |

Divisions round towards minus infinity, and a remainder has the sign of its divisor, as in Python.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from fractions import Fraction
from typing import TypeGuard

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.integers.linear import divided, linear_form
from symbackprop.notation.arithmetic import factors_of, multiply
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
    Constant,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction

LARGEST_COUNTED_POWER = 4
# Of real numbers that a position rounds, where no tensor decides them.
NUMPY_FUNCTIONS = ("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "tanh")  # as NumPy calls them


def has_positions(node: Expression) -> bool:
    """Whether the children are integers that say where something stands, or are computed in float64 for such.

    The name of a real number fits in neither.
    """
    integer_function = isinstance(node, Apply) and node.function in ("floor", "mod")
    return integer_function or isinstance(node, Element | Delta | MatrixFunction) or rounds_indices(node)


def is_integer(expression: Expression, tensors: Collection[str] = ()) -> bool:
    """Whether the expression is an integer for all values of its indices; `tensors` hold integers."""
    match expression:
        case Index() | Size() | Delta() | Reduction("argmax"):
            return True
        case Number(value):
            return value.denominator == 1
        case Element(tensor, _, axis):
            return axis is not None or tensor in tensors
        case Apply("floor", (argument,)):
            return is_ratio(argument, tensors)
        case Apply("mod" | "max" | "min" | "abs", arguments):
            return all(is_integer(argument, tensors) for argument in arguments)
        case Apply():
            return rounds_reals(expression)
        case Reduction(_, _, body):
            return is_integer(body, tensors)
        case Where(_, chosen, otherwise):
            return is_integer(chosen, tensors) and is_integer(otherwise, tensors)
        case Power(base, exponent):
            return is_integer(base, tensors) and is_natural(exponent, tensors)
        case Add() | Multiply():
            form = linear_form(expression)
            values = (*form.coefficients.values(), form.constant)
            return all(value.denominator == 1 for value in values) and all(
                _is_integer_unknown(unknown, tensors) for unknown in form.coefficients
            )
    return False


def rounds_reals(expression: Expression) -> TypeGuard[Apply]:
    """Whether it is the floor, or another whole number, of a real one: floor(w[i]), floor(log(t + 1)).

    One that indices and sizes alone decide is made of functions that NumPy has, so that all agree on it.
    """
    is_step = isinstance(expression, Apply) and ALL_FUNCTIONS[expression.function].is_integer
    return is_step and (bool(expression.tensors) or _is_float_of_indices(expression.children[0]))


def _is_float_of_indices(expression: Expression) -> bool:
    match expression:
        case Constant():
            return True
        case Apply(function, _) if function in (*NUMPY_FUNCTIONS, "abs", "max", "min"):
            return all(map(_is_float_of_indices, expression.children))
        case Add() | Multiply() | Power():
            return all(map(_is_float_of_indices, expression.children))
    return is_ratio(expression)


def rounds_indices(expression: Expression) -> TypeGuard[Apply]:
    """Whether indices and sizes alone decide the real number that is rounded.

    It is computed in float64 whatever the data are: in float32, log(1000)/log(10) may be another bin.
    """
    return rounds_reals(expression) and not expression.tensors


def is_exact(expression: Expression) -> bool:
    """Whether indices and sizes alone decide it, and rounds no real number: it is worked out exactly."""
    return not expression.tensors and not any(map(rounds_reals, expression.walk()))


def bounds_rounded(expression: Expression) -> bool:
    """Whether sizes and numbers alone bound what rounds reals: clip(floor(w), 0, size(k) - 1)."""
    return isinstance(expression, Apply) and is_rounded(expression)


def is_rounded(expression: Expression) -> bool:
    """Whether it is made of whole numbers that round reals, with sizes and numbers beside them."""
    match expression:
        case Apply("max" | "min", arguments) | Add(arguments) | Multiply(arguments):
            reading = [each for each in arguments if each.tensors or each.free_indices]
            return bool(reading) and all(map(is_rounded, reading))
    return rounds_reals(expression)


def is_rounded_of_indices(expression: Expression) -> bool:
    """Whether it is what rounds indices, bounded or not: clip(floor(log(t)), 0, 5)."""
    return rounds_indices(expression) or (not expression.tensors and bounds_rounded(expression))


def _is_integer_unknown(unknown: Expression, tensors: Collection[str]) -> bool:
    """Whether an unknown of a linear form is an integer: a product of such, or what is no sum."""
    if isinstance(unknown, Multiply):
        return all(is_integer(factor, tensors) for factor in unknown.factors)
    return not isinstance(unknown, Add) and is_integer(unknown, tensors)


def is_natural(expression: Expression, tensors: Collection[str] = ()) -> bool:
    """Whether the expression is an integer that is never below 0, by what it is made of."""
    match expression:
        case Index() | Size() | Delta() | Reduction("argmax"):
            return True
        case Number(value):
            return value.denominator == 1 and value >= 0
        case Element(tensor, _, axis):
            return axis is not None or tensor in tensors
        case Apply("mod", (number, divisor)):
            return is_integer(number, tensors) and is_positive(divisor, tensors)
        case Apply("abs", (argument,)):
            return is_integer(argument, tensors)
        case Apply("max", arguments):
            integers = all(is_integer(argument, tensors) for argument in arguments)
            return integers and any(is_natural(argument, tensors) for argument in arguments)
        case Apply("floor", (argument,)):
            return _is_natural_ratio(argument, tensors)
        case Add() | Multiply() | Power() | Apply("min") | Reduction() | Where():
            return all(is_natural(part, tensors) for part in _numbers_of(expression))
    return False


def _is_natural_ratio(argument: Expression, tensors: Collection[str]) -> bool:
    """Whether a sum or product of quotients of naturals."""
    match argument:
        case Number(value):
            return value >= 0
        case Power(base, Number(exponent)) if exponent.denominator == 1:
            return is_natural(base, tensors)
        case Add() | Multiply():
            return all(_is_natural_ratio(child, tensors) for child in argument.children)
    return is_natural(argument, tensors)


def is_positive(expression: Expression, tensors: Collection[str] = ()) -> bool:
    """Whether the expression is an integer of at least 1; a size is, for an empty axis has no positions."""
    match expression:
        case Size():
            return True
        case Number(value):
            return value.denominator == 1 and value > 0
        case Add(terms):
            natural = all(is_natural(term, tensors) for term in terms)
            return natural and any(is_positive(term, tensors) for term in terms)
        case Power(base, exponent):
            return is_positive(base, tensors) and is_natural(exponent, tensors)
        case Multiply() | Apply("min") | Where() | Reduction("prod" | "max" | "min"):
            return all(is_positive(part, tensors) for part in _numbers_of(expression))
        case Apply("max", arguments):
            integers = all(is_integer(argument, tensors) for argument in arguments)
            return integers and any(is_positive(argument, tensors) for argument in arguments)
    return False


def _numbers_of(expression: Expression) -> tuple[Expression, ...]:
    """The children that are numbers: all but the condition of a `where`."""
    return expression.children[1:] if isinstance(expression, Where) else expression.children


def is_ratio(expression: Expression, tensors: Collection[str] = ()) -> bool:
    """Whether the expression is made of integers by + - * / and whole powers, so that it is exact."""
    match expression:
        case Number():
            return True
        case Power(base, Number(exponent)) if exponent.denominator == 1:
            return is_ratio(base, tensors)
        case Add() | Multiply():
            return all(is_ratio(child, tensors) for child in expression.children)
    return is_integer(expression, tensors)


def integer_sides(
    left: Expression, right: Expression, tensors: Collection[str] = ()
) -> tuple[Expression, Expression] | None:
    """Integers that compare as two ratios of integers do, which are multiplied by their divisors.

    t + 2 and 3 stand for t/10 + 1/5 and 3/10. None for other numbers, and where a divisor may be negative.
    """
    if is_integer(left, tensors) and is_integer(right, tensors):
        return left, right
    if not (is_ratio(left, tensors) and is_ratio(right, tensors)):
        return None
    (above, below), (other_above, other_below) = divided(left), divided(right)
    match below, other_below:
        case Number(one), Number(other):
            scale = math.lcm(int(one), int(other))
            return multiply(Number(scale / one), above), multiply(Number(scale / other), other_above)
    if not (is_positive(below, tensors) and is_positive(other_below, tensors)):
        return None
    if below == other_below:
        return above, other_above
    return multiply(above, other_below), multiply(other_above, below)


def counted_sides(
    left: Expression, right: Expression, tensors: Collection[str] = ()
) -> tuple[Expression, Expression] | None:
    """The same, to be compared as integers of 64 bits; None where what rounds reals is held against sizes."""
    for one, other in ((left, right), (right, left)):
        if is_rounded(one) and not (other.tensors or other.free_indices):
            return None
    return integer_sides(left, right, tensors)


def compares_integers(condition: Expression, tensors: Collection[str] = ()) -> bool:
    """Whether a condition compares integers alone, and ratios of them."""
    match condition:
        case Comparison(_, left, right):
            return integer_sides(left, right, tensors) is not None
        case Logic(_, operands):
            return all(compares_integers(operand, tensors) for operand in operands)
    return False


def counted_factors(node: Expression) -> tuple[Expression, ...]:
    """The factors of a product of indices, sizes and whole powers of them, one by one; () of another."""
    factors: list[Expression] = []
    for factor in factors_of(node):
        match factor:
            case Index() | Size():
                factors.append(factor)
            case Power(Index() | Size() as base, Number(exponent)) if _is_small_power(exponent):
                factors += [base] * exponent.numerator
            case _:
                return ()
    return tuple(factors)


def _is_small_power(exponent: Fraction) -> bool:
    return exponent.denominator == 1 and 0 < exponent <= LARGEST_COUNTED_POWER
