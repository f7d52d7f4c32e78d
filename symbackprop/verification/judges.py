"""The judges of a gradient on one draw of data, within a share of the time: what each says of each tensor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.languages.phrases import worded
from symbackprop.numerics.differences import (
    IMAGINARY_STEP,
    LADDER,
    NOISE_DIRECTIONS,
    NOISE_POINTS,
    STEPS,
    WIDER_IMAGINARY_STEP,
    Loss,
    Quotients,
    Step,
    central_differences,
    central_differences_along,
    complex_step,
    complex_step_along,
    sample_of,
    scale_of,
    step_for,
)
from symbackprop.numerics.together import ALL, Together
from symbackprop.numerics.tolerance import largest_of
from symbackprop.sampling.definite_matrices import symmetric_part
from symbackprop.systems.system import System
from symbackprop.verification.checked_module import ModuleUnderCheck
from symbackprop.verification.comparing import (
    Comparison,
    along,
    along_quotients,
    in_sight,
    note_of,
    of_elements,
    of_quotients,
)
from symbackprop.verification.precision import effect_of_rounding
from symbackprop.verification.referee import HighPrecision
from symbackprop.verification.report import AT_KINKS, UNSIMPLIFIED

Array: TypeAlias = NDArray[Any]

FEWEST_MOVED, MOST_MOVED = 5, 100_000  # elements of a tensor, and of all of them
DIRECTIONS, TIMED = 20, 3  # for each tensor of which not every element is moved; evaluations that are timed
_TOGETHER = worded("{count} directions, all tensors at once", count=DIRECTIONS)
LOSSES_OF_STEP = (
    2 * len(LADDER) + NOISE_DIRECTIONS * NOISE_POINTS
)  # evaluations that it takes to find a tensor's own step
LEAST_OF_SCALE = 1e-12  # of the largest number in sight: an error as large as rounding's own effect


def seconds_of(work: Callable[[], object]) -> float:
    """The processor time of one call, the shortest of a few."""
    found = []
    for _ in range(TIMED):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
        if found[-1] > 0.1:
            break
    return max(min(found), 1e-7)


@dataclass(frozen=True)
class Sample:
    """Which elements of a tensor are moved, and along which directions it is where those are not all."""

    chosen: Array
    directions: Array

    @property
    def note(self) -> str:
        """What a row says of it."""
        elements, count = note_of(self.chosen), len(self.directions)
        return worded("{elements}, {count} directions", elements=elements, count=count) if count else elements


def samples(
    arrays: Mapping[str, Array], seconds: float, costs: Mapping[str, float], rng: np.random.Generator
) -> tuple[dict[str, Sample], bool]:
    """Every element where `seconds` allow it at these costs each; else some, spread evenly, and directions.

    Where not even directions for each tensor are affordable, one element each; the second result says that
    all tensors are to be moved along directions together.
    """
    elements = sum(array.size for array in arrays.values())
    needed = sum(array.size * costs[name] for name, array in arrays.items())
    is_affordable = needed <= seconds and elements <= MOST_MOVED
    directions = DIRECTIONS * sum(costs.values())
    is_together = not is_affordable and seconds < directions + FEWEST_MOVED * sum(costs.values())
    part = min(max(seconds - directions, 0.0) / needed, MOST_MOVED / elements) if needed else 1.0
    found = {}
    for name, array in arrays.items():
        most = array.size if is_affordable else max(FEWEST_MOVED, int(part * array.size))
        chosen = sample_of(array, 1 if is_together else most)
        count = 0 if chosen.all() or is_together else DIRECTIONS
        found[name] = Sample(chosen, rng.choice((-1.0, 1.0), (count, *array.shape)))
    return found, is_together and bool(elements)


def by_differences(
    checked: ModuleUnderCheck,
    values: Mapping[str, Array],
    names: Sequence[str],
    seconds: float,
    rng: np.random.Generator,
) -> list[Comparison]:
    """Central differences of the module's own loss by these tensors, with a step for each tensor.

    An error that rounding of the data alone could cause passes: it is all there is where the loss vanishes. A
    matrix that a fact calls symmetric is moved with its mirror image, and of its gradient is compared
    what is seen along symmetric matrices: a module refuses others.
    """
    of_one = seconds_of(lambda: checked.loss(values))
    costs = dict.fromkeys(names, 2 * STEPS * of_one)
    chosen, is_together = samples({name: values[name] for name in names}, seconds, costs, rng)
    steps = _steps(checked, values, names, is_shared=of_one * LOSSES_OF_STEP * len(names) > seconds, rng=rng)
    found = {
        name: _quotients(_loss_along(checked, checked.loss, name), values, name, chosen[name], steps[name])
        for name in names
    }
    own_loss = np.asarray(checked.loss(values))
    largest = in_sight(largest_of((own_loss, *(elements.values for elements, _ in found.values()))))
    rounding = max(effect_of_rounding(checked, values).values(), default=0.0)
    largest = max(largest, rounding / LEAST_OF_SCALE) if np.isfinite(rounding) else largest
    comparisons: list[Comparison] = []
    for name, (elements, directions) in found.items():
        view = symmetric_part if name in checked.symmetric else _as_it_is
        of_tensor = [of_quotients(name, elements, largest)]
        if directions is not None:
            of_tensor.append(along_quotients(name, chosen[name].directions, directions, largest))
        comparisons += [replace(each, view=view, note=chosen[name].note) for each in of_tensor]
    if is_together:
        free = [name for name in names if name not in checked.symmetric]
        comparisons.append(_differences_together(checked.loss, Together.of(values, free), largest, rng))
    return comparisons


def _differences_together(
    loss: Loss, together: Together, largest: float, rng: np.random.Generator
) -> Comparison:
    line, start, directions = together.loss_of(loss), together.start, together.directions(DIRECTIONS, rng)
    step = step_for(line, start, ALL, rng)
    quotients = central_differences_along(line, start, ALL, directions, step)
    comparison = along_quotients(ALL, directions, quotients, largest)
    return replace(comparison, parts=together.scales, note=_TOGETHER)


def _steps(
    checked: ModuleUnderCheck,
    values: Mapping[str, Array],
    names: Sequence[str],
    is_shared: bool,
    rng: np.random.Generator,
) -> dict[str, Step]:
    """A step for each tensor, or the same part of the scale of each where there is no time for their own."""
    if is_shared:
        row = Together.of(values, [name for name in names if name not in checked.symmetric] or names)
        line = row.loss_of(checked.loss)
        step = step_for(line, row.start, ALL, rng)
        return {name: Step(step.width * scale_of(values[name]), step.noise) for name in names}
    losses = {name: _loss_along(checked, checked.loss, name) for name in names}
    return {name: step_for(loss, values, name, rng) for name, loss in losses.items()}


def _quotients(
    loss: Loss, values: Mapping[str, Array], name: str, sample: Sample, step: Step
) -> tuple[Quotients, Quotients | None]:
    elements = central_differences(loss, values, name, sample.chosen, step)
    if not len(sample.directions):
        return elements, None
    return elements, central_differences_along(loss, values, name, sample.directions, step)


def differences_of(
    checked: ModuleUnderCheck, loss: Loss, values: Mapping[str, Array], comparison: Comparison
) -> Array:
    """The quotients of a comparison again, of another loss: by the same elements and directions."""
    name = comparison.tensor
    loss = _loss_along(checked, loss, name)
    step = step_for(loss, values, name, np.random.default_rng(0))
    if comparison.directions is not None:
        return central_differences_along(loss, values, name, comparison.directions, step).values
    return central_differences(loss, values, name, comparison.usable, step).values


def _loss_along(checked: ModuleUnderCheck, loss: Loss, name: str) -> Loss:
    """The loss, of the symmetric part of a matrix that a fact calls symmetric."""
    if name not in checked.symmetric:
        return loss
    return lambda point: loss({**point, name: symmetric_part(point[name])})


def _as_it_is(array: Array) -> Array:
    return array


def terms_of_loss(system: System, known: Mapping[str, Array]) -> list[Array]:
    """The loss and the tensors that its own equation reads."""
    name = str(system.loss)
    return [known[each] for each in (name, *system.definitions[name].reads)]


def by_equations(
    loss: Loss,
    known: Mapping[str, Array],
    values: Mapping[str, Array],
    names: Sequence[str],
    seconds: float,
    rng: np.random.Generator,
    method: str,
    referee: HighPrecision,
) -> list[Comparison]:
    """The complex step through the equations by these tensors, which may be intermediates: `known` has all.

    What the loss is computed from counts among the numbers in sight: the terms of a sum that vanishes do.
    """
    step = IMAGINARY_STEP if method == AT_KINKS else WIDER_IMAGINARY_STEP
    points = {name: _standing(referee.system, known, values, name) for name in names}
    costs = {
        name: seconds_of(partial(loss, {**point, name: point[name] + 0j})) for name, point in points.items()
    }
    chosen, is_together = samples({name: known[name] for name in names}, seconds, costs, rng)
    found: dict[str, tuple[Array, Array]] = {}
    for name, point in points.items():
        found[name] = (
            complex_step(loss, point, name, chosen[name].chosen, step),
            complex_step_along(loss, point, name, chosen[name].directions, step),
        )
    largest = largest_of(
        (*terms_of_loss(referee.system, known), *(elements for elements, _ in found.values()))
    )
    comparisons: list[Comparison] = []
    for name, (elements, directions) in found.items():
        of_tensor = [of_elements(name, method, elements, largest, chosen[name].chosen)]
        if len(directions):
            of_tensor.append(along(name, method, chosen[name].directions, directions, largest))
        comparisons += [replace(each, note=chosen[name].note) for each in of_tensor]
    free = [name for name in names if name in values]
    if is_together and free:
        comparisons.append(_of_all_at_once(loss, values, free, largest, method, step, rng))
    if method == AT_KINKS:
        # Steps of two factors that are 0 multiply to a real -h^2, which takes a sum off its kink.
        comparisons = [each for each in comparisons if each.directions is None]
    return [replace(each, referee=referee) for each in comparisons]


def _of_all_at_once(
    loss: Loss,
    values: Mapping[str, Array],
    names: Sequence[str],
    largest: float,
    method: str,
    step: float,
    rng: np.random.Generator,
) -> Comparison:
    """The complex step along directions in which all the tensors move."""
    together = Together.of(values, names)
    line, ways = together.loss_of(loss), together.directions(DIRECTIONS, rng)
    along_all = along(ALL, method, ways, complex_step_along(line, together.start, ALL, ways, step), largest)
    return replace(along_all, parts=together.scales, note=_TOGETHER)


def _standing(
    system: System, known: Mapping[str, Array], values: Mapping[str, Array], name: str
) -> dict[str, Array]:
    """The tensor, and what does not move with it: that need not be worked out for every step."""
    dependents = system.dependents((name,))
    still = {each: array for each, array in known.items() if each not in dependents}
    return {**values, **still, name: known[name]}


def by_adjoints(
    adjoints: Mapping[str, Array], known: Mapping[str, Array], names: Sequence[str], referee: HighPrecision
) -> list[Comparison]:
    """Every element of the unsimplified adjoints, where complex steps for each would take too long."""
    largest = largest_of((*terms_of_loss(referee.system, known), *(adjoints[name] for name in names)))
    comparisons = [of_elements(name, UNSIMPLIFIED, adjoints[name], largest) for name in names]
    return [replace(each, referee=referee, may_skip=True) for each in comparisons]
