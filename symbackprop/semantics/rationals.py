"""Integer expressions at many points at once, exactly: pairs of a numerator and a positive denominator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import NotationError
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
from symbackprop.semantics.array_functions import compared

Array: TypeAlias = NDArray[Any]
Rational: TypeAlias = tuple[Array, Array]


@dataclass(frozen=True)
class Rationals:
    """Works out integer expressions where the indices stand at `positions` and axes have these sizes.

    `read` gives the elements of an integer tensor, `reduced` the value of a reduction: an argmax.
    """

    positions: Mapping[Index, Array]
    sizes: Mapping[str, int]
    read: Callable[[Element], Array]
    reduced: Callable[[Expression], Array]

    def value(self, node: Expression) -> Array:
        """The integer at each point, int64; NotationError for what is no integer."""
        numerator, denominator = self._rational(node)
        if np.any(numerator % denominator):
            raise NotationError(f"a {type(node).__name__} gives a fraction where an integer is needed")
        return numerator // denominator

    def _rational(self, node: Expression) -> Rational:
        match node:
            case Index():
                return _whole(self.positions[node])
            case Number(value):
                return np.asarray(value.numerator), np.asarray(value.denominator)
            case Size(axis):
                return _whole(np.asarray(self.sizes[axis.name]))
            case Add(terms):
                total = _whole(np.asarray(0))
                for term in terms:
                    total = _sum(total, self._rational(term))
                return total
            case Multiply(factors):
                product = _whole(np.asarray(1))
                for factor in factors:
                    product = _product(product, self._rational(factor))
                return product
            case Power(base, Number(exponent)) if exponent.denominator == 1:
                return _power(self._rational(base), int(exponent))
            case Apply(function, arguments) if function in _FUNCTIONS:
                return _FUNCTIONS[function](*[self._rational(argument) for argument in arguments])
            case Delta(left, right):
                return _whole(self._compared("==", left, right).astype(np.int64))
            case Where(condition, chosen, otherwise):
                return _where(self.holds(condition), self._rational(chosen), self._rational(otherwise))
            case Element():
                return _whole(self.read(node))
            case Reduction():
                return _whole(np.real(self.reduced(node)).astype(np.int64))
        raise NotationError(f"a {type(node).__name__} is no position")

    def holds(self, condition: Expression) -> Array:
        """Whether a condition on integers holds, at each point."""
        match condition:
            case Comparison(operator, left, right):
                return self._compared(operator, left, right)
            case Logic("not", (operand,)):
                return ~self.holds(operand)
            case Logic(operator, operands):
                join = np.logical_and if operator == "and" else np.logical_or
                found = self.holds(operands[0])
                for operand in operands[1:]:
                    found = join(found, self.holds(operand))
                return found
        raise NotationError(f"a {type(condition).__name__} is not a condition")

    def _compared(self, operator: str, left: Expression, right: Expression) -> Array:
        (a, b), (c, d) = self._rational(left), self._rational(right)
        return np.asarray(compared(operator, a * d, c * b))


def _whole(numbers: Array) -> Rational:
    return numbers, np.asarray(1)


def _sum(left: Rational, right: Rational) -> Rational:
    return left[0] * right[1] + right[0] * left[1], left[1] * right[1]


def _product(left: Rational, right: Rational) -> Rational:
    return left[0] * right[0], left[1] * right[1]


def _power(base: Rational, exponent: int) -> Rational:
    numerator, denominator = base if exponent >= 0 else base[::-1]
    numerator, denominator = numerator ** abs(exponent), denominator ** abs(exponent)
    return numerator * np.sign(denominator), np.abs(denominator)


def _floor(argument: Rational) -> Rational:
    return _whole(argument[0] // argument[1])


def _mod(number: Rational, divisor: Rational) -> Rational:
    times = _floor(_product(number, _power(divisor, -1)))
    return _sum(number, _product(_whole(np.asarray(-1)), _product(divisor, times)))


def _where(holds: Array, chosen: Rational, otherwise: Rational) -> Rational:
    return np.where(holds, chosen[0], otherwise[0]), np.where(holds, chosen[1], otherwise[1])


def _max(left: Rational, right: Rational) -> Rational:
    return _where(left[0] * right[1] >= right[0] * left[1], left, right)


def _min(left: Rational, right: Rational) -> Rational:
    return _where(left[0] * right[1] <= right[0] * left[1], left, right)


_FUNCTIONS: Mapping[str, Callable[..., Rational]] = {"floor": _floor, "mod": _mod, "max": _max, "min": _min}
