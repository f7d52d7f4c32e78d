"""Rounds on data that lie exactly at a model's kinks and ties: the convention that the language documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from symbackprop.errors import VerificationError
from symbackprop.numerics.differences import complex_step_along
from symbackprop.numerics.together import ALL, Together
from symbackprop.sampling.finite_data import Values
from symbackprop.sampling.kinks import EXACT_DOMAINS, EXACT_SIZES, Kink, kinks_of, places_at
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.system import System
from symbackprop.verification.examination import LATER_SHARE, Examiner, Found, called_on, control_of, row_of
from symbackprop.verification.judged_equations import Equations
from symbackprop.verification.judges import by_equations
from symbackprop.verification.referee import HighPrecision, precise_values
from symbackprop.verification.report import AT_KINKS, CheckRow, Round, in_one_row

DRAWS = 12  # of each exact domain
SECONDS_SHARE = 0.5  # of the time that is left, for finding data
FELT = 1e-9  # by how much the derivative along a direction changes where the convention at a kink shows


@dataclass(frozen=True)
class AtKinks:
    """Data on which the conventions at these kinks show: each one's name to the number of places on it."""

    values: Values
    sizes: Mapping[str, int]
    places: Mapping[str, int]


def rounds_at_kinks(examiner: Examiner, rng: np.random.Generator) -> tuple[list[Found], list[str]]:
    """A round for each draw on which a kink's convention shows first, and remarks on those where none does.

    To lie on a kink is not enough: what comes behind it may be flat there. So a draw counts for a kink where
    the other convention gives another derivative.
    """
    equations = examiner.equations
    if equations is None:
        return [], []
    waiting = {kink.name: kink for kink in kinks_of(equations.system)}
    found: list[Found] = []
    for at in _data_at_kinks(examiner, equations, waiting, rng):
        found.append(_round(examiner, equations, at, rng))
    return found, [f"no data were found on which the convention shows for {name}" for name in waiting]


def _data_at_kinks(
    examiner: Examiner, equations: Equations, waiting: dict[str, Kink], rng: np.random.Generator
) -> Iterator[AtKinks]:
    """Draws of numbers that are added and multiplied without rounding, as long as there is time.

    The kinks whose convention showed leave `waiting`.
    """
    enough = SECONDS_SHARE * examiner.clock.left
    sizes = exact_sizes(equations.stated)
    asked = [name for name in examiner.checked.asked if name in equations.shapes]
    for domain in EXACT_DOMAINS * DRAWS:
        if not waiting or not asked or examiner.clock.left < enough:
            return
        try:
            values = equations.sample(sizes, rng, [domain])
        except VerificationError:
            continue
        felt = _felt(equations.system, tuple(waiting.values()), Together.of(values, asked), sizes, rng)
        if not felt:
            continue
        exactly = precise_values(equations.system, values, sizes)
        places = places_at(felt, equations.known(values, sizes), sizes, exactly)
        if places is not None:
            for name in places:
                del waiting[name]
            yield AtKinks(values, sizes, places)


def _felt(
    system: System,
    kinks: tuple[Kink, ...],
    together: Together,
    sizes: Mapping[str, int],
    rng: np.random.Generator,
) -> tuple[Kink, ...]:
    """The kinks where the other convention gives another derivative along a random direction."""
    directions = together.directions(1, rng)

    def derivative(of: System) -> float:
        line = together.loss_of(
            lambda point: evaluate_system(of, point, sizes, only=[str(of.loss)])[str(of.loss)]
        )
        return float(complex_step_along(line, together.start, ALL, directions)[0])

    here = derivative(system)
    others = ((kink, kink.with_the_other_side(system)) for kink in kinks)
    return tuple(
        kink
        for kink, other in others
        if other is not None and abs(derivative(other) - here) > FELT * (1 + abs(here))
    )


def exact_sizes(system: System) -> dict[str, int]:
    """Sizes over which a mean is exact, by turns; declared ones stay."""
    wanted = {axis.name: EXACT_SIZES[place % len(EXACT_SIZES)] for place, axis in enumerate(system.axes)}
    return model_sizes(system, wanted)


def _round(examiner: Examiner, equations: Equations, at: AtKinks, rng: np.random.Generator) -> Found:
    called = called_on(examiner.checked, at.values)
    if isinstance(called, CheckRow):
        return Found(Round("at kinks", at.sizes, (called,)))
    _, gradients, rows = called
    comparisons = by_equations(
        partial(equations.loss, at.sizes),
        equations.known(at.values, at.sizes),
        at.values,
        tuple(gradients),
        LATER_SHARE * examiner.clock.left,
        rng,
        AT_KINKS,
        HighPrecision(equations.system, at.values, at.sizes),
    )
    row = in_one_row([row_of(each, gradients) for each in comparisons])
    name = "at " + "; ".join(f"{kink} ({count} places)" for kink, count in at.places.items())
    control = control_of(comparisons, gradients, rng)
    return Found(Round(name, at.sizes, (*rows, row)), control)
