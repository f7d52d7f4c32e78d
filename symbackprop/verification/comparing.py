"""What a judge says of one tensor's gradient, as something that any gradient can be held against.

The same object judges the gradient of the module and those that the negative control made wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.languages.phrases import marked, worded
from symbackprop.numerics.differences import Quotients
from symbackprop.numerics.together import gradient_of_row
from symbackprop.numerics.tolerance import largest_of
from symbackprop.verification.report import CENTRAL_DIFFERENCES, TOLERANCES, CheckRow, failure
from symbackprop.verification.rounding import RoundingOfTerms

Array: TypeAlias = NDArray[Any]
# dE along a direction of the tensor, with many digits; None where that would take too long.
Referee: TypeAlias = Callable[[str, Array], float | None]

# An error is measured against the largest entry of its tensor, but at least against this part of the largest
# number in sight (the loss, any gradient): below it, rounding is all that there is to see.
_SOME_ELEMENTS = marked("{some} of {all} elements")
SMALLEST_SCALE = 1e-3
# A difference quotient that is less sure than a tenth of what may pass is compared as loosely as it is sure,
# and not at all beyond `LOOSEST`.
SURENESS = 0.1
LOOSEST = 1e-5
# Up to this error the referee decides: a judge has rounding errors of its own on data where sums cancel.
REFEREED = 1e-6
REFEREED_PLACES = 3
# A gradient may be so many times as far from the referee as the plain evaluation of the equations is, up to
# what may pass where no referee decides.
OF_THE_JUDGE = 8.0
# Loss and gradients that are all smaller than this have come out of numbers that cancel or saturate.
VANISHING = 1e-9
WITHOUT_REFEREE = 1e-9


@dataclass(frozen=True)
class Comparison:
    """A judge's numbers for one tensor: for every element, or along `directions` (first axis).

    `tolerance` is the relative error that passes for each number, infinite where the judge cannot tell;
    `scale` is what errors are measured against at least. `view` is what the judge sees of a gradient, `asked`
    which of the numbers it was asked for (default: all), `may_skip` whether most of these may stay untold;
    `parts` are the tensors that it speaks of together, each with its scale. An error passes that
    `rounding` of the terms can cause; `width` is the step of a difference quotient.
    """

    tensor: str
    method: str
    expected: Array
    tolerance: Array
    scale: float
    directions: Array | None = None
    referee: Referee | None = None
    refereed: float = REFEREED
    note: str = ""
    shape: tuple[int, ...] = ()
    view: Callable[[Array], Array] = field(default=lambda array: array)
    asked: Array | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    may_skip: bool = False
    rounding: RoundingOfTerms | None = None
    width: float = inf

    @property
    def usable(self) -> Array:
        """The numbers that the judge can tell."""
        return np.isfinite(self.tolerance)

    def seen(self, gradient: Array) -> Array:
        """The judge's numbers, as this gradient gives them."""
        viewed = self.view(gradient)
        if self.directions is None:
            return viewed
        return np.tensordot(self.directions, viewed, axes=viewed.ndim)

    def scale_with(self, gradient: Array) -> float:
        """The largest entry, or the norm of what is seen along directions, but never 0."""
        known = np.abs(self.expected[self.usable])
        own = np.max(np.abs(gradient), initial=0.0) if self.directions is None else np.linalg.norm(gradient)
        tiny = float(np.finfo(np.float64).tiny)
        return max(float(own), float(np.max(known, initial=0.0)), self.scale, tiny)

    def row(self, found: Any) -> CheckRow:
        """The verdict on a gradient."""
        array = np.asarray(found)
        refused = self._refusal(array)
        if refused is not None:
            return refused
        compared = int(self.usable.sum())
        skipped = (
            self.usable.size - compared if self.asked is None else int((self.asked & ~self.usable).sum())
        )
        if skipped > compared and not self.may_skip:
            note = worded(
                "{skipped} of {compared} elements lie at a kink, too many to tell",
                skipped=skipped,
                compared=compared + skipped,
            )
            return CheckRow(self.tensor, self.method, float("inf"), False, compared, skipped, note)
        scale = self.scale_with(array)
        errors = np.where(
            self.usable, np.abs(self.seen(array) - np.where(self.usable, self.expected, 0.0)), 0.0
        )
        errors = errors / scale
        row = CheckRow(
            self.tensor, self.method, float(np.max(errors, initial=0.0)), True, compared, skipped, self.note
        )
        if bool(np.all(errors <= self.tolerance)):
            return row
        verdict = self._before_the_referee(row, array, errors, scale)
        if not verdict.ok and bool(np.all(errors <= self.tolerance + self.of_terms() / scale)):
            return replace(row, note=worded("as near as the rounding of its terms allows"))
        return verdict

    def of_terms(self) -> float:
        """How far the judge's numbers move by a few hundred roundings of the terms that make them up."""
        if self.rounding is None:
            return 0.0
        names = self.parts or (self.tensor,)
        told = [change for change in self.rounding.changes if all(name in change for name in names)]
        return largest_of(self.seen(gradient_for(self, change)) for change in told)

    def _refusal(self, array: Array) -> CheckRow | None:
        if array.shape != self.shape:
            return failure(
                self.tensor,
                self.method,
                worded(
                    "has shape {found}, expected {expected}", found=str(array.shape), expected=str(self.shape)
                ),
            )
        if array.dtype != np.float64:
            return failure(
                self.tensor,
                self.method,
                worded("has dtype {dtype}, expected float64", dtype=str(array.dtype)),
            )
        if not np.all(np.isfinite(array)):
            compared = int(self.usable.sum())
            return CheckRow(
                self.tensor, self.method, float("nan"), False, compared, 0, worded("is not finite")
            )
        return None

    def _before_the_referee(self, row: CheckRow, array: Array, errors: Array, scale: float) -> CheckRow:
        """The verdict where judge and gradient disagree: by many digits at the places where they do most."""
        wrong = replace(row, ok=False)
        if self.referee is None or not row.worst <= self.refereed:
            return wrong
        seen = self.seen(array)
        places = np.argsort(np.ravel(errors))[::-1][:REFEREED_PLACES]
        worst = 0.0
        for place in places:
            exact = self.referee(self.tensor, self.direction(int(place), array.shape))
            if exact is None:
                note = worded("high precision cannot decide")
                return replace(row, ok=row.worst <= WITHOUT_REFEREE, note=note)
            own = abs(float(seen.flat[place]) - exact) / scale
            of_the_judge = abs(float(self.expected.flat[place]) - exact) / scale
            worst = max(worst, own)
            allowed = min(OF_THE_JUDGE * of_the_judge, WITHOUT_REFEREE)
            if not own <= max(float(self.tolerance.flat[place]), allowed):
                return replace(wrong, worst=own)
        return replace(row, worst=worst, note=worded("high precision sides with the gradient"))

    def direction(self, place: int, shape: tuple[int, ...]) -> Array:
        """The direction in which a number of the judge is a derivative."""
        if self.directions is not None:
            direction: Array = self.directions[place]
            return direction
        unit = np.zeros(shape)
        unit.flat[place] = 1.0
        return unit


def gradient_for(comparison: Comparison, gradients: Mapping[str, Any]) -> Any:
    """The gradient that a comparison speaks of, or those of several tensors in one row."""
    if not comparison.parts:
        return gradients[comparison.tensor]
    return gradient_of_row(comparison.parts, gradients)


def note_of(chosen: Array) -> str:
    """What a row says where not every element was asked for."""
    return "" if chosen.all() else worded(_SOME_ELEMENTS, some=int(chosen.sum()), all=chosen.size)


def of_elements(
    tensor: str, method: str, expected: Array, largest: float, chosen: Array | None = None
) -> Comparison:
    """A judge that is sure of every chosen element; `largest` is the largest number in sight."""
    expected = np.asarray(expected)
    chosen = np.ones(expected.shape, dtype=bool) if chosen is None else chosen
    tolerance = np.where(chosen & np.isfinite(expected), TOLERANCES[method], np.inf)
    scale = SMALLEST_SCALE * largest
    comparison = Comparison(tensor, method, expected, tolerance, scale, note=note_of(chosen))
    return replace(comparison, shape=expected.shape, asked=chosen)


def of_quotients(tensor: str, quotients: Quotients, largest: float) -> Comparison:
    """Difference quotients of every chosen element, each as strict as it is sure, and none at a kink.

    What is smaller than their noise is compared in its measure.
    """
    largest = max(largest, quotients.noise / (SURENESS * LOOSEST * SMALLEST_SCALE))
    comparison = of_elements(tensor, CENTRAL_DIFFERENCES, quotients.values, largest, quotients.chosen)
    scale = comparison.scale_with(np.zeros(0))
    with np.errstate(invalid="ignore"):
        loose = np.maximum(TOLERANCES[CENTRAL_DIFFERENCES], quotients.uncertainty / SURENESS / scale)
        sure = quotients.chosen & ~quotients.kink & (loose <= LOOSEST) & np.isfinite(quotients.values)
    return replace(comparison, tolerance=np.where(sure, loose, np.inf), width=quotients.width)


def along_quotients(tensor: str, directions: Array, quotients: Quotients, largest: float) -> Comparison:
    """Difference quotients along directions, in the same way."""
    each = of_quotients(tensor, quotients, largest)
    comparison = along(tensor, CENTRAL_DIFFERENCES, directions, quotients.values, largest)
    return replace(comparison, tolerance=each.tolerance, scale=each.scale, width=quotients.width)


def along(tensor: str, method: str, directions: Array, expected: Array, largest: float) -> Comparison:
    """A judge of dE along directions."""
    tolerance = np.full(len(directions), TOLERANCES[method])
    scale, shape = SMALLEST_SCALE * largest, directions.shape[1:]
    return Comparison(tensor, method, expected, tolerance, scale, directions, shape=shape)


def by_many_digits(comparison: Comparison) -> Comparison:
    """The comparison with its referee's numbers for some that overflow, as a complex exp(1e4) does.

    Where the referee cannot tell either, it is left as it is. A row of several tensors has no referee.
    """
    untold = ~np.isfinite(comparison.expected)
    if comparison.asked is not None:
        untold &= comparison.asked
    if comparison.referee is None or not untold.any():
        return comparison
    expected, tolerance = comparison.expected.copy(), np.where(untold, np.inf, comparison.tolerance)
    if comparison.parts:
        return replace(comparison, tolerance=tolerance, may_skip=True)
    for place in np.flatnonzero(untold)[:REFEREED_PLACES]:
        exact = comparison.referee(comparison.tensor, comparison.direction(int(place), comparison.shape))
        if exact is None:
            return comparison
        expected.flat[place], tolerance.flat[place] = exact, TOLERANCES[comparison.method]
    note = comparison.note or worded("by many digits where numbers overflow")
    return replace(comparison, expected=expected, tolerance=tolerance, may_skip=True, note=note)


def compare_arrays(tensor: str, method: str, found: Any, expected: Array, largest: float) -> CheckRow:
    """A row for two arrays that should be the same; `largest` is the largest number in sight."""
    return of_elements(tensor, method, expected, largest).row(found)


def in_sight(largest: float) -> float:
    """The largest number in sight; where all vanish, as in a saturated softmax, what rounding leaves."""
    return largest if largest >= VANISHING else VANISHING / SMALLEST_SCALE
