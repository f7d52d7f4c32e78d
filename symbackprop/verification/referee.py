"""Where two judges disagree: the complex step through the equations, with sixty digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import mpmath
import numpy as np
from numpy.typing import NDArray

from symbackprop.sampling.small_axes import evaluation_visits
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.number_systems import PRECISE
from symbackprop.systems.system import System

Array: TypeAlias = NDArray[Any]

DIGITS = 60
STEP = mpmath.mpf("1e-40")
MOST_VISITS = 300_000  # nodes that the naive evaluator visits for one loss, about ten microseconds each


def precisely(values: Mapping[str, Array]) -> dict[str, Array]:
    """The same numbers as mpmath's; whole numbers, which are positions, stay."""
    return {
        name: array if array.dtype.kind in "iu" else _as_objects(mpmath.mpf, array)
        for name, array in values.items()
    }


def _as_objects(number: Any, array: Array) -> Array:
    converted = np.empty(array.shape, dtype=object)
    for place in np.ndindex(array.shape):
        converted[place] = number(float(array[place]))
    return converted


def precise_values(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int]
) -> dict[str, Array] | None:
    """All tensors of a system with many digits; None where that would take too long."""
    if evaluation_visits(system, sizes) > MOST_VISITS:
        return None
    with mpmath.workdps(DIGITS):
        return evaluate(system, precisely(values), sizes, PRECISE)


@dataclass(frozen=True)
class HighPrecision:
    """dE along a direction of one tensor, by the naive evaluator; the convention at a kink is the equations'.

    The tensor may be an intermediate.
    """

    system: System
    values: Mapping[str, Array]
    sizes: Mapping[str, int]

    def __call__(self, name: str, direction: Array) -> float | None:
        """The derivative to all digits; None where it is not finite, or the model too large or without it."""
        if name not in self.system.tensors or evaluation_visits(self.system, self.sizes) > MOST_VISITS:
            return None
        loss = str(self.system.loss)
        with mpmath.workdps(DIGITS):
            point = precisely(self.values)
            if name not in point:
                point[name] = evaluate(self.system, point, self.sizes, PRECISE, only=[name])[name]
            moved = point[name].copy()
            for place in map(tuple, np.argwhere(direction)):
                moved[place] = mpmath.mpc(moved[place], STEP * float(direction[place]))
            point[name] = moved
            found = evaluate(self.system, point, self.sizes, PRECISE, only=[loss])[loss]
            return float(mpmath.im(found[()]) / STEP) if mpmath.isfinite(found[()]) else None
