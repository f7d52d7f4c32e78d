"""Whether data that coincide lie on a kink exactly, or as rounding has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import mpmath
from numpy.typing import NDArray

from symbackprop.sampling.kinks import RandomlyRounded, kinks_of, places_at
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.semantics.number_systems import PRECISE
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.system import System
from symbackprop.verification.referee import DIGITS, precise_values

Array: TypeAlias = NDArray[Any]
EVALUATIONS = 2  # with random rounding


def rounding_decides(system: System, values: Mapping[str, Array], sizes: Mapping[str, int]) -> bool:
    """Whether which side of a kink the data lie on may differ between ways of computing the same."""
    kinks = kinks_of(system)
    if not kinks:
        return False
    exactly = precise_values(system, values, sizes)
    exact = [] if exactly is None else [NaiveEvaluator(exactly, sizes, PRECISE)]
    rounded = [RandomlyRounded.of(system, values, sizes, seed) for seed in range(EVALUATIONS)]
    known = evaluate_system(system, values, sizes)
    with mpmath.workdps(DIGITS):
        return places_at(kinks, known, sizes, [*exact, *rounded]) is None
