"""Several tensors as one long row of numbers, so that all of them are moved along a direction at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.numerics.differences import Loss, scale_of

Array: TypeAlias = NDArray[Any]

ALL = "all"  # what the row is called in tables


@dataclass(frozen=True)
class Together:
    """Tensors at `values` plus their scale times a part of the row: 0 is where they stand."""

    values: Mapping[str, Array]
    scales: Mapping[str, float]

    @staticmethod
    def of(values: Mapping[str, Array], names: Sequence[str]) -> Together:
        """The row of these tensors, each counted in units of its root mean square."""
        return Together(values, {name: scale_of(values[name]) for name in names})

    @property
    def start(self) -> dict[str, Array]:
        """The row at 0, by its name."""
        return {ALL: np.zeros(sum(self.values[name].size for name in self.scales))}

    def loss_of(self, loss: Loss) -> Loss:
        """The loss as a function of the row."""

        def of_row(point: Mapping[str, Array]) -> Any:
            row, moved = point[ALL], dict(self.values)
            for name, scale in self.scales.items():
                start = self.values[name]
                moved[name] = start + scale * row[: start.size].reshape(start.shape)
                row = row[start.size :]
            return loss(moved)

        return of_row

    def directions(self, count: int, rng: np.random.Generator) -> Array:
        """Random signs, a direction a line."""
        return rng.choice((-1.0, 1.0), (count, *self.start[ALL].shape))


def gradient_of_row(scales: Mapping[str, float], gradients: Mapping[str, Any]) -> Array:
    """The gradient by the row, from those by the tensors (chain rule)."""
    parts = [
        scale * np.ravel(np.asarray(gradients[name], dtype=np.float64)) for name, scale in scales.items()
    ]
    return np.concatenate(parts)
