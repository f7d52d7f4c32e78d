"""Loss and gradients by the chain rule as it was typed, in any arithmetic: what modules are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import mpmath
import numpy as np
from numpy.typing import NDArray

from symbackprop.derivation.result import Derivation
from symbackprop.sampling.small_axes import evaluation_visits
from symbackprop.semantics.array_numbers import ArrayNumbers, PreciseNumbers, RoundedNumbers
from symbackprop.semantics.systems import evaluate_system
from symbackprop.semantics.unbounded_numbers import UnboundedNumbers
from symbackprop.systems.system import Equation
from symbackprop.verification.unsimplified import (
    chain_rule_of,
    never,
    reads_value_alone,
    unsimplified_adjoints,
)

Array: TypeAlias = NDArray[Any]
Floating: TypeAlias = type[np.floating[Any]]

PRECISE = PreciseNumbers()
DIGITS = 60
DIGITS_OF_NOISE = 20  # the last digits of a truth are rounding too
ROUNDINGS = 3  # evaluations with random rounding, beside one with rounding to the nearest
MOST_VISITS = 1_000_000  # nodes at which high precision evaluates the equations, some microseconds each


@dataclass(frozen=True)
class Truth:
    """Loss and gradients with many digits; what is below `noise` is their rounding, or 0."""

    values: Mapping[str, Array]
    noise: Any

    @property
    def largest(self) -> float:
        """The largest finite magnitude of all, or 1 where that is 0."""
        return float(largest_finite(self.values.values())) or 1.0

    def error(self, name: str, found: Any) -> float:
        """The largest distance of an element from the truth; infinite where one is not finite."""
        with np.errstate(invalid="ignore"):  # what is no number here is none there
            array = PRECISE.exact(found)
        truth = self.values[name]
        if array.shape != truth.shape or not all(map(mpmath.isfinite, array.ravel())):
            return float("inf")
        with mpmath.workdps(DIGITS):
            apart = (abs(own - true) for own, true in _pairs(array, truth))
            return float(max(apart, default=mpmath.mpf(0)))

    def size(self, name: str) -> float:
        """The largest magnitude, 0 where all is rounding."""
        largest = largest_finite([self.values[name]])
        return float(largest) if largest > self.noise else 0.0

    def relative_error(self, name: str, found: Any, precision: Floating) -> float:
        """The error over the largest magnitude of the tensor, or of all where that is 0."""
        scale = max(self.size(name) or self.largest, float(np.finfo(precision).tiny))
        return self.error(name, found) / scale

    def error_among_all(self, name: str, found: Any) -> float:
        """The error over the largest magnitude of loss and all gradients."""
        return self.error(name, found) / self.largest

    def is_held_by(self, name: str, precision: Floating) -> bool:
        """Whether every element is finite, and no larger than this precision can hold."""
        most = float(np.finfo(precision).max)
        return all(mpmath.isfinite(true) and abs(true) <= most for true in self.values[name].ravel())


def largest_finite(arrays: Iterable[Array]) -> Any:
    """The largest magnitude that is finite, as mpmath's number."""
    finite = (abs(each) for array in arrays for each in array.ravel() if mpmath.isfinite(each))
    return max(finite, default=mpmath.mpf(0))


def _pairs(array: Array, truth: Array) -> Iterable[tuple[Any, Any]]:
    return zip(array.ravel(), truth.ravel(), strict=True)


@dataclass(frozen=True)
class AsTyped:
    """The loss by the model's equations, and its derivatives before any simplification."""

    derivation: Derivation

    @property
    def names(self) -> tuple[str, ...]:
        """The loss, then the tensors that gradients were asked for."""
        return (str(self.derivation.system.loss), *self.derivation.wrt)

    def in_numbers(
        self,
        numbers: ArrayNumbers,
        values: Mapping[str, Array],
        sizes: Mapping[str, int],
        chain_rule: Mapping[str, Equation] | None = None,
    ) -> dict[str, Array]:
        """Loss and gradients in this arithmetic, by this chain rule or as differentiation leaves it."""
        known = evaluate_system(self.derivation.system, values, sizes, numbers=numbers)
        adjoints = unsimplified_adjoints(self.derivation, known, sizes, numbers, chain_rule)
        return {name: np.asarray(adjoints[name] if name in adjoints else known[name]) for name in self.names}

    def truth(self, values: Mapping[str, Array], sizes: Mapping[str, int], reach: float) -> Truth | None:
        """With sixty digits, and more where exponents of e up to `reach` meet a 1.

        None where that would take too long.
        """
        if evaluation_visits(self.derivation.system, sizes) > MOST_VISITS:
            return None
        digits = DIGITS + int(reach)
        with mpmath.workdps(digits):
            found = self.in_numbers(PRECISE, values, sizes)
            noise = largest_finite(found.values()) * mpmath.mpf(10) ** (DIGITS_OF_NOISE - digits)
        return Truth(found, noise)

    def rounded(
        self, precision: Floating, values: Mapping[str, Array], sizes: Mapping[str, int]
    ) -> Iterator[dict[str, Array]]:
        """In float32 or float64: rounded to the nearest number, then at random a few times.

        First as differentiation leaves the local derivatives, then with those in the value's own terms: every
        textbook writes y*(1 - y) for y = sigmoid(u), which has what digits of 1 - y the y as typed holds.
        """
        for chain_rule, rng in self._evaluations:
            yield self.in_numbers(RoundedNumbers(precision, rng), values, sizes, chain_rule)

    def unbounded(
        self, precision: Floating, values: Mapping[str, Array], sizes: Mapping[str, int]
    ) -> Iterator[dict[str, Array]]:
        """The same with that precision's digits, and exponents of any size."""
        for chain_rule, rng in self._evaluations:
            numbers = UnboundedNumbers.of(precision, rng)
            with mpmath.workprec(numbers.bits):
                found = self.in_numbers(numbers, values, sizes, chain_rule)
            yield found

    @property
    def _evaluations(self) -> Iterator[tuple[dict[str, Equation], np.random.Generator | None]]:
        for is_closed in (never, reads_value_alone):
            chain_rule = chain_rule_of(self.derivation, is_closed)
            for rng in (None, *map(np.random.default_rng, range(ROUNDINGS))):
                yield chain_rule, rng
