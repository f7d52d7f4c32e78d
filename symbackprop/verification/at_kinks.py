"""Rounds on data that lie exactly at a model's kinks and ties, and on such on which its bounds act.

At kinks the convention decides that the language documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from symbackprop.errors import VerificationError
from symbackprop.languages.phrases import worded
from symbackprop.sampling.drawing import Draw, Drawing
from symbackprop.sampling.draws_at_bounds import draws_at_bounds
from symbackprop.sampling.draws_at_kinks import Convention, exact_sizes, felt
from symbackprop.sampling.finite_data import Values
from symbackprop.sampling.kinks import EXACT_DOMAINS, Kink, kinks_of, places_at
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.semantics.number_systems import PRECISE
from symbackprop.verification.examination import LATER_SHARE, Examiner, Found, called_on, control_of, row_of
from symbackprop.verification.judged_equations import Equations
from symbackprop.verification.judges import by_equations
from symbackprop.verification.referee import HighPrecision, precise_values
from symbackprop.verification.report import AT_KINKS, CheckRow, Round, in_one_row

DRAWS = 12  # of each exact domain
SECONDS_SHARE = 0.5  # of the time that is left, for finding data


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
        name = "at " + "; ".join(f"{kink} ({count} places)" for kink, count in at.places.items())
        found.append(_round(examiner, equations, at, rng, name))
    return found, [
        worded("no data were found on which the convention shows for {name}", name=name) for name in waiting
    ]


def rounds_at_bounds(examiner: Examiner, rng: np.random.Generator) -> list[Found]:
    """A round for each draw on which the model's bounds act: silence, constants, zeros beside others."""
    equations = examiner.equations
    if equations is None:
        return []
    draws = draws_at_bounds(Drawing(equations.system, equations.unsimplified))
    return [
        _round(examiner, equations, AtKinks(draw.values, draw.sizes, {}), rng, worded("where bounds act"))
        for draw in draws
        if examiner.clock.left
    ]


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
        at = Draw(sizes, values, equations.known(values, sizes), {})
        conventions = [Convention.of(equations.system, [kink]) for kink in waiting.values()]
        shown = felt(equations.system, conventions, at, asked, rng)
        if not shown:
            continue
        exactly = precise_values(equations.system, values, sizes)
        exact = [] if exactly is None else [NaiveEvaluator(exactly, sizes, PRECISE)]
        places = places_at([kink for each in shown for kink in each.kinks], at.known, sizes, exact)
        if places is not None:
            for name in places:
                del waiting[name]
            yield AtKinks(values, sizes, places)


def _round(
    examiner: Examiner, equations: Equations, at: AtKinks, rng: np.random.Generator, name: str
) -> Found:
    called = called_on(examiner.checked, at.values)
    if isinstance(called, CheckRow):
        return Found(Round(name, at.sizes, (called,)))
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
    terms = equations.rounding_of_terms(at.values, at.sizes)
    terms = None if terms is None else replace(terms, at_kinks=True)
    comparisons = [replace(each, rounding=terms) for each in comparisons]
    row = in_one_row([row_of(each, gradients) for each in comparisons])
    control = control_of(comparisons, gradients, rng)
    return Found(Round(name, at.sizes, (*rows, row)), control)
