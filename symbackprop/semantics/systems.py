"""All tensors of a system at once, by the fast evaluator."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.notation.expressions import Expression, Index
from symbackprop.semantics.array_numbers import DOUBLE, ArrayNumbers
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import Recurrence, computations, selection
from symbackprop.systems.system import Equation, System

Array: TypeAlias = NDArray[Any]


@contextmanager
def undefined_is_silent(strict: bool = False) -> Iterator[None]:
    """What is undefined is nan or infinite, and no cause for a warning; if `strict`, a FloatingPointError."""
    with np.errstate(all="raise" if strict else "ignore", under="ignore"):
        yield


def evaluate_system(
    system: System,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    added: Mapping[str, Array] | None = None,
    reached: dict[Expression, set[bool]] | None = None,
    only: Iterable[str] | None = None,
    strict: bool = False,
    numbers: ArrayNumbers = DOUBLE,
) -> dict[str, Array]:
    """All tensors of a system: the given ones, and every derived one by its equation as it stands.

    `added` is added to tensors, derived ones as soon as they are computed, so that all that follows from them
    moves; `reached` collects the sides of comparisons that came up; with `only`, these tensors alone and what
    they need are computed, in these `numbers`. Raises VerificationError where a tensor is
    read outside its axes and, if `strict`, FloatingPointError where any part of an equation is undefined or
    overflows, whatever comes of it.
    """
    added = added or {}
    wanted = system.definitions.keys() if only is None else system.precedents(only)
    known: dict[str, Array] = {
        name: array + added[name] if name in added else array for name, array in values.items()
    }
    if wanted <= known.keys():
        return known
    reached = {} if reached is None else reached
    evaluator = VectorisedEvaluator(known, sizes, reached=reached, numbers=numbers)
    with undefined_is_silent(strict):
        for stage in stages_of(system.equations):
            missing = [each for each in stage.equations if each.tensor in wanted and each.tensor not in known]
            if stage.recurrence is not None and missing:
                known.update(_stepwise(missing, stage.recurrence, evaluator, added, system.places))
                continue
            for equation in missing:
                array = evaluator.array(equation.expression, equation.indices)
                known[equation.tensor] = array + added[equation.tensor] if equation.tensor in added else array
    return known


def _stepwise(
    equations: Sequence[Equation],
    recurrence: Recurrence,
    evaluator: VectorisedEvaluator,
    added: Mapping[str, Array],
    places: Collection[str],
) -> dict[str, Array]:
    """The tensors of a recurrence, step by step; `places` are whole numbers, which nothing rounds."""
    arrays = unfilled(equations, evaluator, added)
    stepping = replace(evaluator, values={**evaluator.values, **arrays})
    for equation, at in computations(recurrence, evaluator.sizes):
        if equation.tensor in arrays:
            numbers = DOUBLE if equation.tensor in places else stepping.numbers
            found = at_steps(replace(stepping, numbers=numbers), equation, at)
            here = selection(equation, at)
            more = added[equation.tensor][here] if equation.tensor in added else 0.0
            arrays[equation.tensor][here] = found + more
    return arrays


def unfilled(
    equations: Iterable[Equation],
    evaluator: VectorisedEvaluator,
    added: Mapping[str, Array] = MappingProxyType({}),
) -> dict[str, Array]:
    """An array of nan for each equation, of numbers as wide as the known ones and those `added`."""
    known = (*evaluator.values.values(), *added.values())
    dtype = np.result_type(np.float64, *(np.asarray(array).dtype for array in known))
    return {
        equation.tensor: np.full(
            [evaluator.sizes[index.axis.name] for index in equation.indices], np.nan, dtype=dtype
        )
        for equation in equations
    }


def at_steps(evaluator: VectorisedEvaluator, equation: Equation, at: Mapping[Index, int]) -> Array:
    """The equation's values where these indices stand at their steps."""
    others = tuple(each for each in equation.indices if each not in at)
    return evaluator.array(equation.expression, others, at)
