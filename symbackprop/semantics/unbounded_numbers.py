"""Numbers with the digits of float32 or float64, and exponents of any size, so that nothing overflows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, TypeAlias

import mpmath
import numpy as np
from numpy.typing import NDArray

from symbackprop.functions.table import FUNCTIONS
from symbackprop.notation.expressions import Apply, Element
from symbackprop.semantics.array_numbers import NumbersInTurn, PreciseNumbers
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.semantics.number_systems import PRECISE as ONE_BY_ONE

Array: TypeAlias = NDArray[Any]
PRECISE = PreciseNumbers()
WIDER = 3  # times as many digits, in which one operation is done before it is rounded


@dataclass(frozen=True)
class UnboundedNumbers(NumbersInTurn):
    """mpmath's numbers, every operation rounded to `bits` binary digits, to the nearest or as `rng` says.

    What a computation keeps of its digits where only the range of its numbers is at fault: exp(100) is no
    number of float32, and log(exp(100)) as good as any.
    """

    underflows: ClassVar[bool] = False

    bits: int
    rng: np.random.Generator | None = field(default=None, compare=False)

    @staticmethod
    def of(precision: type[np.floating[Any]], rng: np.random.Generator | None = None) -> UnboundedNumbers:
        """With the digits of this precision."""
        return UnboundedNumbers(np.finfo(precision).nmant + 1, rng)

    def _rounded(self, work: Callable[[], Array]) -> Array:
        with mpmath.workprec(WIDER * self.bits):
            wide = np.asarray(work(), dtype=object)
        found = [self._one(each) for each in wide.ravel()]
        rounded = np.empty(wide.size, dtype=object)
        rounded[:] = found
        return rounded.reshape(wide.shape)

    def _one(self, number: Any) -> Any:
        way = "n" if self.rng is None else "du"[self.rng.random() < 0.5]
        return mpmath.fmul(number, 1, prec=self.bits, rounding=way)

    def exact(self, array: Array) -> Array:
        """Data that these digits do not hold are rounded."""
        array = np.asarray(array)
        return array if array.dtype == object else self._rounded(lambda: PRECISE.exact(array))

    def number(self, value: Fraction) -> Array:
        """The nearest number."""
        return UnboundedNumbers(self.bits)._rounded(lambda: PRECISE.number(value))

    def pi(self) -> Array:
        """The nearest number."""
        return UnboundedNumbers(self.bits)._rounded(PRECISE.pi)

    def add(self, left: Array, right: Array) -> Array:
        """The rounded sum."""
        return self._rounded(lambda: PRECISE.add(left, right))

    def multiply(self, left: Array, right: Array) -> Array:
        """The rounded product."""
        return self._rounded(lambda: PRECISE.multiply(left, right))

    def power(self, base: Array, exponent: Array) -> Array:
        """The rounded power."""
        return self._rounded(lambda: PRECISE.power(base, exponent))

    def apply(self, function: str, arguments: Sequence[Array]) -> Array:
        """The rounded value; of a function that has a definition, by that, with more digits."""
        if FUNCTIONS[function].precise is not None:
            return self._rounded(lambda: PRECISE.apply(function, arguments))
        of_one = np.frompyfunc(lambda *numbers: _by_definition(function, numbers), len(arguments), 1)
        return self._rounded(lambda: of_one(*arguments))


def _by_definition(function: str, numbers: Sequence[Any]) -> Any:
    values = {f"argument {place}": np.array(each, dtype=object) for place, each in enumerate(numbers)}
    of_arguments = Apply(function, tuple(Element(name, ()) for name in values))
    return NaiveEvaluator(values, {}, ONE_BY_ONE).expression(of_arguments)
