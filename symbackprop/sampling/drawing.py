"""One draw: random values of a model's declared tensors on which it, and all its adjoints, are finite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import NotationError, VerificationError
from symbackprop.notation.expressions import Expression
from symbackprop.numerics.tolerance import all_finite, largest_of
from symbackprop.sampling.definite_matrices import has_sound_matrices
from symbackprop.sampling.finite_data import Domain, Values
from symbackprop.sampling.intervals import Intervals
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.sampling.small_axes import axis_names
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.system import DECLARED_ROLES, System

Array: TypeAlias = NDArray[Any]
Adjoints: TypeAlias = Callable[[Values, Mapping[str, int]], Mapping[str, Array]]

TRIES = 3  # draws from one domain until the values are finite
# A number below this part of the largest one in sight says little: rounding passes for it.
LEAST_TELLING = 1e-8


@dataclass(frozen=True)
class Draw:
    """Values of the declared tensors, on axes of these sizes, and of all tensors by the equations.

    `adjoints` are the derivatives of the loss by tensors, before any simplification; `reached` are the sides
    on which each comparison has come out; `is_at_kinks` says that derivatives are a matter of convention,
    `is_named` that a module's header speaks of the sizes.
    """

    sizes: Mapping[str, int]
    values: Values
    known: Mapping[str, Array]
    adjoints: Mapping[str, Array]
    reached: Mapping[Expression, set[bool]] = field(default_factory=dict)
    is_at_kinks: bool = False
    is_named: bool = True

    @cached_property
    def largest(self) -> float:
        """The largest number of the data, of the adjoints, and of the values that the loss's gradient passes.

        -1e9, by which a mask takes an entry out of a softmax, says nothing of the rounding of a gradient.
        """
        passed = [self.known[name][each != 0] for name, each in self.adjoints.items() if name in self.known]
        return largest_of((*self.values.values(), *self.adjoints.values(), *passed))

    @cached_property
    def told(self) -> frozenset[str]:
        """The tensors whose gradients are large beside the rounding of the largest number in sight."""
        least = LEAST_TELLING * self.largest
        return frozenset(name for name, each in self.adjoints.items() if largest_of([each]) > least)

    def tells(self, name: str) -> bool:
        """Whether a tensor's own values are as large."""
        return largest_of([self.known[name]]) > LEAST_TELLING * self.largest


@dataclass(frozen=True)
class Drawing:
    """Draws values for a system; `adjoints` gives its adjoints from the values of all tensors.

    Bounds that these `intervals` name are put in order where that can be. If `of_loss_alone`, what nobody
    reads may be infinite, as q[m]/abs(x[n] - x[m]) is at n == m whatever the data.
    """

    system: System
    adjoints: Adjoints
    intervals: Intervals | None = None
    of_loss_alone: bool = False

    def draw(
        self, sizes: Mapping[str, int], domains: Iterable[Domain], rng: np.random.Generator
    ) -> Draw | None:
        """Values on which everything is finite; None where these sizes do not fit, or no such values came."""
        for domain, _ in product(domains, range(TRIES)):
            try:
                found = self.finite(sizes, domain, rng)
            except VerificationError:
                return None
            draw = None if found is None else self.with_adjoints(found)
            if draw is not None:
                return draw
        return None

    def finite(self, sizes: Mapping[str, int], domain: Domain, rng: np.random.Generator) -> Draw | None:
        """Values that obey the facts and on which the model is finite, as a draw without adjoints.

        None where the values that came are no such; VerificationError where these sizes do not fit.
        """
        return self.finite_at(self.values(sizes, domain, rng), sizes)

    def finite_at(self, drawn: Values, sizes: Mapping[str, int]) -> Draw | None:
        """The same of values that were drawn, moved until they obey the facts."""
        if self.intervals is not None:
            drawn = self.intervals.in_order(drawn, sizes)
        values = obeying_facts(self.system, drawn, sizes)
        if values is None:
            return None
        reached: dict[Expression, set[bool]] = {}
        try:
            known = evaluate_system(
                self.system, values, sizes, reached=reached, strict=not self.of_loss_alone
            )
        except (FloatingPointError, NotationError):  # a position that is no number is nothing finite either
            return None
        needed = [known[str(self.system.loss)]] if self.of_loss_alone else known.values()
        is_sound = all_finite(needed) and has_sound_matrices(self.system, known)
        return Draw(sizes, values, known, {}, reached) if is_sound else None

    def with_adjoints(self, draw: Draw, is_at_kinks: bool = False) -> Draw | None:
        """The draw with its adjoints; None where they are not finite."""
        adjoints = self.adjoints(dict(draw.known), draw.sizes)
        if not all_finite(adjoints.values()):
            return None
        return replace(draw, adjoints=adjoints, is_at_kinks=is_at_kinks, is_named=not is_at_kinks)

    def values(self, sizes: Mapping[str, int], domain: Domain, rng: np.random.Generator) -> Values:
        """Values of all declared tensors from one domain, whether facts hold for them or not."""
        values: Values = {}
        for tensor in self.system.with_role(*DECLARED_ROLES):
            shape = tuple(sizes[axis] for axis in axis_names(tensor.indices))
            if tensor.values is None:
                values[tensor.name] = domain.draw(rng, shape)
            else:
                values[tensor.name] = rng.integers(0, sizes[tensor.values.name], shape)
        return values
