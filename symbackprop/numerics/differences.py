"""Two ways to a derivative that know no calculus: central differences and the complex step."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import VerificationError

Array: TypeAlias = NDArray[Any]
Loss: TypeAlias = Callable[[Mapping[str, Array]], Any]

EPSILON = float(np.finfo(np.float64).eps)
# The step where truncation, h^2, and rounding, eps/h, of a central difference balance; wider steps are
# extrapolated, which takes the h^2 away and leaves less rounding.
SMALLEST_STEP: float = EPSILON ** (1 / 3)
STEP_RATIO = 4.0
STEPS = 4
# The steps that a tensor's own is looked for among: from a quarter of its scale down to 1e-9 of it.
LADDER: tuple[float, ...] = tuple(STEP_RATIO**-power for power in range(1, 16))
SURE = 1e-9  # the relative error of a quotient at which a wider step is not looked for
# Its square vanishes, so that real parts, by which ties and conditions are decided, do not move.
IMAGINARY_STEP = 1e-170
# For data at no tie: at a probability of 1e-150 it does not underflow, and its square is far below rounding.
WIDER_IMAGINARY_STEP = 1e-30
# Steps along a line that are far wider than float32's spacing, and so narrow that the fourth difference of
# what is smooth is below float64's.
NOISE_STEP, NOISE_POINTS, NOISE_ORDER = 1e-6, 8, 4
NOISE_DIRECTIONS = 3


@dataclass(frozen=True)
class Quotients:
    """Difference quotients of a scalar by every element of one tensor.

    `uncertainty` is how far the two extrapolations that agree best are apart. `kink` is true where the
    function has one within the smallest step, so that no difference quotient is the derivative. `noise` is
    the rounding that a quotient carries at least, `width` the smallest step. Elements that are not `chosen`
    were not moved and come as 0.
    """

    values: Array
    uncertainty: Array
    kink: Array
    noise: float
    chosen: Array
    width: float


@dataclass(frozen=True)
class Step:
    """The smallest step of a tensor's central differences, and how far the loss is off by rounding."""

    width: float
    noise: float


def central_differences(
    loss: Loss,
    values: Mapping[str, Array],
    name: str,
    chosen: Array | None = None,
    step: Step | None = None,
) -> Quotients:
    """dE/dw for every chosen element w of the tensor `name`, from loss(w + h) and loss(w - h).

    h is that of `step` and 4, 16 and 64 times it, by default eps^(1/3) * max(1, |w|); neighbouring steps are
    extrapolated to h = 0 (Richardson: (16*D(h/4) - D(h))/15) and the two neighbours that agree best are
    taken.
    """
    moved = np.array(values[name], dtype=np.float64)
    chosen = np.ones(moved.shape, dtype=bool) if chosen is None else chosen
    point: dict[str, Array] = {**values, name: moved}
    centre = float(loss(point))
    results = np.zeros((4, *moved.shape))
    for place in map(tuple, np.argwhere(chosen)):
        start = float(moved[place])
        distance = SMALLEST_STEP * max(1.0, abs(start)) if step is None else step.width

        def at(change: float, place: tuple[int, ...] = place, start: float = start) -> tuple[float, float]:
            moved[place] = start + change
            return float(loss(point)), float(moved[place])

        results[(slice(None), *place)] = _quotient(at, centre, distance)
        moved[place] = start
    quotients, uncertainty, bend, wider_bend = results
    width = SMALLEST_STEP if step is None else step.width
    noise = max(EPSILON * abs(centre), 0.0 if step is None else step.noise) / width
    return Quotients(quotients, uncertainty, _bends(bend, wider_bend, noise), noise, chosen, width)


def central_differences_along(
    loss: Loss, values: Mapping[str, Array], name: str, directions: Array, step: Step
) -> Quotients:
    """The same along directions, which are the first axis of an array of the tensor's shape behind it."""
    start = np.array(values[name], dtype=np.float64)
    centre = float(loss({**values, name: start}))
    results = np.zeros((4, len(directions)))
    for number, direction in enumerate(directions):

        def at(change: float, direction: Array = direction) -> tuple[float, float]:
            return float(loss({**values, name: start + change * direction})), change

        results[:, number] = _quotient(at, centre, step.width)
    quotients, uncertainty, bend, wider_bend = results
    noise = max(EPSILON * abs(centre), step.noise) / step.width
    bends, everywhere = _bends(bend, wider_bend, noise), np.ones(len(directions), dtype=bool)
    return Quotients(quotients, uncertainty, bends, noise, everywhere, step.width)


def _bends(bend: Array, wider_bend: Array, noise: float) -> Array:
    """Whether forward and backward quotient stay apart where the step shrinks: over a kink they do."""
    return (np.abs(bend) > 0.5 * np.abs(wider_bend)) & (np.abs(bend) > 100 * noise)


def _quotient(
    at: Callable[[float], tuple[float, float]], centre: float, smallest: float
) -> tuple[float, float, float, float]:
    """The quotient, its uncertainty, and forward less backward quotient for the two smallest steps.

    `at` gives the loss at a distance, and where that is once it is rounded. The last difference is h times
    the curvature where the function is smooth, so that it shrinks with h; over a kink it stays.
    """
    quotients, gaps = [], []
    for power in reversed(range(STEPS)):
        distance = smallest * STEP_RATIO**power
        (ahead, above), (behind, below) = at(distance), at(-distance)
        quotients.append((ahead - behind) / (above - below))
        gaps.append((ahead - 2 * centre + behind) / distance)
    extrapolated = list(_extrapolated(quotients))
    apart = [abs(finer - coarser) for coarser, finer in itertools.pairwise(extrapolated)]
    best = int(np.argmin(apart))
    return extrapolated[best + 1], apart[best], gaps[-1], gaps[-2]


def _extrapolated(quotients: Sequence[float]) -> Iterator[float]:
    """Each two neighbours, h and h/4, extrapolated to h = 0."""
    weight = STEP_RATIO**2
    for coarser, finer in itertools.pairwise(quotients):
        yield (weight * finer - coarser) / (weight - 1)


def step_for(loss: Loss, values: Mapping[str, Array], name: str, rng: np.random.Generator) -> Step:
    """The step of the central differences of one tensor, from its scale, curvature and noise.

    Along a random direction of signs, quotients are taken with steps from a quarter of the tensor's scale
    down; the extrapolations of neighbours are apart by truncation where the step is wide and by rounding
    where it is narrow. The narrowest steps that agree to `SURE` are taken, for a kink is the less within
    reach, or those that agree best.
    """
    start = np.array(values[name], dtype=np.float64)
    scale = scale_of(start)
    direction = scale * rng.choice((-1.0, 1.0), start.shape)

    def quotient(rung: float) -> float:
        try:
            ahead, behind = (
                float(loss({**values, name: start + sign * rung * direction})) for sign in (1, -1)
            )
        except VerificationError:
            return math.nan  # so far away the module refuses: a matrix is not positive definite any more
        return (ahead - behind) / (2 * rung)

    quotients = [quotient(rung) for rung in LADDER]
    noise = noise_of(loss, values, name, rng)
    rounding = max(EPSILON * abs(float(loss({**values, name: start}))), noise)
    apart = (abs(finer - coarser) for coarser, finer in itertools.pairwise(_extrapolated(quotients)))
    errors = [error + rounding / rung for error, rung in zip(apart, LADDER[2:], strict=True)]
    finite = [error if np.isfinite(error) else np.inf for error in errors]
    sizes = [abs(each) for each in quotients if np.isfinite(each)]
    size = float(np.median(sizes)) if sizes else 0.0
    if not size or not np.isfinite(min(finite)):
        return Step(SMALLEST_STEP * scale, noise)
    sure = [number for number, error in enumerate(finite) if error <= SURE * size]
    best = sure[-1] if sure else int(np.argmin(finite))
    return Step(LADDER[best + 2] * scale, noise)


def noise_of(loss: Loss, values: Mapping[str, Array], name: str, rng: np.random.Generator) -> float:
    """How far the loss is off by rounding, measured along a few random directions of one tensor.

    Of all windows the largest that kinks on all lines but one leave: by chance, a few show no noise.
    """
    start = np.array(values[name], dtype=np.float64)
    directions = scale_of(start) * rng.choice((-1.0, 1.0), (NOISE_DIRECTIONS, *start.shape))
    moves = NOISE_STEP * np.arange(NOISE_POINTS)
    along = [[float(loss({**values, name: start + move * each})) for each in directions] for move in moves]
    windows = _noises(np.array(along), NOISE_ORDER)
    noise = float(np.sort(windows, axis=None)[len(windows) - 1])
    return noise if np.isfinite(noise) else 0.0


def noise_along(equally_spaced: Array, order: int = NOISE_ORDER) -> Array:
    """The noise of values along a line (first axis), from differences of fourth order, or of another.

    The least over the windows: one that lies across a kink differs by more than noise.
    """
    noise: Array = np.min(_noises(equally_spaced, order), axis=0)
    return noise


def _noises(equally_spaced: Array, order: int) -> Array:
    """The noise in each window of order + 1 values.

    J. Moré and S. Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011): of k-th differences
    of equally spaced values, what is smooth vanishes and the noise is left, times sqrt((2k)!)/k!. Near a pole
    what is smooth vanishes in higher orders alone.
    """
    gain = factorial(order) / factorial(2 * order) ** 0.5
    with np.errstate(invalid="ignore"):
        noises: Array = gain * np.abs(np.diff(equally_spaced, order, axis=0))
    return noises


def scale_of(array: Array) -> float:
    """The root mean square; 1 where that is 0 or not finite."""
    scale = float(np.sqrt(np.mean(np.abs(array) ** 2))) if array.size else 0.0
    return scale if np.isfinite(scale) and scale > 0 else 1.0


def sample_of(array: Array, most: int) -> Array:
    """A mask of at most so many elements, spread evenly over the array."""
    chosen = np.zeros(array.size, dtype=bool)
    chosen[np.linspace(0, array.size - 1, min(most, array.size), dtype=int)] = True
    return chosen.reshape(array.shape)


def complex_step(
    loss: Loss,
    values: Mapping[str, Array],
    name: str,
    chosen: Array | None = None,
    step: float = IMAGINARY_STEP,
) -> Array:
    """dE/dw for every element w of the tensor `name`, from the imaginary part of loss(w + i*h) over h.

    Exact to rounding, for any small h: nothing is subtracted (W. Squire and G. Trapp, SIAM Review 40, 1998).
    `loss` has to compute with complex numbers. Elements that are not `chosen` are not moved and come as 0.
    """
    point: dict[str, Array] = dict(values)
    moved = np.array(values[name], dtype=np.complex128)
    point[name] = moved
    derivative = np.zeros(moved.shape)
    for place in np.ndindex(moved.shape):
        if chosen is not None and not chosen[place]:
            continue
        start = moved[place]
        moved[place] = start + 1j * step
        derivative[place] = np.imag(loss(point)) / step
        moved[place] = start
    return derivative


def complex_step_along(
    loss: Loss, values: Mapping[str, Array], name: str, directions: Array, step: float = IMAGINARY_STEP
) -> Array:
    """The same along directions, which are the first axis of an array of the tensor's shape behind it."""
    start = np.array(values[name], dtype=np.float64)
    found = [
        np.imag(loss({**values, name: start + 1j * step * direction})) / step for direction in directions
    ]
    return np.array(found)
