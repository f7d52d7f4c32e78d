"""Integer expressions worked out exactly: positions, and conditions on them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from symbackprop.errors import NotationError
from symbackprop.integers.recognition import is_rounded_of_indices
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
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

MOST_BITS = 1_000_000  # of the power of an integer
Positions: TypeAlias = Mapping[Index, int]
# What is no arithmetic of integers: an element, the place of a maximum, a real number that is rounded, a
# comparison of elements.
Reader: TypeAlias = Callable[[Expression, Positions], Any]

_EXACTLY: Mapping[str, Callable[..., Any]] = {
    "floor": math.floor,
    "mod": lambda number, divisor: number % divisor,
    "max": max,
    "min": min,
    "abs": abs,
}
_REDUCED: Mapping[str, Callable[[list[Any]], Any]] = {"sum": sum, "prod": math.prod, "max": max, "min": min}
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
    """The value of an integer expression: an int, or a Fraction inside a floor or a comparison.

    `read` gives the value of an element where the indices stand at these positions, and whether a comparison
    holds that reads elements. Raises NotationError for what is no position, and where there is no value: a
    division by 0, the maximum of an empty axis.
    """
    match node:
        case Index():
            return at[node]
        case Number(number):
            return number if number.denominator > 1 else number.numerator
        case Size(axis):
            return sizes[axis.name]

    def value(part: Expression) -> Any:
        return integer_value(part, at, sizes, read)

    match node:
        case Add(terms):
            return sum([value(term) for term in terms])
        case Multiply(factors):
            return math.prod([value(factor) for factor in factors])
        case Power(base, exponent):
            return _power(value(base), value(exponent))
        case Apply() if is_rounded_of_indices(node):
            return read(node, at)
        case Apply(function, arguments) if function in _EXACTLY:
            numbers = [value(argument) for argument in arguments]
            if function == "mod" and numbers[1] == 0:
                raise NotationError(
                    worded("a remainder by 0 has no value"), remedy=worded("divide by what is never 0")
                )
            return _EXACTLY[function](*numbers)
        case Delta(left, right):
            return int(value(left) == value(right))
        case Where(condition, chosen, otherwise):
            return value(chosen if condition_holds(condition, at, sizes, read) else otherwise)
        case Element() | Reduction("argmax") | Apply():
            return read(node, at)
        case Reduction():
            return _reduced(node, at, sizes, read)
    raise NotationError(worded("a {kind} is no position", kind=type(node).__name__))


def _power(base: Any, exponent: Any) -> Any:
    if exponent < 0 and base == 0:
        raise NotationError(worded("a position divides by 0"), remedy=worded("divide by what is never 0"))
    expect_few_digits(base, exponent)
    return Fraction(base) ** exponent if exponent < 0 else base**exponent


def expect_few_digits(base: Any, exponent: Any) -> None:
    """NotationError where the power of an integer, or a ratio, has too many digits to be worked out."""
    number = Fraction(base)
    bits = (max(abs(number.numerator), number.denominator) - 1).bit_length()
    if bits * abs(exponent) > MOST_BITS:
        raise NotationError(
            worded("{base}^{exponent} has too many digits to be worked out", base=base, exponent=exponent),
            remedy=worded("bound the exponents of positions and of conditions on integers"),
        )


def _reduced(node: Reduction, at: Positions, sizes: Mapping[str, int], read: Reader) -> Any:
    ranges = [range(sizes[index.axis.name]) for index in node.indices]
    numbers = [
        integer_value(node.body, {**at, **dict(zip(node.indices, place, strict=True))}, sizes, read)
        for place in itertools.product(*ranges)
    ]
    if not numbers and node.kind in ("max", "min"):
        raise NotationError(worded("the {node} over an empty axis has no value", node=node.kind))
    return _REDUCED[node.kind](numbers)


def condition_holds(node: Expression, at: Positions, sizes: Mapping[str, int], read: Reader) -> bool:
    """Whether a condition holds: on integers and their ratios, worked out exactly, or on what is read."""
    match node:
        case Comparison() if node.tensors:
            return bool(read(node, at))
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
    raise NotationError(worded("a {kind} is not a condition", kind=type(node).__name__))
