"""One tiny instance of a model: numbers that fit a slide, for every tensor and every gradient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.interpreter import interpret
from symbackprop.array.program import Program
from symbackprop.derivation.result import Derivation
from symbackprop.errors import NotationError, VerificationError
from symbackprop.explanation.programs.dataflow import Dataflow
from symbackprop.lowering.programs import lower
from symbackprop.sampling.drawing import Draw, Drawing
from symbackprop.sampling.finite_data import DOMAINS, Domain, Values
from symbackprop.sampling.related_sizes import free_axes
from symbackprop.sampling.small_axes import evaluation_visits, large_axes, model_sizes, with_axes
from symbackprop.schedule.named_equations import Part
from symbackprop.semantics.systems import undefined_is_silent
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.system import System
from symbackprop.verification.verified_module import computed_model, derivation_over

Array: TypeAlias = NDArray[Any]

SAMPLES, UNITS = 2, (2, 3)
SEED, SEEDS_TRIED = 7, 3
DECIMALS, NEXT_TO_NOTHING = 3, 1e-6  # as a slide shows numbers, and what it need not show
MOST_VISITS = 1_000_000  # nodes that are evaluated for one instance
# Numbers that a person multiplies on a blackboard.
_HANDY = Domain("halves from -1 to 2 but 0", lambda rng, shape: rng.choice([-1, -0.5, 0.5, 1, 1.5, 2], shape))
_TENTHS = Domain(
    "normal, to one digit behind the point", lambda rng, shape: rng.normal(0.0, 1.0, shape).round(1)
)
_SMALL = Domain("normal, of a third", lambda rng, shape: rng.normal(0.0, 1 / 3, shape).round(2))
_SHOWN = (_HANDY, _TENTHS, _SMALL)


@dataclass(frozen=True)
class Instance:
    """Sizes of all axes, and values of all tensors and adjoints, by the names of the program."""

    sizes: Mapping[str, int]
    values: Mapping[str, Array]


def instance_of(derivation: Derivation) -> Instance | None:
    """Two samples, two or three units; None where the model is not finite on such small data.

    Declared sizes are made small where no position depends on them.
    """
    axes = large_axes(derivation.model, max(UNITS))
    small = derivation_over(derivation, axes) if axes else derivation
    draw = _drawn(with_axes(computed_model(derivation), axes))
    if draw is None:
        return None
    program = lower(small)
    values = {**draw.known, **interpret(program, draw.values)}
    return Instance(draw.sizes, _at_every_step(program, values, draw.sizes))


def _at_every_step(
    program: Program, values: Mapping[str, Array], sizes: Mapping[str, int]
) -> dict[str, Array]:
    """The values, those that a loop forgets by their equations at all places."""
    steps = [run.line for run in Dataflow.of(program.statements).runs if run.variable_of]
    forgotten = {line.name for line in steps}
    known = {name: array for name, array in values.items() if name not in forgotten}
    evaluator = VectorisedEvaluator(known, sizes)
    with undefined_is_silent():
        for line in steps:
            stated = line.origin.stated
            if line.origin.part is Part.EQUATION and stated.expression.tensors <= known.keys():
                known[stated.tensor] = evaluator.array(stated.expression, stated.indices)
    return known


def _drawn(system: System) -> Draw | None:
    """Handy numbers on which the model is finite, no two samples alike where a few draws have such."""
    drawing = Drawing(system, adjoints=lambda values, sizes: {})
    drawable = [sizes for sizes in _sizes(system) if evaluation_visits(system, sizes) <= MOST_VISITS]
    for sizes in drawable:
        best, fewest = None, 0
        for found in chain.from_iterable(_finite(drawing, sizes, domain) for domain in _SHOWN):
            twins = sum(map(_has_twins, found.known.values()))
            if not twins:
                return found
            if best is None or twins < fewest:
                best, fewest = found, twins
        if best is not None:
            return best
    others = (_finite(drawing, sizes, domain) for sizes, domain in product(drawable, DOMAINS))
    return next(chain.from_iterable(others), None)


def _finite(drawing: Drawing, sizes: Mapping[str, int], domain: Domain) -> Iterator[Draw]:
    for seed in range(SEEDS_TRIED):
        try:
            found = drawing.finite_at(_values(drawing, sizes, domain, seed), sizes)
        except (VerificationError, NotationError):
            continue
        if found is not None:
            yield found


def _has_twins(array: Array) -> bool:
    """Whether two rows of real numbers look the same: what a sum over them mixes up would not be seen."""
    if not is_small(array) or array.ndim < 2 or array.shape[-1] < 2 or array.dtype.kind != "f":
        return False
    rows = numbers_of(array).reshape(-1, array.shape[-1])
    return len(np.unique(rows, axis=0)) < len(rows)


def _sizes(system: System) -> Iterable[Mapping[str, int]]:
    """The wish, then whatever small sizes the relations and positions of the model allow."""
    names = free_axes(system.axes)
    # Of one axis beside the samples the mean and the spread are to be seen: two numbers have no shape.
    units = UNITS[::-1] if len(names) == 2 else UNITS
    wish = {name: SAMPLES if place == 0 else units[(place - 1) % 2] for place, name in enumerate(names)}
    for wanted in (wish, {}):
        try:
            yield model_sizes(system, wanted)
        except VerificationError:
            continue


def _values(drawing: Drawing, sizes: Mapping[str, int], domain: Domain, seed: int) -> Values:
    return drawing.values(sizes, domain, np.random.default_rng(SEED + seed))


def numbers_of(array: Array, digits: int = DECIMALS) -> Array:
    """The numbers of an array, rounded as a slide shows them; -0 is 0."""
    rounded = np.asarray(array)
    return rounded if rounded.dtype.kind in "iub" else np.round(rounded, digits) + 0.0


def is_small(array: Array, most: int = 12) -> bool:
    """Whether all numbers of an array may be shown: three axes at most, and few numbers."""
    return array.ndim <= 3 and array.size <= most


def rows_of(array: Array) -> list[list[str]]:
    """The numbers as text, row by row, all with the same number of digits."""
    rounded = numbers_of(np.atleast_2d(np.asarray(array)))
    if rounded.dtype.kind in "iub":
        return [[str(int(number)) for number in row] for row in rounded]
    if np.max(np.abs(rounded - np.atleast_2d(array)), initial=0.0) > NEXT_TO_NOTHING:
        return [[f"{number:.{DECIMALS}f}" for number in row] for row in rounded]
    texts = [[f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".") for number in row] for row in rounded]
    digits = max((len(text.partition(".")[2]) for text in chain.from_iterable(texts)), default=0)
    return [[f"{number:.{digits}f}" for number in row] for row in rounded]
