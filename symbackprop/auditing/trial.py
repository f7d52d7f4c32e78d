"""One call of a hand-written gradient: what it gives back, held against what that should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.expectations import Expectations, magnitude
from symbackprop.handwritten.agreement import agrees, error_of, grade_of, shaped
from symbackprop.handwritten.layouts import Layout
from symbackprop.handwritten.planning import Candidate
from symbackprop.handwritten.plans import Attempt, Outcome, Program
from symbackprop.handwritten.returned_gradients import Labelled
from symbackprop.systems.system import Role

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Trial:
    """A candidate called in one layout: what came of it on each draw, and what it gives back."""

    candidate: Candidate
    layout: Layout
    attempt: Attempt
    outcomes: tuple[Outcome, ...]
    expectations: Expectations
    labelled: Labelled
    program: Program

    @property
    def expected(self) -> tuple[dict[str, Array], ...]:
        """For each draw, the gradients that are given back as they should be, by their tensor."""
        return tuple(
            [
                {
                    name: self.layout.array(name, np.asarray(draw.adjoints[name]))
                    for name in self.labelled.paths
                }
                for draw in self.expectations.draws
            ]
        )

    @property
    def found(self) -> tuple[dict[str, Any], ...]:
        """For each draw, the gradients that were given back."""
        return tuple(
            [
                {
                    name: shaped(outcome.results.get(path), expected[name].shape)
                    for name, path in self.labelled.paths.items()
                }
                for outcome, expected in zip(self.outcomes, self.expected, strict=True)
            ]
        )

    def errors(self, name: str) -> float:
        """The largest relative error of a gradient over all draws."""
        triples = zip(self.found, self.expected, self.expectations.draws, strict=True)
        return max(error_of(one[name], other[name], magnitude(draw)) for one, other, draw in triples)

    def is_right(self, name: str) -> bool:
        """Whether a gradient is the expected one on every draw."""
        triples = zip(self.found, self.expected, self.expectations.draws, strict=True)
        return all(agrees(one[name], other[name], magnitude(draw)) for one, other, draw in triples)

    @property
    def wrong(self) -> list[str]:
        """The tensors whose gradients are not the expected ones."""
        return [name for name in self.labelled.paths if not self.is_right(name)]

    @property
    def missing(self) -> list[str]:
        """The model's parameters whose gradients nothing that is given back is known as."""
        parameters = self.expectations.system.with_role(Role.PARAMETER)
        return [
            each.name for each in parameters if each.values is None and each.name not in self.labelled.paths
        ]

    @property
    def is_order_open(self) -> bool:
        """Whether results of one shape have no names that say whose gradients they are."""
        shapes = [self.expected[0][name].shape for name in self.labelled.taken_by_place]
        return len(set(shapes)) < len(shapes)

    @property
    def grades(self) -> dict[str, int]:
        """How near each gradient comes on every draw."""
        pairs = list(zip(self.found, self.expected, strict=True))
        return {
            name: min(grade_of(one[name], other[name]) for one, other in pairs)
            for name in self.labelled.paths
        }

    @property
    def rank(self) -> tuple[int, int]:
        """How many gradients are right, and how many have at least the right shape."""
        names = list(self.labelled.paths)
        fitting = [name for name in names if np.shape(self.found[0][name]) == self.expected[0][name].shape]
        return len(names) - len(self.wrong), len(fitting)
