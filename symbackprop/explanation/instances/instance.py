"""One tiny instance of a model: numbers that fit a slide, for every tensor and every gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.interpreter import interpret
from symbackprop.array.program import Program, statements_in
from symbackprop.derivation.result import Derivation
from symbackprop.errors import NotationError
from symbackprop.explanation.instances.digits import decimals_of
from symbackprop.explanation.instances.drawing import tiny_draw
from symbackprop.explanation.instances.sizes import MOST_SHOWN
from symbackprop.explanation.programs.dataflow import Dataflow
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import Element, Number
from symbackprop.notation.substitution import substitute
from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.small_axes import large_axes, with_axes
from symbackprop.schedule.named_equations import Part
from symbackprop.semantics.systems import undefined_is_silent
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.printing import text
from symbackprop.verification.verified_module import computed_model, derivation_over

Array: TypeAlias = NDArray[Any]

_FORMULAS = frozenset({Part.SUBEXPRESSION, Part.HOISTED, Part.INVARIANT, Part.CUT})
FITTING = 3  # the largest declared size that is small enough


@dataclass(frozen=True)
class Instance:
    """Sizes of all axes, and values of all tensors and adjoints, by the names of the program.

    `parts` are formulas within equations that have names of their own: each at every place, as it is printed,
    with the element that holds it.
    """

    sizes: Mapping[str, int]
    values: Mapping[str, Array]
    parts: Mapping[str, Mapping[str, Element]] = field(default_factory=dict)

    @cached_property
    def decimals(self) -> Mapping[str, int]:
        """How many decimals each tensor is shown with."""
        return {name: decimals_of(array) for name, array in self.values.items()}


def instance_of(derivation: Derivation) -> Instance | None:
    """Two samples and a few units; None where the model is not finite on such small data.

    Declared sizes are made small where no position depends on them.
    """
    axes = large_axes(derivation.model, FITTING)
    small = derivation_over(derivation, axes) if axes else derivation
    program = lower(small)

    def computed(draw: Draw) -> Mapping[str, Array]:
        return interpret(program, draw.values)

    draw = tiny_draw(with_axes(computed_model(derivation), axes), computed)
    if draw is None:
        return None
    values = {**draw.known, **computed(draw)}
    return Instance(
        draw.sizes, _at_every_step(program, values, draw.sizes), dict(_parts(program, draw.sizes))
    )


def _parts(program: Program, sizes: Mapping[str, int]) -> Iterator[tuple[str, Mapping[str, Element]]]:
    for line in statements_in(program.statements):
        stated = line.origin.stated
        shape = [sizes.get(index.axis.name, MOST_SHOWN + 1) for index in stated.indices]
        is_named = line.origin.part in _FORMULAS and stated.tensor == line.name
        if is_named and not isinstance(stated.expression, Element) and prod(shape) <= MOST_SHOWN:
            at = [dict(zip(stated.indices, map(Number, place), strict=True)) for place in np.ndindex(*shape)]
            elements = [Element(stated.tensor, tuple(each.values())) for each in at]
            shown = [text(substitute(stated.expression, each)) for each in at]
            yield line.name, dict(zip(shown, elements, strict=True))


def _at_every_step(
    program: Program, values: Mapping[str, Array], sizes: Mapping[str, int]
) -> dict[str, Array]:
    """The values, those that a loop forgets by their equations at all places."""
    steps = [run.line for run in Dataflow.of(program.statements).runs if run.variable_of]
    forgotten = {line.name for line in steps}
    known = {name: array for name, array in values.items() if name not in forgotten}
    evaluator = VectorisedEvaluator(known, sizes)
    with undefined_is_silent():
        for stated in (line.origin.stated for line in steps):
            if stated.tensor in known or not stated.expression.tensors <= known.keys():
                continue
            try:
                known[stated.tensor] = evaluator.array(stated.expression, stated.indices)
            except (NotationError, KeyError, IndexError):
                continue  # a part that has no number of its own
    return known
