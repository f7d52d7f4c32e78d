"""Two ways to a derivative that know no calculus: central differences and the complex step."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Loss: TypeAlias = Callable[[Mapping[str, Array]], Any]

EPSILON = float(np.finfo(np.float64).eps)
# The step where truncation, h^2, and rounding, eps/h, of a central difference balance; wider steps are
# extrapolated, which takes the h^2 away and leaves less rounding.
SMALLEST_STEP = EPSILON ** (1 / 3)
STEP_RATIO = 4.0
STEPS = tuple(SMALLEST_STEP * STEP_RATIO**power for power in (3, 2, 1, 0))
IMAGINARY_STEP = 1e-30


@dataclass(frozen=True)
class Quotients:
    """Difference quotients of a scalar by every element of one tensor.

    `uncertainty` is how far the two extrapolations that agree best are apart. `kink` is true where the
    function bends within the smallest step, so that no difference quotient is the derivative. `noise` is the
    rounding that a quotient carries at least.
    """

    values: Array
    uncertainty: Array
    kink: Array
    noise: float


def central_differences(loss: Loss, values: Mapping[str, Array], name: str) -> Quotients:
    """dE/dw for every element w of the tensor `name`, from loss(w + h) and loss(w - h).

    h is eps^(1/3) * max(1, |w|) and 4, 16 and 64 times that; neighbouring steps are extrapolated to h = 0
    (Richardson: (16*D(h/4) - D(h))/15) and the two neighbours that agree best are taken.
    """
    moved = np.array(values[name], dtype=np.float64)
    point: dict[str, Array] = {**values, name: moved}
    centre = float(loss(point))
    results = np.empty((4, *moved.shape))
    for place in np.ndindex(moved.shape):
        results[(slice(None), *place)] = _quotients_at(loss, point, moved, place, centre)
    quotients, uncertainty, bend, wider_bend = results
    noise = EPSILON * abs(centre) / SMALLEST_STEP
    kink = (np.abs(bend) > 0.5 * np.abs(wider_bend)) & (np.abs(bend) > 100 * noise)
    return Quotients(quotients, uncertainty, kink, noise)


def _quotients_at(
    loss: Loss, point: Mapping[str, Array], moved: Array, place: tuple[int, ...], centre: float
) -> tuple[float, float, float, float]:
    """The quotient, its uncertainty, and forward less backward quotient for the two smallest steps.

    That last difference is h times the curvature where the function is smooth, so that it shrinks with h;
    over a kink it stays.
    """
    start = moved[place]
    quotients, bends = [], []
    for step in STEPS:
        distance = step * max(1.0, abs(float(start)))
        above, below = start + distance, start - distance
        moved[place] = above
        ahead = float(loss(point))
        moved[place] = below
        behind = float(loss(point))
        quotients.append((ahead - behind) / (above - below))
        bends.append((ahead - 2 * centre + behind) / distance)
    moved[place] = start
    weight = STEP_RATIO**2
    extrapolated = [
        (weight * finer - coarser) / (weight - 1) for coarser, finer in itertools.pairwise(quotients)
    ]
    apart = [abs(finer - coarser) for coarser, finer in itertools.pairwise(extrapolated)]
    best = int(np.argmin(apart))
    return extrapolated[best + 1], apart[best], bends[-1], bends[-2]


def sample_of(array: Array, most: int) -> Array:
    """A mask of at most so many elements, spread evenly over the array."""
    chosen = np.zeros(array.size, dtype=bool)
    chosen[np.linspace(0, array.size - 1, min(most, array.size), dtype=int)] = True
    return chosen.reshape(array.shape)


def complex_step(loss: Loss, values: Mapping[str, Array], name: str, chosen: Array | None = None) -> Array:
    """dE/dw for every element w of the tensor `name`, from the imaginary part of loss(w + i*h) over h.

    Exact to rounding, for h = 1e-30: nothing is subtracted. `loss` has to compute with complex numbers.
    Elements that are not `chosen` are not moved and come as 0.
    """
    point: dict[str, Array] = dict(values)
    moved = np.array(values[name], dtype=np.complex128)
    point[name] = moved
    derivative = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        if chosen is not None and not chosen[place]:
            continue
        start = moved[place]
        moved[place] = start + 1j * IMAGINARY_STEP
        derivative[place] = np.imag(loss(point)) / IMAGINARY_STEP
        moved[place] = start
    return derivative
