"""What a check found: one row for each tensor and method, and how two gradients are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.verification.differences import Quotients

Array: TypeAlias = NDArray[Any]

CENTRAL_DIFFERENCES = "central differences"
COMPLEX_STEP = "complex step"
NAIVE_EVALUATOR = "naive evaluator"
INNER_QUOTIENTS = "inner differences"
OWN_LOSS = "its own loss()"
OWN_GRADIENT = "its own grad()"

# Relative errors up to these pass. A central difference in float64 is good to about ten digits, the complex
# step to rounding; both leave room for sums that cancel.
TOLERANCES: Mapping[str, float] = {
    CENTRAL_DIFFERENCES: 1e-6,
    COMPLEX_STEP: 1e-9,
    NAIVE_EVALUATOR: 1e-9,
    INNER_QUOTIENTS: 1e-9,
    OWN_LOSS: 1e-12,
    OWN_GRADIENT: 1e-12,
}
# An error is measured against the largest entry of its tensor, but at least against this part of the largest
# number in sight (the loss, any gradient): below it, rounding is all that there is to see.
SMALLEST_SCALE = 1e-3
# A difference quotient is compared where it is surer than this part of what may pass.
SURENESS = 0.1


@dataclass(frozen=True)
class CheckRow:
    """One comparison. `worst` is the largest relative error; NaN and infinity never pass.

    `compared` elements were held against the method, `skipped` ones could not be: a kink of the loss lies
    within the difference's reach there.
    """

    tensor: str
    method: str
    worst: float
    ok: bool
    compared: int
    skipped: int = 0
    note: str = ""


@dataclass(frozen=True)
class CheckReport:
    """All comparisons of one check, on data drawn from `seed` with these axis sizes."""

    subject: str
    seed: int
    sizes: Mapping[str, int]
    rows: tuple[CheckRow, ...]

    @property
    def ok(self) -> bool:
        """Whether there was something to compare and every row passed."""
        return bool(self.rows) and all(row.ok for row in self.rows)


def largest_number(*arrays: Array) -> float:
    """The largest finite magnitude in these arrays, 0 where there is none."""
    sizes = [np.abs(array)[np.isfinite(array)] for array in arrays]
    return max((float(np.max(size, initial=0.0)) for size in sizes), default=0.0)


def compare_arrays(tensor: str, method: str, found: Any, expected: Array, largest: float) -> CheckRow:
    """A row for two arrays that should be the same; `largest` is the largest number in sight."""
    return _compare(tensor, method, found, expected, np.ones(expected.shape, dtype=bool), largest)


def compare_sample(
    tensor: str, method: str, found: Any, expected: Array, chosen: Array, largest: float
) -> CheckRow:
    """A row for the chosen elements of two arrays; all of the one that was found must be finite."""
    array = np.asarray(found)
    if chosen.all() or array.shape != expected.shape or not np.all(np.isfinite(array)):
        return compare_arrays(tensor, method, found, expected, largest)
    row = compare_arrays(tensor, method, array[chosen], expected[chosen], largest)
    return replace(row, note=row.note or f"{row.compared} of {expected.size} elements")


def compare_quotients(tensor: str, found: Any, quotients: Quotients, largest: float) -> CheckRow:
    """A row for a gradient and difference quotients, which are left out where they are not sure."""
    scale = _scale(quotients.values, largest)
    unsure = SURENESS * TOLERANCES[CENTRAL_DIFFERENCES] * scale
    usable = ~quotients.kink & (quotients.uncertainty <= unsure)
    return _compare(tensor, CENTRAL_DIFFERENCES, found, quotients.values, usable, largest)


def failure(tensor: str, method: str, note: str) -> CheckRow:
    """A row for what could not even be compared."""
    return CheckRow(tensor, method, float("inf"), False, 0, note=note)


def uncompared(tensor: str, note: str) -> CheckRow:
    """A row that says that there was nothing to compare a gradient with."""
    return CheckRow(tensor, "nothing", 0.0, True, 0, note=note)


def _compare(
    tensor: str, method: str, found: Any, expected: Array, usable: Array, largest: float
) -> CheckRow:
    array = np.asarray(found)
    if array.shape != expected.shape:
        return failure(tensor, method, f"has shape {array.shape}, expected {expected.shape}")
    if not np.issubdtype(array.dtype, np.floating):
        return failure(tensor, method, f"has dtype {array.dtype}, expected a floating-point one")
    compared, skipped = int(usable.sum()), int((~usable).sum())
    if not np.all(np.isfinite(array)):
        return CheckRow(tensor, method, float("nan"), False, compared, skipped, "is not finite")
    if skipped > compared:
        note = f"{skipped} of {expected.size} elements lie at a kink, too many to tell"
        return CheckRow(tensor, method, float("inf"), False, compared, skipped, note)
    error = np.abs(array - expected)[usable] / max(_scale(array, largest), _scale(expected[usable], largest))
    worst = float(np.max(error, initial=0.0))
    return CheckRow(tensor, method, worst, worst <= TOLERANCES[method], compared, skipped)


def _scale(array: Array, largest: float) -> float:
    """What an error is measured against; never 0, so that equal zeros are equal."""
    tiny = float(np.finfo(np.float64).tiny)
    return max(float(np.max(np.abs(array), initial=0.0)), SMALLEST_SCALE * largest, tiny)
