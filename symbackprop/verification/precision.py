"""Does the module compute in the precision of its data, and in no other?

float32 that leaks into float64 results costs half of their digits and shows in no comparison that is looser;
float64 that leaks into float32 results makes arrays twice as large. `terms` are what rounding of the terms
does by the equations, where these are known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.languages.phrases import worded
from symbackprop.numerics.differences import EPSILON, NOISE_POINTS, NOISE_STEP, noise_along
from symbackprop.numerics.tolerance import all_finite, largest_of
from symbackprop.verification.checked_module import CheckedCodeError, ModuleUnderCheck
from symbackprop.verification.comparing import SMALLEST_SCALE, in_sight
from symbackprop.verification.report import (
    DIGITS,
    DOUBLE_PRECISION,
    SINGLE_PRECISION,
    CheckRow,
    failure,
    in_one_row,
)
from symbackprop.verification.rounding import RoundingOfTerms, moved_by_rounding

Array: TypeAlias = NDArray[Any]

LEAST_TOLD = 1e-9  # of the largest number in the data: what is smaller may be rounding
LEAST_ROUNDED_TO_WHOLE = 2.0**22  # the numbers of float32 from here on are multiples of 1/2, soon of 1
SINGLE_EPSILON = float(np.finfo(np.float32).eps)
LARGEST_SINGLE = float(np.finfo(np.float32).max) / 2  # less what rounding adds to a larger one
# A result in float32 may be off by so many times what rounding of data and operations changes, and by this in
# any case.
OF_THE_DATA = 100.0
SINGLE_TOLERANCE = 1e-4
# float32 leaves a noise of some 1e-8; that of float64 is 1e-16, or what rounding of the data amounts to.
NOISE_TOLERANCE = 1e-11
NOISE_ORDERS = (4, 6)  # near a pole, a difference of fourth order is more than noise
DRAWS = 4
LINES = 4  # along one, operations may be rounded alike
# A float32 call of a module that computes in float64 is off by 2^29 times its noise; where float32 leaks into
# that, by hardly more.
LEAST_TIMES_IN_SINGLE = 1e6
# Without the equations nothing says how large the terms are that cancel in a tensor far below the largest, as
# in the keys' gradient where attention is saturated.
SMALLEST_SCALE_OF_MODULE = 0.1


def single_precision_row(
    checked: ModuleUnderCheck, values: Mapping[str, Array], terms: RoundingOfTerms | None = None
) -> CheckRow:
    """Loss and gradients on float32 data: of that dtype, and near those on the same data in float64."""
    single = {name: _as(np.float32, array) for name, array in values.items()}
    same = {name: _as(np.float64, array) for name, array in single.items()}
    try:
        loss, gradients = checked.value_and_grad(single)
        exact_loss, exact = checked.value_and_grad(same)
        alone = checked.grad(single)
        spread = effect_of_rounding(checked, same, SINGLE_EPSILON)
    except CheckedCodeError as error:
        return failure("all", SINGLE_PRECISION, error.cause)
    for name, array in ((checked.loss_name, loss), *gradients.items(), *alone.items()):
        dtype = getattr(array, "dtype", type(array).__name__)
        if dtype != np.float32:
            return failure(
                name, SINGLE_PRECISION, worded("has dtype {dtype}, expected float32", dtype=str(dtype))
            )
    if not np.all(np.isfinite(exact_loss)) or not np.all(np.isfinite(loss)):
        return CheckRow("all", SINGLE_PRECISION, 0.0, True, 0, note=worded("the loss overflows in float32"))
    largest = in_sight(largest_of((np.asarray(exact_loss), *exact.values())))
    of_operations = NoiseOfOperations(checked, same).of_one if terms is None else terms.of_closed_form
    overflow = terms is not None and not all_finite(gradients.values()) and terms.exceed(LARGEST_SINGLE)
    rows = [
        _single_row(
            name,
            np.asarray(gradients[name]),
            np.asarray(exact[name]),
            spread.get(name, 0.0),
            _least_scale(largest, terms),
            of_operations,
            overflow,
        )
        for name in gradients
    ]
    return in_one_row(rows)


def rounded_rows(values: Mapping[str, Array], gradients: Mapping[str, Any]) -> list[CheckRow]:
    """A row for each gradient of float64 data that has no more digits than float32 holds: it was rounded.

    Numbers that are short anyhow, as 0, 1/2 and 10017, say nothing, and neither do data that are, or what is
    but the rounding of zeros.
    """
    least = LEAST_TOLD * largest_of(values.values())
    if all(_is_held_by(np.float32, array) for array in values.values()):
        return []
    return [
        failure(name, DOUBLE_PRECISION, worded("has no more digits than float32 holds"))
        for name, array in ((name, np.asarray(gradient)) for name, gradient in gradients.items())
        if largest_of([array]) > least
        and _is_held_by(np.float32, array)
        and not _is_held_by(np.float16, array)
        and not _are_counted(array)
    ]


def _are_counted(array: Array) -> bool:
    """Whether all are whole, as sums of argmax and floor are, and none so large that float32 makes it so."""
    return bool(np.all((array == np.round(array)) & (np.abs(array) < LEAST_ROUNDED_TO_WHOLE)))


def _is_held_by(dtype: type[np.floating[Any]], array: Array) -> bool:
    with np.errstate(over="ignore", under="ignore"):
        return bool(np.array_equal(array.astype(dtype).astype(array.dtype), array))


def _single_row(
    name: str,
    found: Array,
    expected: Array,
    spread: float,
    least_scale: float,
    of_operations: Callable[[str], float],
    overflow: bool,
) -> CheckRow:
    if found.shape != expected.shape:
        return failure(
            name,
            SINGLE_PRECISION,
            worded(
                "has shape {found}, expected {expected}", found=str(found.shape), expected=str(expected.shape)
            ),
        )
    holds = ~(np.abs(expected) > LARGEST_SINGLE)  # what is no number is to fail here, too
    if overflow:  # where a tensor in between is beyond float32, its gradient has no value to be held against
        holds &= np.isfinite(found)
    expected = np.where(holds, expected, 0.0)
    scale = max(largest_of([expected]), least_scale)
    with np.errstate(invalid="ignore"):
        apart = np.abs(np.where(holds, found.astype(np.float64), 0.0) - expected)
    worst = float(np.max(apart, initial=0.0)) / scale
    note = "" if holds.all() else worded("overflows in float32")
    ok = worst <= SINGLE_TOLERANCE + OF_THE_DATA * spread / scale
    if not ok:  # asked only here: each is several evaluations
        rounded = spread + of_operations(name) * SINGLE_EPSILON / EPSILON
        ok = worst <= SINGLE_TOLERANCE + OF_THE_DATA * rounded / scale
    return CheckRow(name, SINGLE_PRECISION, worst, ok, found.size, note=note)


def noise_row(
    checked: ModuleUnderCheck,
    values: Mapping[str, Array],
    rng: np.random.Generator,
    terms: RoundingOfTerms | None = None,
) -> CheckRow:
    """The noise of the gradients along a line: that of float64 rounding, or of a coarser one."""
    try:
        table = _along_a_line(checked, values, rng)
        rounding = effect_of_rounding(checked, values)
    except CheckedCodeError as error:
        return failure("all", DIGITS, error.cause)
    largest = in_sight(largest_of(array[0] for array in table.values()))

    def off_in_single(name: str) -> float:
        single = {name: _as(np.float32, array) for name, array in values.items()}
        same = {name: _as(np.float64, array) for name, array in single.items()}
        one, other = (checked.value_and_grad(data)[1][name] for data in (single, same))
        with np.errstate(invalid="ignore"):
            return largest_of([np.asarray(one, dtype=np.float64) - other])

    judged = _NoiseOfGradients(rounding, largest, terms, off_in_single)
    return in_one_row([judged.row(name, along) for name, along in table.items()])


@dataclass(frozen=True)
class NoiseOfOperations:
    """What the rounding of a module's own operations leaves in each gradient: how rough it is along a line.

    Terms that cancel inside, as where attention is saturated, show here and in no move of the data.
    """

    checked: ModuleUnderCheck
    values: Mapping[str, Array]

    def of_one(self, name: str) -> float:
        """The noise of one gradient; 0 where the module refuses data on the line."""
        return self._of_each.get(name, 0.0)

    @cached_property
    def _of_each(self) -> dict[str, float]:
        try:
            lines = [
                _along_a_line(self.checked, self.values, np.random.default_rng(seed)) for seed in range(LINES)
            ]
        except CheckedCodeError:
            return {}
        return {name: max(_noise_along(line[name]) for line in lines) for name in lines[0]}


def _along_a_line(
    checked: ModuleUnderCheck, values: Mapping[str, Array], rng: np.random.Generator
) -> dict[str, Array]:
    """Each gradient at the points of a line (first axis)."""
    directions = {name: rng.choice((-1.0, 1.0), array.shape) for name, array in values.items()}
    points = [
        checked.value_and_grad(_moved(values, directions, NOISE_STEP * number, checked.bound))[1]
        for number in range(NOISE_POINTS)
    ]
    return {
        name: np.array([np.asarray(each[name], dtype=np.float64) for each in points]) for name in points[0]
    }


def _noise_along(along: Array) -> float:
    return min(float(np.max(noise_along(along, order), initial=0.0)) for order in NOISE_ORDERS)


@dataclass(frozen=True)
class _NoiseOfGradients:
    """What the noise of gradients is held against.

    `rounding` has the effect of rounding the data on each, `largest` is the largest number of all results,
    `off_in_single` says how far one is off in float32.
    """

    rounding: Mapping[str, float]
    largest: float
    terms: RoundingOfTerms | None
    off_in_single: Callable[[str], float]

    def row(self, name: str, along: Array) -> CheckRow:
        """The verdict on one gradient at the points of a line (first axis)."""
        scale = max(largest_of([along[0]]), _least_scale(self.largest, self.terms))
        noise = _noise_along(along) / scale
        ok = noise <= NOISE_TOLERANCE + OF_THE_DATA * self.rounding.get(name, 0.0) / scale
        if not ok and self.terms is not None:
            ok = noise <= OF_THE_DATA * self.terms.of_closed_form(name) / scale
        elif not ok:
            ok = noise <= self.off_in_single(name) / scale / LEAST_TIMES_IN_SINGLE
        note = "" if ok else worded("digits end at {noise}: is float32 leaking in?", noise=f"{noise:.0e}")
        return CheckRow(name, DIGITS, noise, ok, along[0].size, note=note)


def effect_of_rounding(
    checked: ModuleUnderCheck, values: Mapping[str, Array], amount: float = EPSILON
) -> dict[str, float]:
    """How far each gradient moves where the data are moved by this relative amount, in a few draws.

    The least for the rounding of float64, for float32 inside jumps by far more now and then, and mostly not
    at all; for more the most, as moves of two factors may cancel. Empty where the module refuses the data.
    """
    rng = np.random.default_rng(0)
    still = checked.bound if amount > EPSILON else checked.symmetric
    most = LARGEST_SINGLE if amount > EPSILON else np.inf
    try:
        centre = checked.value_and_grad(values)[1]
        effects = []
        for _ in range(DRAWS):
            moved = checked.value_and_grad(moved_by_rounding(values, amount, rng, still))[1]
            effects.append({name: _largest_change(moved[name], centre[name], most) for name in centre})
    except CheckedCodeError:
        return {}
    chosen = max if amount > EPSILON else min
    return {name: chosen(effect[name] for effect in effects) for name in centre}


def _largest_change(moved: Any, centre: Any, most: float) -> float:
    """The largest change of a number that is no larger than `most`."""
    with np.errstate(invalid="ignore"):
        changes = np.where(np.abs(centre) > most, 0.0, np.abs(np.asarray(moved) - np.asarray(centre)))
        return float(np.max(changes, initial=0.0))


def _moved(
    values: Mapping[str, Array], directions: Mapping[str, Array], amount: float, still: Collection[str]
) -> dict[str, Array]:
    """The data elsewhere on a line; whole numbers and the tensors that are to stand still stay."""
    return {
        name: array if array.dtype.kind in "iu" or name in still else array + amount * directions[name]
        for name, array in values.items()
    }


def _as(dtype: type[np.floating[Any]], array: Array) -> Array:
    return array if array.dtype.kind in "iu" else array.astype(dtype)


def _least_scale(largest: float, terms: RoundingOfTerms | None) -> float:
    """What a difference is held against at least, where the largest number of all results is this one."""
    least = SMALLEST_SCALE_OF_MODULE if terms is None else SMALLEST_SCALE
    return max(least * largest, float(np.finfo(np.float64).tiny))
