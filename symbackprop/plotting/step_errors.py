"""The error of numerical differentiation against its step: what check and textbooks say of it, measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import VerificationError
from symbackprop.languages.phrases import worded
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.verification.checked_module import ModuleUnderCheck
from symbackprop.verification.judged_equations import Equations
from symbackprop.verification.stopped_values import held_loss

Array: TypeAlias = NDArray[Any]

# Two a decade, from 1 to where not even the smallest step changes the data.
STEPS = tuple(10.0 ** (-half / 2) for half in range(37))
DIRECTIONS = 4


@dataclass(frozen=True)
class StepErrors:
    """Errors of the derivatives along random directions, relative to the largest, for each of the steps."""

    steps: tuple[float, ...]
    forward: tuple[float, ...]
    central: tuple[float, ...]
    complex_step: tuple[float, ...]


def step_errors(checked: ModuleUnderCheck, equations: Equations, seed: int = 0) -> StepErrors:
    """Differences of the module's own loss and the complex step of the equations, against its gradient.

    All parameters, or whatever else the module gives gradients by, move together along random directions of
    length 1. Raises VerificationError where it gives gradients of intermediates alone, or the model is finite
    on no data found.
    """
    moved = [name for name in checked.asked if name in checked.shapes and name not in checked.bound]
    if not moved:
        raise VerificationError(
            worded("no declared tensor is free to move"),
            remedy=worded("differentiate by an input or a parameter: --wrt"),
        )
    rng = np.random.default_rng(seed)
    sizes = model_sizes(equations.stated)
    values = equations.sample(sizes, rng)
    gradients = checked.value_and_grad(values)[1]
    directions = [_direction({name: values[name] for name in moved}, rng) for _ in range(DIRECTIONS)]
    expected = np.array([sum(np.sum(each[name] * gradients[name]) for name in moved) for each in directions])
    held = held_loss(equations.system, values, sizes) or checked.loss
    loss = partial(equations.loss, sizes)
    at = partial(_moved, values, directions)

    def errors(quotients: Callable[[float], Sequence[float]]) -> tuple[float, ...]:
        return tuple([_error(np.array(quotients(step)), expected) for step in STEPS])

    centre = float(held(values))
    return StepErrors(
        STEPS,
        errors(lambda step: [(held(point) - centre) / step for point in at(step)]),
        errors(
            lambda step: [
                (held(ahead) - held(behind)) / (2 * step)
                for ahead, behind in zip(at(step), at(-step), strict=True)
            ]
        ),
        errors(lambda step: [float(np.imag(loss(point))) / step for point in at(1j * step)]),
    )


def _direction(arrays: Mapping[str, Array], rng: np.random.Generator) -> dict[str, Array]:
    drawn = {name: rng.standard_normal(np.shape(array)) for name, array in arrays.items()}
    length = np.sqrt(sum(np.sum(each**2) for each in drawn.values())) or 1.0
    return {name: each / length for name, each in drawn.items()}


def _moved(
    values: Mapping[str, Array], directions: Sequence[Mapping[str, Array]], step: complex
) -> list[Mapping[str, Array]]:
    """The values moved by the step along each direction."""
    return [
        {**values, **{name: values[name] + step * direction[name] for name in direction}}
        for direction in directions
    ]


def _error(found: Array, expected: Array) -> float:
    """The largest error, relative to the largest derivative, or absolute where that is 0."""
    scale = float(np.max(np.abs(expected))) or 1.0
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(found - expected)) / scale)
