"""Which result is whose gradient: of the ways to read what is given back, the one with most right ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.expectations import magnitude
from symbackprop.auditing.hypotheses import factor_between
from symbackprop.auditing.trial import Trial
from symbackprop.handwritten.agreement import agrees, shaped
from symbackprop.handwritten.returned_gradients import GivenBack, Labelled, labelled_by_value

Array: TypeAlias = NDArray[Any]


def best_reading(given: GivenBack, trial: Trial) -> Trial | None:
    """The trial with the labelling that has most right gradients; None where nothing is anybody's.

    Names decide, then the place: two results that are exchanged are wrong. Where places leave it open, values
    decide.
    """
    found = [replace(trial, labelled=each) for each in given.labellings]
    losses = [each for each in found if each.labelled.loss is not None and _is_the_loss(each)]
    found = losses or found
    if all(each.missing for each in found):
        found += list(_by_value(given, trial, found))
    return max(found, key=lambda each: each.rank, default=None)


def _is_the_loss(trial: Trial) -> bool:
    """Whether what is taken for the loss is it, or a multiple by a factor of sizes."""
    draws, path = trial.expectations.draws, str(trial.labelled.loss)
    expected = [np.asarray(draw.known[trial.expectations.loss], dtype=np.float64) for draw in draws]
    own = [np.asarray(outcome.results.get(path, np.nan), dtype=np.float64) for outcome in trial.outcomes]
    return factor_between(own, expected, [draw.sizes for draw in draws]) is not None


def _by_value(given: GivenBack, trial: Trial, tried: Sequence[Trial]) -> Iterator[Trial]:
    """The readings once more, what has no name by its values; and where no reading was to be had."""
    unnamed = tuple([path for path in given.results if path.startswith("return")])
    readings = [each.labelled for each in tried] or [Labelled({}, None, unnamed)]
    draws = trial.expectations.draws
    expected: Mapping[str, list[Array]] = {
        name: [trial.layout.array(name, np.asarray(draw.adjoints[name])) for draw in draws]
        for name in given.expected
    }

    def agreeing(name: str, path: str) -> bool:
        triples = zip(trial.outcomes, expected[name], draws, strict=True)
        return all(
            agrees(shaped(outcome.results.get(path), wanted.shape), wanted, magnitude(draw))
            for outcome, wanted, draw in triples
        )

    for each in readings:
        found = labelled_by_value(each, agreeing, given.results, given.expected)
        if found.paths:
            yield replace(trial, labelled=found)
