"""The numbers that the fast evaluator computes with, many at a time: float64, other precisions, mpmath's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import Any, ClassVar, TypeAlias

import mpmath
import numpy as np
from numpy.typing import NDArray

from symbackprop.functions.table import FUNCTIONS
from symbackprop.semantics.array_functions import power_values, values_of
from symbackprop.semantics.number_systems import applied_as_ieee, power_as_ieee

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class ArrayNumbers:
    """float64 and complex numbers, as NumPy computes with them.

    `by_definition` says that a function which stands for a formula is worked out by it, `underflows` that a
    small number may come out as 0.
    """

    by_definition: ClassVar[bool] = False
    underflows: ClassVar[bool] = True

    @property
    def of_conditions(self) -> ArrayNumbers:
        """What positions and both sides of comparisons are computed with."""
        return self

    def exact(self, array: Array) -> Array:
        """What an array of numbers is here."""
        return np.asarray(array)

    def result(self, array: Array) -> Array:
        """What was worked out by many operations at once, as an inverse."""
        return self.exact(array)

    def number(self, value: Fraction) -> Array:
        """A rational."""
        return np.asarray(value.numerator / value.denominator)

    def pi(self) -> Array:
        """The constant."""
        return np.asarray(np.pi)

    def add(self, left: Array, right: Array) -> Array:
        """left + right."""
        return np.asarray(left + right)

    def multiply(self, left: Array, right: Array) -> Array:
        """left * right."""
        return np.asarray(left * right)

    def power(self, base: Array, exponent: Array) -> Array:
        """base ^ exponent."""
        return power_values(base, exponent)

    def apply(self, function: str, arguments: Sequence[Array]) -> Array:
        """A function of the language."""
        return values_of(function, arguments)

    def total(self, rows: Array) -> Array:
        """The sum of each row."""
        return np.asarray(np.sum(rows, axis=1))

    def product(self, rows: Array) -> Array:
        """The product of each row."""
        return np.asarray(np.prod(rows, axis=1))

    def entries(self, matrix: Array) -> list[list[Any]]:
        """A matrix as rows of single numbers of this kind."""
        rows: list[list[Any]] = matrix.tolist()
        return rows


DOUBLE = ArrayNumbers()

WIDER: dict[type[np.floating[Any]], type[np.floating[Any]]] = {
    np.float32: np.float64,
    np.float64: np.longdouble,
}


@dataclass(frozen=True)
class NumbersInTurn(ArrayNumbers):
    """Numbers that are added up and multiplied one after the other, each result in their own precision."""

    def total(self, rows: Array) -> Array:
        """Rounded after each term."""
        return reduce(self.add, rows.T, self.exact(np.zeros(len(rows))))

    def product(self, rows: Array) -> Array:
        """Rounded after each factor."""
        return reduce(self.multiply, rows.T, self.exact(np.ones(len(rows))))


@dataclass(frozen=True)
class RoundedNumbers(NumbersInTurn):
    """float32 or float64, every single operation rounded: to the nearest number, or up or down at random.

    Random rounding shows what the digits of a computation are worth, where one result may be good by luck
    (J. Vignes, Math. Comput. Simul. 35, 1993; D. S. Parker, Monte Carlo arithmetic, UCLA, 1997): a result
    that can be represented is never moved, so that differences of close numbers stay exact. Each operation
    is done in the next wider format, sums from left to right. With a `salt`, equal values of a function or
    a power are rounded alike, as those of equal arguments are in a program.
    """

    narrow: type[np.floating[Any]]
    rng: np.random.Generator | None = field(default=None, compare=False)
    salt: int | None = None

    def _wide(self, array: Array) -> Array:
        return np.asarray(array).astype(WIDER[self.narrow])

    def _rounded(self, wide: Array, of_function: bool = False) -> Array:
        wide = np.asarray(wide)
        nearest = wide.astype(self.narrow)
        if self.rng is None:
            return nearest
        other = np.nextafter(nearest, np.where(wide > nearest, np.inf, -np.inf).astype(self.narrow))
        by_value = of_function and self.salt is not None
        coins = self._coins(nearest) if by_value else self.rng.random(wide.shape) < 0.5
        return np.where((wide != nearest) & np.isfinite(other) & coins, other, nearest)

    def _coins(self, values: Array) -> Array:
        """A coin that is the same for equal values: the first bit of a multiplicative hash."""
        bits = np.atleast_1d(values.astype(np.float64)).view(np.uint64)
        mixed = (bits ^ np.uint64(self.salt or 0)) * np.uint64(0x9E3779B97F4A7C15)
        return np.asarray((mixed >> np.uint64(63)) == 1).reshape(values.shape)

    def exact(self, array: Array) -> Array:
        """Data that this precision does not hold are rounded to the nearest number."""
        return np.asarray(array).astype(self.narrow)

    def number(self, value: Fraction) -> Array:
        """The nearest number."""
        return np.asarray(self.narrow(value.numerator / value.denominator))

    def pi(self) -> Array:
        """The nearest number."""
        return np.asarray(self.narrow(np.pi))

    def add(self, left: Array, right: Array) -> Array:
        """The rounded sum."""
        return self._rounded(self._wide(left) + self._wide(right))

    def multiply(self, left: Array, right: Array) -> Array:
        """The rounded product."""
        return self._rounded(self._wide(left) * self._wide(right))

    def power(self, base: Array, exponent: Array) -> Array:
        """The rounded power."""
        return self._rounded(np.power(self._wide(base), self._wide(exponent)), of_function=True)

    def apply(self, function: str, arguments: Sequence[Array]) -> Array:
        """The rounded value."""
        return self._rounded(values_of(function, [self._wide(each) for each in arguments]), of_function=True)

    def entries(self, matrix: Array) -> list[list[Any]]:
        """NumPy's own scalars, which keep their precision."""
        return [list(row) for row in matrix]


@dataclass(frozen=True)
class PerturbedNumbers(ArrayNumbers):
    """float64, the result of every operation multiplied by 1 + or - a relative amount, at random.

    How far a value moves says what its terms lose to rounding, also where they cancel exactly, as in
    x - mean(x) over one x (D. S. Parker, Monte Carlo arithmetic, UCLA, 1997). Conditions are not moved.
    """

    amount: float
    rng: np.random.Generator = field(compare=False)

    def _moved(self, array: Array) -> Array:
        return np.asarray(array * (1.0 + self.amount * self.rng.choice((-1.0, 1.0), np.shape(array))))

    @property
    def of_conditions(self) -> ArrayNumbers:
        """Undisturbed."""
        return DOUBLE

    def add(self, left: Array, right: Array) -> Array:
        """The sum, moved."""
        return self._moved(left + right)

    def multiply(self, left: Array, right: Array) -> Array:
        """The product, moved."""
        return self._moved(left * right)

    def power(self, base: Array, exponent: Array) -> Array:
        """The power, moved."""
        return self._moved(power_values(base, exponent))

    def apply(self, function: str, arguments: Sequence[Array]) -> Array:
        """The value, moved."""
        return self._moved(values_of(function, arguments))

    def total(self, rows: Array) -> Array:
        """The sum of moved terms."""
        return np.asarray(np.sum(self._moved(rows), axis=1))

    def product(self, rows: Array) -> Array:
        """The product of moved factors."""
        return np.asarray(np.prod(self._moved(rows), axis=1))

    def entries(self, matrix: Array) -> list[list[Any]]:
        """The entries, moved by a part of the largest beside them: elimination fills zeros (Higham, 2002)."""
        sizes = np.abs(matrix)
        beside = np.minimum(sizes.max(axis=0, initial=0.0), sizes.max(axis=1, initial=0.0)[:, None])
        moves = self.amount * self.rng.choice((-1.0, 1.0), np.shape(matrix))
        rows: list[list[Any]] = (matrix + moves * beside).tolist()
        return rows


@dataclass(frozen=True)
class CancellingNumbers(ArrayNumbers):
    """float64, a sum within this part of its terms `cancelled`: what is left of them is rounding.

    Where x - mean(x) over one x is 0 or 1e-17, the one as good as the other, its root has a slope or none.
    """

    part: float
    cancelled: float = 0.0

    def _of_terms(self, total: Array, terms: Array) -> Array:
        cancels = (np.abs(total) <= self.part * terms) & (terms > 0) & np.isfinite(terms)
        return np.where(cancels, self.cancelled, total)

    @property
    def of_conditions(self) -> ArrayNumbers:
        """Whatever rounding leaves."""
        return DOUBLE

    def add(self, left: Array, right: Array) -> Array:
        """The sum, unless its terms cancel."""
        return self._of_terms(np.asarray(left + right), np.maximum(np.abs(left), np.abs(right)))

    def total(self, rows: Array) -> Array:
        """The sum of each row, unless its terms cancel."""
        return self._of_terms(np.sum(rows, axis=1), np.max(np.abs(rows), axis=1, initial=0.0))


@dataclass(frozen=True)
class PreciseNumbers(ArrayNumbers):
    """mpmath's numbers, in arrays of objects, with as many digits as its context says."""

    by_definition: ClassVar[bool] = True
    underflows: ClassVar[bool] = False

    def exact(self, array: Array) -> Array:
        """Every number as mpmath's."""
        array = np.asarray(array)
        return array if array.dtype == object else _objects(_CONVERTED(array))

    def number(self, value: Fraction) -> Array:
        """A rational to all digits."""
        return _objects(mpmath.mpf(value.numerator) / value.denominator)

    def pi(self) -> Array:
        """The constant to all digits."""
        return _objects(+mpmath.mp.pi)

    def power(self, base: Array, exponent: Array) -> Array:
        """0^-1 is infinite, a root of a negative number no number."""
        return _objects(_POWER(base, exponent))

    def apply(self, function: str, arguments: Sequence[Array]) -> Array:
        """A function that has no definition."""
        precise = FUNCTIONS[function].precise
        assert precise is not None, f"'{function}' is evaluated by its definition"
        of_one = np.frompyfunc(lambda *numbers: applied_as_ieee(precise, *numbers), len(arguments), 1)
        return _objects(of_one(*arguments))

    def add(self, left: Array, right: Array) -> Array:
        """left + right."""
        return _objects(left + right)

    def multiply(self, left: Array, right: Array) -> Array:
        """left * right."""
        return _objects(left * right)


def _objects(found: Any) -> Array:
    """An array of objects, of a single one too: NumPy gives the number itself where there are no axes."""
    return np.asarray(found, dtype=object)


_POWER = np.frompyfunc(power_as_ieee, 2, 1)
_CONVERTED = np.frompyfunc(mpmath.mpf, 1, 1)
