"""Rounds on data that lie exactly where a model bends or ties: the choice that the language documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from symbackprop.errors import VerificationError
from symbackprop.notation.system import System
from symbackprop.verification.axes import model_sizes
from symbackprop.verification.equations import Equations
from symbackprop.verification.examination import LATER_SHARE, Examiner, Found, called_on, control_of, row_of
from symbackprop.verification.judges import by_equations
from symbackprop.verification.kinks import EXACT_DOMAINS, EXACT_SIZES, Kink, kinks_of, places_at
from symbackprop.verification.referee import HighPrecision, precise_values
from symbackprop.verification.report import AT_KINKS, CheckRow, Round, in_one_row
from symbackprop.verification.sampling import Values

DRAWS = 4  # of each exact domain
SECONDS_SHARE = 0.5  # of the time that is left, for finding data


@dataclass(frozen=True)
class AtKinks:
    """Data on which a model is at some of its kinks: each one's name to the number of places."""

    values: Values
    sizes: Mapping[str, int]
    places: Mapping[str, int]


def rounds_at_kinks(examiner: Examiner, rng: np.random.Generator) -> tuple[list[Found], list[str]]:
    """A round for each draw that reaches a kink that none before it did, and remarks on those never reached."""
    equations = examiner.equations
    if equations is None:
        return [], []
    kinks = kinks_of(equations.system)
    reached: set[str] = set()
    found: list[Found] = []
    for at in _data_at_kinks(examiner, equations, kinks, rng):
        if at.places.keys() - reached:
            reached |= at.places.keys()
            found.append(_round(examiner, equations, at, rng))
        if len(reached) == len(kinks):
            break
    missed = [kink.name for kink in kinks if kink.name not in reached]
    return found, [f"no data were found that lie exactly at {name}" for name in missed]


def _data_at_kinks(
    examiner: Examiner, equations: Equations, kinks: tuple[Kink, ...], rng: np.random.Generator
) -> Iterator[AtKinks]:
    """Draws of numbers that are added and multiplied without rounding, as long as there is time."""
    if not kinks:
        return
    enough = SECONDS_SHARE * examiner.clock.left
    sizes = exact_sizes(equations.stated)
    for _ in range(DRAWS):
        for domain in EXACT_DOMAINS:
            if examiner.clock.left < enough:
                return
            try:
                values = equations.sample(sizes, rng, [domain])
            except VerificationError:
                continue
            exactly = precise_values(equations.system, values, sizes)
            places = places_at(kinks, equations.known(values, sizes), sizes, exactly)
            if places:
                yield AtKinks(values, sizes, places)


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
