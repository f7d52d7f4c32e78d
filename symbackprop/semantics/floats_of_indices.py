"""Real numbers that indices and sizes alone decide, as operations on float64, for positions that round them.

    rb[floor(log(t/8)/log(16)*8)]

In float32, or in another order, the quotient may be less than 2 where it is 2, and another bin is read. So a
program and the evaluators of the language do the same operations, in float64 whatever the data are: whole
numbers and ratios of them are exact, and a product is divided once by each of its divisors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from symbackprop.integers.linear import divided
from symbackprop.integers.recognition import is_integer, is_ratio, is_rounded
from symbackprop.notation.arithmetic import base_and_exponent, power
from symbackprop.notation.expressions import (
    ONE,
    Add,
    Apply,
    Constant,
    Expression,
    Multiply,
    Number,
    Power,
)

HALF = 0.5


@dataclass(frozen=True)
class Operation:
    """An operation on numbers: `add`, `multiply`, `divide`, `power`, `sqrt`, or a function's name."""

    name: str
    arguments: tuple[Float64, ...]


# Or what is converted to float64: an expression of whole numbers, or pi.
Float64: TypeAlias = Operation | Expression


def operations_of(node: Expression) -> Float64:
    """How a number is computed that indices and sizes alone decide, as `is_rounded_of_indices` knows it."""
    if isinstance(node, Constant) or (is_integer(node) and not is_rounded(node)):
        return node
    if isinstance(node, Number) or (is_ratio(node) and not is_integer(node)):
        return Operation("divide", divided(node))
    match node:
        case Add(terms):
            return _in_turn("add", [operations_of(term) for term in terms])
        case Multiply(factors):
            return _quotient(factors)
        case Power(base, Number(exponent)) if exponent < 0:
            return _quotient((node,))
        case Power(base, Number(exponent)) if exponent == HALF:
            return Operation("sqrt", (operations_of(base),))
        case Power(base, exponent):
            return Operation("power", (operations_of(base), operations_of(exponent)))
        case Apply(function, arguments):
            return Operation(function, tuple(map(operations_of, arguments)))
    raise AssertionError(f"{node} is no number that indices alone decide")


def _quotient(factors: Sequence[Expression]) -> Float64:
    above: list[Float64] = []
    below: list[Float64] = []
    for factor in factors:
        base, exponent = base_and_exponent(factor)
        if isinstance(factor, Number):
            above.append(Number(factor.value.numerator))
            below.append(Number(factor.value.denominator))
        elif isinstance(exponent, Number) and exponent.value < 0:
            below.append(operations_of(power(base, Number(-exponent.value))))
        else:
            above.append(operations_of(factor))
    above, below = ([each for each in part if each != ONE] for part in (above, below))
    product = _in_turn("multiply", above) if above else ONE
    return reduce(lambda over, divisor: Operation("divide", (over, divisor)), below, product)


def _in_turn(name: str, numbers: Sequence[Float64]) -> Float64:
    return reduce(lambda left, right: Operation(name, (left, right)), numbers)
