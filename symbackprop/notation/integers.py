"""Integer expressions worked out exactly: positions, and conditions on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from symbackprop.errors import NotationError
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Size,
    Where,
)

Positions: TypeAlias = Mapping[Index, int]
Reader: TypeAlias = Callable[[Element], Any]

_EXACTLY: Mapping[str, Callable[..., Any]] = {
    "floor": math.floor,
    "mod": lambda number, divisor: number % divisor,
    "max": max,
    "min": min,
}
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}


def compared(operator: str, left: Any, right: Any) -> bool:
    """Whether a comparison of two numbers holds."""
    return bool(_COMPARED[operator](left, right))


def integer_value(node: Expression, at: Positions, sizes: Mapping[str, int], read: Reader) -> Any:
    """The value of an integer expression: an int, or a Fraction inside a floor.

    `read` gives the value of an integer tensor's element. Raises NotationError for what is no position.
    """

    def value(part: Expression) -> Any:
        return integer_value(part, at, sizes, read)

    match node:
        case Index():
            return at[node]
        case Number(number):
            return number if number.denominator > 1 else number.numerator
        case Size(axis):
            return sizes[axis.name]
        case Add(terms):
            return sum([value(term) for term in terms])
        case Multiply(factors):
            return math.prod([value(factor) for factor in factors])
        case Power(base, Number(exponent)):
            return Fraction(value(base)) ** int(exponent)
        case Apply(function, arguments) if function in _EXACTLY:
            return _EXACTLY[function](*[value(argument) for argument in arguments])
        case Where(condition, chosen, otherwise):
            return value(chosen if condition_holds(condition, at, sizes, read) else otherwise)
        case Element():
            return read(node)
    raise NotationError(f"a {type(node).__name__} is no position")


def condition_holds(node: Expression, at: Positions, sizes: Mapping[str, int], read: Reader) -> bool:
    """Whether a condition on integers holds."""
    match node:
        case Comparison(operator, left, right):
            return compared(
                operator, integer_value(left, at, sizes, read), integer_value(right, at, sizes, read)
            )
        case Logic("not", (operand,)):
            return not condition_holds(operand, at, sizes, read)
        case Logic("and", operands):
            return all(condition_holds(operand, at, sizes, read) for operand in operands)
        case Logic(_, operands):
            return any(condition_holds(operand, at, sizes, read) for operand in operands)
    raise NotationError(f"a {type(node).__name__} is not a condition")
