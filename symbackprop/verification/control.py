"""The negative control: gradients that are wrong on purpose, which the judges of a check must refuse.

A comparison that passes whatever it is given looks like one that passes because all is right. So every check
holds perturbed gradients against the same judges, and one that passes means that the check is blind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.verification.comparing import Comparison
from symbackprop.verification.report import Control

Array: TypeAlias = NDArray[Any]

PERTURBATION = 1e-4  # of the tensor's largest entry: what one wrong element differs by
OF_WHAT_PASSES = 10.0


@dataclass(frozen=True)
class Perturbed:
    """A gradient with something wrong with it."""

    fault: str
    gradient: Array


def perturbations(gradient: Array, place: int, amount: float) -> Iterator[Perturbed]:
    """Wrong gradients of the same shape; those that change nothing (the sign of a 0) come too."""
    one = gradient.copy()
    one.flat[place] += amount
    yield Perturbed("one element", one)
    yield Perturbed("sign", -gradient)
    yield Perturbed("a lost factor", 0.5 * gradient)
    if gradient.ndim >= 2 and gradient.shape[-1] == gradient.shape[-2] > 1:
        yield Perturbed("transposed", np.swapaxes(gradient, -1, -2).copy())
    if gradient.size > 1:
        yield Perturbed("one place late", np.roll(gradient.ravel(), 1).reshape(gradient.shape))


def negative_control(comparisons: Iterable[tuple[Comparison, Array]], rng: np.random.Generator) -> Control:
    """How many perturbed gradients were held against their judges, and which of them passed.

    Only what a judge can see is asked of it: a perturbation counts where it moves one of its numbers by ten
    times what passes.
    """
    control = Control()
    for comparison, gradient in comparisons:
        places = _places_in_sight(comparison, gradient)
        if not places.size:
            continue
        amount = PERTURBATION * comparison.scale_with(gradient)
        for perturbed in perturbations(gradient, int(rng.choice(places)), amount):
            if _is_in_sight(comparison, gradient, perturbed.gradient):
                control += _held_against(comparison, gradient, perturbed)
    return control


def _places_in_sight(comparison: Comparison, gradient: Array) -> Array:
    """Flat positions of the elements that the judge was able to tell."""
    if comparison.directions is None:
        return np.flatnonzero(comparison.usable)
    return np.arange(gradient.size) if comparison.usable.any() else np.array([], dtype=int)


def _is_in_sight(comparison: Comparison, gradient: Array, perturbed: Array) -> bool:
    least = 0.5 * PERTURBATION * comparison.scale_with(perturbed)
    return _change(comparison, gradient, perturbed) >= least


def _change(comparison: Comparison, gradient: Array, perturbed: Array) -> float:
    moved = np.abs(comparison.seen(perturbed) - comparison.seen(gradient))[comparison.usable]
    return float(np.max(moved, initial=0.0))


def _held_against(comparison: Comparison, gradient: Array, perturbed: Perturbed) -> Control:
    if not comparison.row(perturbed.gradient).ok:
        return Control(1)
    if _change(comparison, gradient, perturbed.gradient) < OF_WHAT_PASSES * comparison.of_terms():
        return Control()  # the whole gradient is what rounding makes of terms that cancel
    return Control(1, (f"{comparison.tensor}, {comparison.method}: {perturbed.fault}",))
