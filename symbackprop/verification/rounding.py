"""Data and results as other roundings would have left them: how far results move says what digits are worth.

Every operation of a plain evaluation is rounded at random (D. Stott Parker, Monte Carlo Arithmetic, 1997; J.
Vignes, CESTAC): what the terms of a value lose to rounding comes out, also where they cancel exactly, as in
x - mean(x) over one x.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.derivation.result import Derivation
from symbackprop.numerics.differences import EPSILON, Loss
from symbackprop.numerics.tolerance import ROUNDINGS, all_finite, largest_of
from symbackprop.semantics.array_numbers import CancellingNumbers, PerturbedNumbers, RoundedNumbers
from symbackprop.semantics.systems import evaluate_system, undefined_is_silent
from symbackprop.systems.system import Equation
from symbackprop.verification.unsimplified import (
    chain_rule_of,
    never,
    reads_no_adjoint,
    unsimplified_adjoints,
)

Array: TypeAlias = NDArray[Any]

EVALUATIONS = 3
EVALUATIONS_OF_LOSS = 16  # a singular matrix may be rounded to the same number a few times
LEFT_OF_TERMS = 1e-300  # of terms that cancel: a root or a logarithm of less than 0 is no number
LOSS = "the loss"  # no tensor is called so
STEADY = 1e-6  # of the largest number in sight, by which rounding may move loss and gradients


def moved_by_rounding(
    values: Mapping[str, Array], amount: float, rng: np.random.Generator, still: Collection[str] = ()
) -> dict[str, Array]:
    """Each number greater or smaller by this relative amount; whole numbers and `still` tensors stay."""
    return {
        name: array
        if array.dtype.kind in "iu" or name in still
        else array + amount * np.abs(array) * rng.choice((-1.0, 1.0), array.shape)
        for name, array in values.items()
    }


def rounded_evaluations(
    derivation: Derivation,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    still: Collection[str] = (),
    chain_rule: Mapping[str, Equation] | None = None,
) -> Iterator[tuple[dict[str, Array], dict[str, Array]]]:
    """All tensors and the unsimplified adjoints a few times, data and every operation off by `ROUNDINGS`."""
    for seed in range(1, EVALUATIONS + 1):
        rng = np.random.default_rng(seed)
        moved = moved_by_rounding(values, ROUNDINGS, rng, still)
        numbers = PerturbedNumbers(ROUNDINGS, rng)
        known = evaluate_system(derivation.system, moved, sizes, numbers=numbers)
        yield known, unsimplified_adjoints(derivation, known, sizes, numbers, chain_rule)


def evaluations_at_kinks(
    derivation: Derivation,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    chain_rule: Mapping[str, Equation] | None = None,
) -> Iterator[tuple[dict[str, Array], dict[str, Array]]]:
    """All tensors and the unsimplified adjoints a few times, what is not exact rounded up or down by chance.

    Data stay as they are, and so does what comes out exactly: at a kink they are still at it.
    """
    for seed in range(1, EVALUATIONS + 1):
        numbers = RoundedNumbers(np.float64, np.random.default_rng(seed), salt=seed)
        known = evaluate_system(derivation.system, values, sizes, numbers=numbers)
        yield known, unsimplified_adjoints(derivation, known, sizes, numbers, chain_rule)


def cancelling_evaluations(
    derivation: Derivation,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    chain_rule: Mapping[str, Equation] | None = None,
) -> Iterator[tuple[dict[str, Array], dict[str, Array]]]:
    """All tensors and the unsimplified adjoints where what is left of sums that cancel is 0, and less than 0.

    A slope that is finite by rounding alone, as that of sqrt(var(x)) over one x, is not finite there.
    """
    for cancelled in (0.0, -LEFT_OF_TERMS):
        numbers = CancellingNumbers(ROUNDINGS, cancelled)
        known = evaluate_system(derivation.system, values, sizes, numbers=numbers)
        yield known, unsimplified_adjoints(derivation, known, sizes, numbers, chain_rule, as_ieee=True)


def is_steady(
    derivation: Derivation,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    chain_rule: Mapping[str, Equation] | None = None,
) -> bool:
    """Whether loss and gradients stay finite, and all but the same, where what is computed is rounded anew.

    The correlation r of two samples is 1 or -1: there 1/(1 - r^2) and its gradient are what rounding leaves
    of 0, and no two ways of computing them agree. Nor do they where the chain rule as typed is not finite.
    """
    system = derivation.system
    names = [name for name in derivation.wrt if name in values or name in system.definitions]

    def told(known: Mapping[str, Array], adjoints: Mapping[str, Array]) -> list[Array]:
        return [known[str(system.loss)], *(adjoints[name] for name in names)]

    known = evaluate_system(system, values, sizes)
    plain = told(known, unsimplified_adjoints(derivation, known, sizes, chain_rule=chain_rule))
    if not all_finite(plain):
        return False
    most = STEADY * largest_of((*values.values(), *plain))
    for moved in (told(*each) for each in rounded_evaluations(derivation, values, sizes, (), chain_rule)):
        if not all_finite(moved):
            return False
        if largest_of(new - old for new, old in zip(moved, plain, strict=True)) > most:
            return False
    return True


def loss_is_steady(loss: Loss, values: Mapping[str, Array], still: Collection[str] = ()) -> bool:
    """Whether a loss stays all but the same where the data are rounded anew, but for those that stand still.

    The determinant of a Gram matrix of more columns than rows is 0, and its logarithm what rounding leaves.
    """
    centre = float(loss(values))
    most = STEADY * largest_of((*values.values(), np.asarray(centre)))
    for seed in range(EVALUATIONS_OF_LOSS):
        moved = moved_by_rounding(values, ROUNDINGS, np.random.default_rng(seed), still)
        if not abs(float(loss(moved)) - centre) <= most:
            return False
    return True


@dataclass(frozen=True)
class RoundingOfTerms:
    """How far loss and gradients move where data and operations are off by a few hundred roundings.

    The larger of two: with local derivatives as differentiation leaves them, and in closed form. At kinks,
    which a moved tensor would leave, all tensors stay, and the chain rule alone is off.
    """

    derivation: Derivation
    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    still: frozenset[str] = frozenset()
    at_kinks: bool = False

    @cached_property
    def changes(self) -> list[dict[str, Array]]:
        """What was added to the loss and to each gradient, by name, in each of a few evaluations."""
        loss = str(self.derivation.system.loss)
        known = evaluate_system(self.derivation.system, self.values, self.sizes)
        found = []
        # y*(1 - y) loses the digits of 1 - y where a sigmoid y saturates, and is written all the same.
        for is_closed in (never, reads_no_adjoint(self.derivation)):
            rule = chain_rule_of(self.derivation, is_closed)
            adjoints = unsimplified_adjoints(self.derivation, known, self.sizes, chain_rule=rule)
            for moved, each in self._evaluations(known, rule):
                of_loss = moved[loss] - known[loss]
                with undefined_is_silent():  # an adjoint inside may be infinite where a mask follows
                    of_adjoints = {name: each[name] - adjoints[name] for name in adjoints}
                found.append({LOSS: of_loss, loss: of_loss, **of_adjoints})
        return found

    def _evaluations(
        self, known: dict[str, Array], rule: Mapping[str, Equation]
    ) -> Iterator[tuple[dict[str, Array], dict[str, Array]]]:
        if not self.at_kinks:
            yield from rounded_evaluations(self.derivation, self.values, self.sizes, self.still, rule)
            return
        for seed in range(1, EVALUATIONS + 1):
            numbers = PerturbedNumbers(ROUNDINGS, np.random.default_rng(seed))
            yield known, unsimplified_adjoints(self.derivation, known, self.sizes, numbers, rule)

    def of_one(self, name: str) -> float:
        """The most that one rounding of float64 in data and operations changes a gradient, or `LOSS`."""
        return _of_float64(self.changes, name)

    def of_closed_form(self, name: str) -> float:
        """The same, or what one rounding in each operation of the closed form changes, if that is more.

        z*(1 - z) of a saturated sigmoid has the digits of 1 - z, which the chain rule does not lose.
        """
        return _of_float64((*self.changes, *self.closed_forms), name)

    def exceed(self, bound: float) -> bool:
        """Whether a tensor of the model as typed, or the gradient by one, has a number beyond this bound."""
        known = evaluate_system(self.derivation.system, self.values, self.sizes)
        adjoints = unsimplified_adjoints(self.derivation, known, self.sizes)
        return any(bool((np.abs(each) > bound).any()) for each in (*known.values(), *adjoints.values()))

    @cached_property
    def closed_forms(self) -> list[dict[str, Array]]:
        """What is added to each gradient where every operation of the closed forms is off by `ROUNDINGS`."""
        system, gradients = self.derivation.as_system(), self.derivation.gradients
        known = evaluate_system(system, self.values, self.sizes)
        found = []
        for seed in range(1, EVALUATIONS + 1):
            numbers = PerturbedNumbers(ROUNDINGS, np.random.default_rng(seed))
            moved = evaluate_system(system, self.values, self.sizes, numbers=numbers)
            found.append({name: moved[each.tensor] - known[each.tensor] for name, each in gradients.items()})
        return found


def _of_float64(changes: Iterable[Mapping[str, Array]], name: str) -> float:
    """The largest change of a tensor, from the amount that roundings are here to that of float64."""
    return largest_of(each[name] for each in changes if name in each) * EPSILON / ROUNDINGS
