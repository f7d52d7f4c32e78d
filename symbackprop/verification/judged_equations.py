"""The model's equations as a judge: data on which they are finite, and the derivatives of their loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.derivation.result import Derivation
from symbackprop.errors import NotationError, VerificationError
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Expression, Reduction
from symbackprop.notation.substitution import holds_derivative
from symbackprop.numerics.tolerance import all_finite
from symbackprop.sampling.definite_matrices import unsound_matrices
from symbackprop.sampling.finite_data import DOMAINS, Domain, Values
from symbackprop.sampling.intervals import Intervals
from symbackprop.sampling.obeying_facts import sample_obeying_facts
from symbackprop.sampling.rounds import SizesOfRound
from symbackprop.sampling.small_axes import axis_names, evaluation_visits
from symbackprop.sampling.stress import PLAIN, stressed
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.system import DECLARED_ROLES, System
from symbackprop.verification.comparing import compare_arrays
from symbackprop.verification.report import INNER_QUOTIENTS, CheckRow
from symbackprop.verification.rounding import RoundingOfTerms, is_steady
from symbackprop.verification.unsimplified import undefined_adjoints, unsimplified_adjoints

Array: TypeAlias = NDArray[Any]

MOST_VISITS = 200_000  # nodes that the naive evaluator visits, some microseconds each
LEAST = 1e-100  # of a computed number that is not 0
MOST_POINTS = 500_000  # places at which the fast evaluator works out one expression


def declared_shapes(system: System) -> dict[str, tuple[str, ...]]:
    """Each declared tensor's axes."""
    return {tensor.name: axis_names(tensor.indices) for tensor in system.with_role(*DECLARED_ROLES)}


def declared_integers(system: System) -> dict[str, str]:
    """Each tensor of whole numbers with the axis whose positions it holds."""
    declared = system.with_role(*DECLARED_ROLES)
    return {tensor.name: tensor.values.name for tensor in declared if tensor.values is not None}


def _smallest(arrays: Iterable[Array]) -> float:
    """The smallest magnitude but 0; infinite where there is none."""
    found = [np.abs(array[array != 0]) for array in map(np.asarray, arrays)]
    return min((float(np.min(each.astype(float), initial=np.inf)) for each in found), default=np.inf)


@dataclass(frozen=True)
class Equations:
    """A model as it was `stated`, and as its derivation reads it: with inner derivatives worked out.

    Data have the bounds of `intervals` in order where that can be.
    """

    stated: System
    derivation: Derivation
    intervals: Intervals | None = None

    @property
    def system(self) -> System:
        """The equations that are differentiated."""
        return self.derivation.system

    @property
    def _chain_rules(self) -> list[Expression]:
        return [adjoint.steps[0].after for adjoint in self.derivation.adjoints]

    @staticmethod
    def _loops_of(expression: Expression) -> tuple[str, ...]:
        sums = (node.indices for node in expression.walk() if isinstance(node, Reduction))
        return axis_names({*expression.free_indices, *(index for indices in sums for index in indices)})

    def unsimplified(self, known: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
        """dE/dt by the chain rule as it was written first, every element of every tensor with an adjoint.

        Nothing where that has a sum over too many places at once.
        """
        if self._has_long_sums(sizes):
            return {}
        return unsimplified_adjoints(self.derivation, known, sizes)

    def rounding_of_terms(
        self, values: Mapping[str, Array], sizes: Mapping[str, int]
    ) -> RoundingOfTerms | None:
        """What rounding does to loss and gradients; None where a sum has too many places at once."""
        return None if self._has_long_sums(sizes) else RoundingOfTerms(self.derivation, values, sizes)

    def decides(self, values: Mapping[str, Array], sizes: Mapping[str, int]) -> bool:
        """Whether these data tell a right gradient from a wrong one, and not rounding what either is."""
        return self._has_long_sums(sizes) or is_steady(self.derivation, values, sizes)

    def _has_long_sums(self, sizes: Mapping[str, int]) -> bool:
        return any(
            prod(sizes[axis] for axis in self._loops_of(each)) > MOST_POINTS for each in self._chain_rules
        )

    @property
    def shapes(self) -> dict[str, tuple[str, ...]]:
        """Each declared tensor's axes."""
        return declared_shapes(self.system)

    def known(
        self, values: Mapping[str, Array], sizes: Mapping[str, int], only: Iterable[str] | None = None
    ) -> dict[str, Array]:
        """The values of all tensors, or of those asked for and what they need."""
        return evaluate_system(self.system, values, sizes, only=only)

    def naive_loss(self, values: Mapping[str, Array], sizes: Mapping[str, int]) -> Array | None:
        """The loss by the naive evaluator, that all else rests on; None where it would take too long."""
        if evaluation_visits(self.system, sizes) > MOST_VISITS:
            return None
        name = str(self.system.loss)
        return evaluate(self.system, values, sizes, only=[name])[name]

    def loss(self, sizes: Mapping[str, int], values: Mapping[str, Array]) -> Any:
        """The loss; intermediates among the values stand for what their equations say."""
        name = str(self.system.loss)
        return self.known(values, sizes, [name])[name]

    def sample(
        self, sizes: Mapping[str, int], rng: np.random.Generator, domains: Sequence[Domain] = DOMAINS
    ) -> Values:
        """Data on which every tensor is finite and the facts hold; VerificationError where none are found.

        If it can be, nothing computed is so small that its derivatives underflow, as a saturated softmax is.
        Where none are finite, for q[m]/abs(x[n] - x[m]) that nobody reads at n == m, the loss is.
        """

        def finite(values: Values, least: float) -> bool | str:
            try:
                known = self.known(values, sizes)
            except NotationError:  # a position is not finite
                return False
            computed = [known[each.tensor] for each in self.system.equations]
            if not all_finite(known.values()) or _smallest(computed) < least:
                return False
            return unsound_matrices(self.system, known) or True

        def has_a_loss(values: Values) -> bool | str:
            try:
                known = self.known(values, sizes)
            except NotationError:
                return False
            if not all_finite([known[str(self.system.loss)]]):
                return False
            return unsound_matrices(self.system, known) or True

        def sampled(accepts: Callable[[Values], bool | str]) -> Values:
            integers = declared_integers(self.system)
            return sample_obeying_facts(
                self.system, self.shapes, sizes, rng, accepts, integers, domains, self.intervals
            )

        for accepts in (partial(finite, least=LEAST), partial(finite, least=0.0)):
            with suppress(VerificationError):
                return sampled(accepts)
        return sampled(has_a_loss)

    def stressed_sample(self, of_round: SizesOfRound, rng: np.random.Generator) -> Values:
        """Such data, changed as the round says.

        Raises VerificationError where they cannot obey the facts then, the model or its chain rule is not
        finite, or a matrix nearly singular.
        """
        sizes = of_round.sizes
        values = self.sample(sizes, rng)
        if of_round.stress == PLAIN:
            return values
        changed = stressed(self.stated, values, sizes, of_round.stress)
        if changed is None:
            raise VerificationError(worded("no such data obey the facts"))
        known = self.known(changed, sizes)
        if not all_finite(known.values()) or unsound_matrices(self.system, known):
            raise VerificationError(worded("the model is not finite there"))
        if not all_finite(undefined_adjoints(self.derivation, known, sizes).values()):
            raise VerificationError(worded("the chain rule is not finite there"))
        return changed

    def rows_of_inner_derivatives(self, values: Values, sizes: Mapping[str, int]) -> list[CheckRow]:
        """What was worked out for equations with derivatives in them, against difference quotients."""
        names = [each.tensor for each in self.stated.equations if holds_derivative(each.expression)]
        if not names:
            return []
        derived = evaluate(self.system, values, sizes, only=names)
        numerical = evaluate(self.stated, values, sizes, only=names)
        return [compare_arrays(name, INNER_QUOTIENTS, derived[name], numerical[name], 0.0) for name in names]
