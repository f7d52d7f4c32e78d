"""Loss curves: gradient descent on a model's own random data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbackprop.errors import VerificationError
from symbackprop.languages.phrases import worded
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.semantics.evaluation import sizes_from_arrays
from symbackprop.verification.checked_module import CheckedCodeError, ModuleUnderCheck
from symbackprop.verification.judged_equations import Equations, declared_integers

Array: TypeAlias = NDArray[Any]

RATES = (0.01, 0.03, 0.1)
STEPS = 100


@dataclass(frozen=True)
class Descent:
    """The loss before each step of gradient descent at one rate, up to where it is finite no more."""

    rate: float
    losses: tuple[float, ...]
    diverged: bool


def descents(
    checked: ModuleUnderCheck,
    equations: Equations,
    rates: Sequence[float] = RATES,
    steps: int = STEPS,
    seed: int = 0,
    data: Mapping[str, ArrayLike] = MappingProxyType({}),
) -> tuple[Descent, ...]:
    """w := w - rate*dE/dw for all that the module gives gradients by, from the same start at every rate.

    `data` are arrays of declared tensors, each of the shape that the model gives it; what they leave out is
    random, from the seed, and of sizes that fit. Raises VerificationError where it gives gradients of
    intermediates alone, the data do not fit the model, or none are found on which it is finite.
    """
    moved = [name for name in checked.asked if name in checked.shapes]
    if not moved:
        raise VerificationError(
            worded("an intermediate cannot be moved"),
            remedy=worded("differentiate by parameters or inputs: --wrt"),
        )
    given = _given(equations, data)
    sizes = sizes_from_arrays(equations.stated, given)
    drawn = equations.sample(model_sizes(equations.stated, sizes), np.random.default_rng(seed))
    values = {**drawn, **given}
    return tuple([_descent(checked, values, moved, rate, steps) for rate in rates])


def _given(equations: Equations, data: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """The data as arrays, real ones as float64; VerificationError for what the model does not declare."""
    unknown = [name for name in data if name not in equations.shapes]
    if unknown:
        raise VerificationError(
            worded("the model declares no tensor '{name}'", name=unknown[0]),
            remedy=worded("it declares {names}", names=", ".join(equations.shapes)),
        )
    whole = declared_integers(equations.stated)
    return {name: np.asarray(array, dtype=None if name in whole else float) for name, array in data.items()}


def _descent(
    checked: ModuleUnderCheck, start: Mapping[str, Array], moved: Sequence[str], rate: float, steps: int
) -> Descent:
    values = dict(start)
    losses: list[float] = []
    for _ in range(steps):
        try:
            loss, gradients = checked.value_and_grad(values)
        except CheckedCodeError:  # the module refuses where a step has led: a matrix is not definite any more
            return Descent(rate, tuple(losses), diverged=True)
        if not np.isfinite(loss):
            return Descent(rate, tuple(losses), diverged=True)
        losses.append(float(loss))
        values |= {name: values[name] - rate * gradients[name] for name in moved}
    return Descent(rate, tuple(losses), diverged=False)
