"""A judge that reads what is chosen and nothing else: the complex step, element by element from the loss.

What a `where` leaves out is never looked at here, whichever equation it stands in: the derivative is finite
wherever that of all that is read is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbackprop.semantics.naive import Array, NaiveEvaluator
from symbackprop.systems.system import System

STEP = 1e-40


@dataclass(frozen=True)
class LazyEvaluator(NaiveEvaluator):
    """Computes an element of a derived tensor when it is read."""

    system: System | None = None
    found: dict[tuple[str, tuple[int, ...]], Any] = field(default_factory=dict)

    def _element(self, tensor: str, positions: list[Any]) -> Any:
        if tensor in self.values:
            return super()._element(tensor, positions)
        assert self.system is not None
        place = (tensor, tuple(positions))
        if place not in self.found:
            equation = self.system.definitions[tensor]
            at = dict(zip(equation.indices, positions, strict=True))
            self.found[place] = self._value(equation.expression, at)
        return self.found[place]


def lazy_loss(system: System, values: Mapping[str, Array], sizes: Mapping[str, int]) -> Any:
    """The loss, where all that is read is computed on demand."""
    assert system.loss is not None
    with np.errstate(all="ignore"):
        evaluator = LazyEvaluator(values, sizes, system=system)
        return evaluator.expression(system.definitions[system.loss].expression)


def lazy_gradient(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int], tensor: str
) -> Array:
    """dE/dt for every element of a declared tensor."""
    base = np.asarray(values[tensor], dtype=float)
    gradient = np.zeros(base.shape)
    for place in np.ndindex(base.shape):
        moved = base.astype(complex)
        moved[place] += 1j * STEP
        gradient[place] = np.imag(lazy_loss(system, {**values, tensor: moved}, sizes)) / STEP
    return gradient
