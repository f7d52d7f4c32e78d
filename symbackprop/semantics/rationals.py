"""Integer expressions at many points at once, exactly: pairs of a numerator and a positive denominator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import NotationError
from symbackprop.integers.choices import Choice, choices_in, is_certain
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
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.semantics.array_functions import compared, float64_of
from symbackprop.semantics.evaluation import read_outside
from symbackprop.semantics.guards import Guards
from symbackprop.semantics.integer_values import expect_few_digits
from symbackprop.semantics.points import Points

Array: TypeAlias = NDArray[Any]
Rational: TypeAlias = tuple[Array, Array]
_ONE: Array = np.asarray(1)  # the denominator of what is whole, told by its identity


class Evaluator(Protocol):
    """What is no arithmetic of integers is the evaluator's: elements, reductions, conditions."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Axis name to size."""

    def at_points(self, expression: Expression, points: Points) -> Array:
        """The value at each point."""

    def holds(self, condition: Expression, points: Points) -> Array:
        """Whether a condition holds, at each point."""

    def under(self, condition: Expression, holds: bool = True) -> Evaluator:
        """The same at points where a condition holds, or where it does not."""

    @property
    def guards(self) -> Guards:
        """What holds at every point."""


@dataclass(frozen=True)
class Rationals:
    """Works out integer expressions, and ratios of them."""

    evaluator: Evaluator

    def value(self, node: Expression, points: Points) -> Array:
        """The integer at each point, int64; NotationError for what is no integer."""
        numerator, denominator = self._rational(node, points)
        if denominator is not _ONE:
            if np.any(numerator % denominator):
                raise NotationError(
                    worded("a {kind} gives a fraction where an integer is needed", kind=type(node).__name__)
                )
            numerator = numerator // denominator
        return points.each(_machine_integers(numerator))

    def in_float64(self, node: Expression, points: Points) -> Array:
        """What indices and sizes alone decide and is rounded, at each point, whatever is computed with."""
        return np.asarray(float64_of(node, partial(self.value, points=points)))

    def places(
        self, tensor: str, positions: Sequence[Expression], values: Mapping[str, Array], points: Points
    ) -> list[Array]:
        """Where a tensor is read, each broadcast to the points; VerificationError outside its axes.

        So do all positions between which real numbers choose: a module looks at each that its guards leave.
        """

        def decides(condition: Expression) -> bool:
            names = condition.tensors
            return is_certain(
                condition, [each for each in names if np.asarray(values[each]).dtype.kind in "iu"]
            )

        array, places = values[tensor], []
        for position, size in zip(positions, np.shape(array), strict=False):
            choices = choices_in(position, decides)
            at = points.of(position.free_indices) if len(choices) == 1 and points.count else points
            own = self.value(position, at)
            places.append(own.reshape(at.shape))
            if len(choices) > 1:
                choices = choices_in(position, decides, self.evaluator.guards.at(points))
            looked_at = [own] if len(choices) == 1 else [self._chosen(each, points) for each in choices]
            if any(np.any((each < 0) | (each >= size)) for each in looked_at):
                raise read_outside(tensor, array)
        return places

    def _chosen(self, choice: Choice, points: Points) -> Array:
        """The position of a choice, at the points at which its conditions hold."""
        # What reads a tensor comes last: it may do so outside where the others do not hold.
        for condition in sorted(choice.conditions, key=lambda each: bool(each.tensors)):
            free = choice.position.free_indices.union(*(each.free_indices for each in choice.conditions))
            points = points.where(self.evaluator.holds(condition, points), free)
        return self.value(choice.position, points)

    def compared(self, condition: Comparison, points: Points) -> Array:
        """Whether a comparison of ratios holds, at each point."""
        left, right = (self._rational(side, points) for side in condition.children)
        return points.each(compared(condition.operator, *_over_one_denominator(left, right)))

    def _rational(self, node: Expression, points: Points) -> Rational:
        if not points.count:
            return _whole(np.zeros(0, dtype=np.int64))  # where nothing is read, nothing divides by 0
        match node:
            case Index():
                return _whole(points.positions(node))
            case Number(value):
                whole = _whole(np.asarray(value.numerator))
                return whole if value.denominator == 1 else (whole[0], np.asarray(value.denominator))
            case Size(axis):
                return _whole(np.asarray(self.evaluator.sizes[axis.name]))
            case Add(terms):
                return reduce(_sum, [self._rational(term, points) for term in terms])
            case Multiply(factors):
                return reduce(_product, [self._rational(factor, points) for factor in factors])
            case Power(base, exponent):
                return _power(self._rational(base, points), self.value(exponent, points))
            case Apply() if is_rounded_of_indices(node):
                return _whole(_as_integers(self.in_float64(node, points)))
            case Apply(function, arguments) if function in _FUNCTIONS:
                return _FUNCTIONS[function](*[self._rational(argument, points) for argument in arguments])
            case Delta(left, right):
                return _whole(self.compared(Comparison("==", left, right), points).astype(np.int64))
            case Where(condition, chosen, otherwise):
                return self._where(condition, chosen, otherwise, points)
            case Element() | Reduction() | Apply():
                return _whole(_as_integers(np.real(self.evaluator.at_points(node, points))))
        raise NotationError(worded("a {kind} is no position", kind=type(node).__name__))

    def _where(
        self, condition: Expression, chosen: Expression, otherwise: Expression, points: Points
    ) -> Rational:
        """What is not chosen is not read."""
        holds = self.evaluator.holds(condition, points)
        result = np.zeros(points.count, dtype=np.int64), np.ones(points.count, dtype=np.int64)
        for mask, branch, is_chosen in ((holds, chosen, True), (~holds, otherwise, False)):
            if mask.any():
                inside = Rationals(self.evaluator.under(condition, is_chosen))
                found = inside._rational(branch, points.where(mask, branch.free_indices))
                if any(part.dtype == object for part in found):
                    result = result[0].astype(object), result[1].astype(object)
                for part, values in zip(result, found, strict=True):
                    part[mask] = values
        return result


def _as_integers(numbers: Array) -> Array:
    if numbers.dtype.kind == "f" and not np.all(np.isfinite(numbers)):
        raise NotationError(worded("a position is not finite"), remedy=worded("guard it by a where"))
    return numbers.astype(np.int64)


def _machine_integers(numbers: Array) -> Array:
    """Integers of any length as int64; NotationError where one is none."""
    if numbers.dtype != object:
        return numbers
    try:
        return numbers.astype(np.int64)
    except OverflowError:
        raise NotationError(
            worded("an integer is too large for a position"), remedy=worded("take it mod(...)")
        ) from None


def _whole(numbers: Array) -> Rational:
    return numbers, _ONE


def _over_one_denominator(left: Rational, right: Rational) -> tuple[Array, Array]:
    """The numerators; most rationals are whole, so that there is nothing to multiply by."""
    if left[1] is right[1]:
        return left[0], right[0]
    return left[0] * right[1], right[0] * left[1]


def _sum(left: Rational, right: Rational) -> Rational:
    one, other = _over_one_denominator(left, right)
    return one + other, left[1] if left[1] is right[1] else left[1] * right[1]


def _product(left: Rational, right: Rational) -> Rational:
    are_whole = left[1] is _ONE and right[1] is _ONE
    return left[0] * right[0], _ONE if are_whole else left[1] * right[1]


def _power(base: Rational, exponent: Array) -> Rational:
    numerator, denominator = (np.where(exponent < 0, one, other) for one, other in (base[::-1], base))
    if np.any(denominator == 0):
        raise NotationError(worded("a position divides by 0"), remedy=worded("divide by what is never 0"))
    largest = [int(np.max(np.abs(part), initial=0)) for part in (numerator, denominator, exponent)]
    for part in largest[:2]:
        expect_few_digits(part, largest[2])
    if max(largest[:2]).bit_length() * largest[2] >= 63:
        numerator, denominator = numerator.astype(object), denominator.astype(object)  # of any length
    numerator, denominator = numerator ** np.abs(exponent), denominator ** np.abs(exponent)
    return numerator * np.sign(denominator), np.abs(denominator)


def _floor(argument: Rational) -> Rational:
    return _whole(argument[0] // argument[1])


def _mod(number: Rational, divisor: Rational) -> Rational:
    if np.any(divisor[0] == 0):
        raise NotationError(
            worded("a remainder by 0 has no value"), remedy=worded("divide by what is never 0")
        )
    if number[1] is _ONE and divisor[1] is _ONE:
        return _whole(number[0] % divisor[0])
    times = _floor(_product(number, _power(divisor, np.asarray(-1))))
    return _sum(number, _product(_whole(np.asarray(-1)), _product(divisor, times)))


def _chosen(holds: Array, chosen: Rational, otherwise: Rational) -> Rational:
    return np.where(holds, chosen[0], otherwise[0]), np.where(holds, chosen[1], otherwise[1])


def _max(left: Rational, right: Rational) -> Rational:
    return _chosen(left[0] * right[1] >= right[0] * left[1], left, right)


def _min(left: Rational, right: Rational) -> Rational:
    return _chosen(left[0] * right[1] <= right[0] * left[1], left, right)


def _abs(argument: Rational) -> Rational:
    return np.abs(argument[0]), argument[1]


_FUNCTIONS: Mapping[str, Callable[..., Rational]] = {
    "floor": _floor,
    "mod": _mod,
    "max": _max,
    "min": _min,
    "abs": _abs,
}
