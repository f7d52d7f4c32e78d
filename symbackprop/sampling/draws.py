"""Sizes and data on which a module is held against its equations: few, small and different.

The first draw has pairwise different sizes; others have axes of size 1, or are longer. Values are drawn until
each comparison in the model has come out either way, as far as that takes a handful of draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import VerificationError
from symbackprop.notation.expressions import Expression
from symbackprop.numerics.tolerance import all_finite, largest_of
from symbackprop.sampling.definite_matrices import has_sound_matrices
from symbackprop.sampling.finite_data import DOMAINS, Domain, Values
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.sampling.related_sizes import free_axes
from symbackprop.sampling.rounds import rounds_of_sizes
from symbackprop.sampling.small_axes import axis_names, model_sizes
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.system import DECLARED_ROLES, System

Array: TypeAlias = NDArray[Any]

SEED = 0
TRIES = 3  # draws from one domain until the values are finite
# A gradient below this part of the largest number in sight says little: rounding passes for it.
LEAST_TELLING = 1e-8
FEWEST_DRAWS, MOST_DRAWS = 2, 6
# Beyond what is drawn first: where a condition on values comes out otherwise.
FURTHER_DOMAINS = (
    Domain("normal, ten times in size", lambda rng, shape: rng.normal(0.0, 10.0, shape)),
    Domain("normal around 3", lambda rng, shape: rng.normal(3.0, 1.0, shape)),
    Domain("normal around -3", lambda rng, shape: rng.normal(-3.0, 1.0, shape)),
)


@dataclass(frozen=True)
class Draw:
    """Values of the declared tensors, on axes of these sizes, and of all tensors by the equations.

    `adjoints` are the derivatives of the loss by tensors, before any simplification; `reached` are the sides
    on which each comparison has come out.
    """

    sizes: Mapping[str, int]
    values: Values
    known: Mapping[str, Array]
    adjoints: Mapping[str, Array]
    reached: Mapping[Expression, set[bool]] = field(default_factory=dict)

    @property
    def told(self) -> frozenset[str]:
        """The tensors whose gradients are large beside the rounding of the largest number in sight."""
        least = LEAST_TELLING * largest_of((*self.known.values(), *self.adjoints.values()))
        return frozenset(name for name, each in self.adjoints.items() if largest_of([each]) > least)


Adjoints: TypeAlias = Callable[[Values, Mapping[str, int]], Mapping[str, Array]]


@dataclass
class Draws:
    """Draws for a system, on which it and its adjoints are finite.

    `adjoints` gives them from the values of all tensors; `reached` are the sides of its comparisons that have
    come up so far. Where a gradient that is `asked` for all but vanishes on the first values that are finite,
    as that of a saturated softmax does, each domain is tried for values on which it does not.
    """

    system: System
    adjoints: Adjoints
    asked: frozenset[str] = frozenset()
    reached: dict[Expression, set[bool]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Draw]:
        """At least two draws where two are to be had, and more while they reach further sides."""
        rng = np.random.default_rng(SEED)
        count = 0
        sizes = list(_sizes_to_try(self.system))
        plans: list[tuple[Mapping[str, int], tuple[Domain, ...]]] = [(each, DOMAINS) for each in sizes]
        plans += [(each, (domain,)) for domain, each in product(FURTHER_DOMAINS, sizes[:2])]
        for each, domains in plans:
            if count >= MOST_DRAWS or (count >= FEWEST_DRAWS and self._is_covered()):
                return
            before = {condition: set(sides) for condition, sides in self.reached.items()}
            draw = self._draw(each, domains, rng)
            if draw is None:
                continue
            for condition, sides in draw.reached.items():
                self.reached.setdefault(condition, set()).update(sides)
            if count < FEWEST_DRAWS or before != self.reached:
                count += 1
                yield draw
                if count == 1:
                    yield from self._telling(draw, domains)

    def _is_covered(self) -> bool:
        return all(len(sides) == 2 for sides in self.reached.values())

    def _telling(self, first: Draw, domains: tuple[Domain, ...]) -> Iterator[Draw]:
        """Draws of the same sizes on which gradients tell something that has not been told so far."""
        rng = np.random.default_rng(SEED + 1)
        told = first.told
        for domain in reversed(domains):  # the smallest numbers first, which saturate least
            if self.asked <= told:
                return
            draw = self._draw(first.sizes, (domain,), rng)
            if draw is not None and not draw.told & self.asked <= told:
                told |= draw.told
                yield draw

    def _draw(
        self, sizes: Mapping[str, int], domains: tuple[Domain, ...], rng: np.random.Generator
    ) -> Draw | None:
        """Values on which everything is finite; None where these sizes do not fit, or no such values came."""
        for domain, _ in product(domains, range(TRIES)):
            values = obeying_facts(self.system, self._values(sizes, domain, rng), sizes)
            if values is None:
                continue
            reached: dict[Expression, set[bool]] = {}
            try:
                known = evaluate_system(self.system, values, sizes, reached=reached, strict=True)
            except VerificationError:
                return None
            except FloatingPointError:
                continue
            if not _is_sound(self.system, known):
                continue
            adjoints = self.adjoints(known, sizes)
            if all_finite(adjoints.values()):
                return Draw(sizes, values, known, adjoints, reached)
        return None

    def _values(self, sizes: Mapping[str, int], domain: Domain, rng: np.random.Generator) -> Values:
        values: Values = {}
        for tensor in self.system.with_role(*DECLARED_ROLES):
            shape = tuple(sizes[axis] for axis in axis_names(tensor.indices))
            if tensor.values is None:
                values[tensor.name] = domain.draw(rng, shape)
            else:
                values[tensor.name] = rng.integers(0, sizes[tensor.values.name], shape)
        return values


def _is_sound(system: System, known: Mapping[str, Array]) -> bool:
    return all_finite(known.values()) and has_sound_matrices(system, known)


def _sizes_to_try(system: System) -> Iterator[Mapping[str, int]]:
    """Those of the gate's rounds, then longer ones, or the same once more where all are declared."""
    rounds, _ = rounds_of_sizes(system)
    yield from (each.sizes for each in rounds)
    different = rounds[0].sizes
    yield model_sizes(system, {name: different[name] + 3 for name in free_axes(system.axes)})
