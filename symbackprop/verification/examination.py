"""One round of a check: a draw of data, every judge's comparisons on it, and the negative control."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.languages.phrases import worded
from symbackprop.numerics.tolerance import largest_of, unmoving
from symbackprop.sampling.finite_data import Values
from symbackprop.verification.checked_module import CheckedCodeError, ModuleUnderCheck
from symbackprop.verification.comparing import (
    Comparison,
    by_many_digits,
    compare_arrays,
    gradient_for,
    of_elements,
)
from symbackprop.verification.control import negative_control
from symbackprop.verification.judged_equations import Equations
from symbackprop.verification.judges import (
    by_adjoints,
    by_differences,
    by_equations,
    differences_of,
    terms_of_loss,
)
from symbackprop.verification.precision import noise_row, rounded_rows, single_precision_row
from symbackprop.verification.referee import HighPrecision
from symbackprop.verification.report import (
    CENTRAL_DIFFERENCES,
    COMPLEX_STEP,
    NAIVE_EVALUATOR,
    OWN_GRADIENT,
    OWN_LOSS,
    OWN_WORKSPACE,
    CheckRow,
    Control,
    Round,
    failure,
    in_one_row,
    uncompared,
)
from symbackprop.verification.rounding import LOSS
from symbackprop.verification.stopped_values import held_loss

Array: TypeAlias = NDArray[Any]
Sampler: TypeAlias = Callable[[np.random.Generator], Values]

OF_THE_LOSS = 100.0  # a quotient may be off by so many roundings of the loss
ATTEMPTS = 5  # draws of data until no element lies at a kink
# Of the time that is left, what each judge may take in the first round and in later ones.
FIRST_SHARE, LATER_SHARE = 0.2, 0.08


@dataclass(frozen=True)
class Clock:
    """How much of the processor time that a check may take is left: what else runs beside it takes none."""

    budget: float
    started: float = field(default_factory=time.process_time)

    @property
    def left(self) -> float:
        """Seconds, never below 0."""
        return max(self.budget - (time.process_time() - self.started), 0.0)


NONE = Control()


@dataclass(frozen=True)
class Found:
    """A round's rows, its negative control, the tensors whose gradients vanish on its data, and these."""

    round: Round
    control: Control = NONE
    vanishing: frozenset[str] = frozenset()
    values: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Examiner:
    """A module with its judges; `equations` are those of its model, where that is known."""

    checked: ModuleUnderCheck
    clock: Clock
    equations: Equations | None = None

    def on(
        self, name: str, sizes: Mapping[str, int], sample: Sampler, rng: np.random.Generator, is_first: bool
    ) -> Found:
        """A round on the first draw on which every element can be compared and tells something.

        A gradient that vanishes wholly, where all units are dead, tells nothing. After some draws, the last.
        """
        for _ in range(ATTEMPTS):
            # How much the judges draw is a matter of their time, and no data are to depend on that.
            found = self._on(name, sizes, sample(rng), rng.spawn(1)[0], is_first)
            if not (any(row.skipped for row in found.round.rows) or found.vanishing):
                break
        return found

    def _on(
        self,
        name: str,
        sizes: Mapping[str, int],
        values: Values,
        rng: np.random.Generator,
        is_first: bool,
    ) -> Found:
        checked, share = self.checked, FIRST_SHARE if is_first else LATER_SHARE
        called = called_on(checked, values)
        if isinstance(called, CheckRow):
            return Found(Round(name, sizes, (called,)), values=values)
        loss, gradients, rows = called
        asked = [tensor for tensor in checked.asked if tensor in values]
        held, seconds = self._held(values, sizes), share * self.clock.left
        comparisons = by_differences(held, values, asked, seconds, rng) if asked else []
        if self.equations is None:
            rows += [row_of(each, gradients) for each in comparisons]
            rows += [
                uncompared(each, worded("an intermediate: check the model"))
                for each in gradients
                if each not in values
            ]
            terms = None
        else:
            terms = self.equations.rounding_of_terms(values, sizes)
            judged = self._against_equations(self.equations, sizes, values, loss, gradients, share, rng)
            loss_row = judged[1]
            of_equations = [replace(each, rounding=terms) for each in judged[0]]
            comparisons = [replace(each, rounding=terms) for each in comparisons]
            rows += self._rows(comparisons, of_equations, gradients, values, sizes, loss_row)
            comparisons = [*comparisons, *of_equations]
            if is_first:
                rows += self.equations.rows_of_inner_derivatives(values, sizes)
        rows += [
            single_precision_row(checked, values, terms),
            *rounded_rows(values, gradients),
            noise_row(checked, values, rng, terms),
        ]
        control = control_of(comparisons, gradients, rng)
        return Found(Round(name, sizes, tuple(rows)), control, unmoving(loss, gradients, values), values)

    def _held(self, values: Values, sizes: Mapping[str, int]) -> ModuleUnderCheck:
        """The module, with the equations' loss in which what is stopped stands still, where anything is."""
        if self.equations is None:
            return self.checked
        return replace(self.checked, held=held_loss(self.equations.system, values, sizes))

    def _against_equations(
        self,
        equations: Equations,
        sizes: Mapping[str, int],
        values: Values,
        loss: Any,
        gradients: Mapping[str, Any],
        share: float,
        rng: np.random.Generator,
    ) -> tuple[list[Comparison], CheckRow]:
        known = equations.known(values, sizes)
        name = str(equations.system.loss)
        largest = largest_of(terms_of_loss(equations.system, known))
        referee = HighPrecision(equations.system, values, sizes)
        comparisons = by_equations(
            partial(equations.loss, sizes),
            known,
            values,
            tuple(gradients),
            share * self.clock.left,
            rng,
            COMPLEX_STEP,
            referee,
        )
        comparisons = list(map(by_many_digits, comparisons))
        if any(each.note for each in comparisons):
            adjoints = equations.unsimplified(known, sizes)
            judged = [each for each in gradients if each in adjoints]
            comparisons += by_adjoints(adjoints, known, judged, referee)
        naive = equations.naive_loss(values, sizes)
        judge = of_elements(name, NAIVE_EVALUATOR, known[name] if naive is None else naive, largest)
        row = replace(judge, rounding=equations.rounding_of_terms(values, sizes)).row(loss)
        return comparisons, replace(row, note=row.note or (worded("all at once") if naive is None else ""))

    def _rows(
        self,
        differences: list[Comparison],
        complex_steps: list[Comparison],
        gradients: Mapping[str, Any],
        values: Values,
        sizes: Mapping[str, int],
        loss_row: CheckRow,
    ) -> list[CheckRow]:
        """The verdicts of both judges; where just one of them refuses a tensor, it is looked at again."""
        of_differences = [row_of(replace(each, may_skip=True), gradients) for each in differences]
        of_equations = [row_of(each, gradients) for each in complex_steps]
        refused = {row.tensor for row in of_equations if not row.ok}
        doubted = {row.tensor for row in of_differences if not row.ok}
        agreed = {row.tensor for row in of_differences if row.ok and row.compared}
        for place, comparison in enumerate(complex_steps):
            if comparison.tensor in refused & agreed:
                of_equations[place] = row_of(replace(comparison, refereed=inf), gradients)
        for place, comparison in enumerate(differences):
            if comparison.tensor in doubted - refused and loss_row.ok:
                of_differences[place] = self._doubted(
                    of_differences[place], comparison, gradients, values, sizes
                )
        return [*of_differences, loss_row, *of_equations]

    def _doubted(
        self,
        row: CheckRow,
        comparison: Comparison,
        gradients: Mapping[str, Any],
        values: Values,
        sizes: Mapping[str, int],
    ) -> CheckRow:
        """A quotient that refuses what the complex step confirms: once more, with a step of its tensor's own.

        Then the same one of the equations' own loss: where that has the same error, the quotient is at fault,
        not the module.
        """
        assert self.equations is not None
        if row.ok or not np.isfinite(row.worst) or comparison.parts:
            return row
        held = self._held(values, sizes)
        quotients = differences_of(held, held.loss, values, comparison)
        second = row_of(replace(comparison, expected=quotients), gradients)
        if second.ok or held.held is not None:  # these are the equations' own already
            return second
        scale = comparison.scale_with(comparison.expected)
        if comparison.rounding is not None and comparison.rounding.of_one(LOSS) / comparison.width > (
            row.worst * scale / OF_THE_LOSS
        ):
            return replace(row, ok=True, note=worded("as near as the rounding of the loss allows"))
        loss = partial(self.equations.loss, sizes)
        again = differences_of(self.checked, lambda point: float(np.real(loss(point))), values, comparison)
        apart = np.abs(again - comparison.expected)[comparison.usable]
        is_the_same = np.max(apart, initial=0.0) <= 0.5 * row.worst * scale
        note = worded("the equations' own quotients are as far off: the complex step decides")
        return replace(row, ok=True, note=note) if is_the_same else row


def called_on(
    checked: ModuleUnderCheck, values: Values
) -> tuple[Any, dict[str, Any], list[CheckRow]] | CheckRow:
    """Loss and gradients, and rows that compare the module's own functions; or what went wrong."""
    try:
        loss, gradients = checked.value_and_grad(values)
        alone = checked.grad(values)
        own_loss = np.asarray(checked.loss(values))
        bound = [*checked.in_workspace(values)] if checked.has_workspaces else []
    except CheckedCodeError as error:
        return failure("gradient", CENTRAL_DIFFERENCES, error.cause)
    if set(gradients) != set(checked.asked) or set(alone) != set(gradients):
        note = worded(
            "gives gradients of {gradients}, FORMULAS has {asked}",
            gradients=", ".join(gradients),
            asked=", ".join(checked.asked),
        )
        return failure("gradient", CENTRAL_DIFFERENCES, note)
    arrays = {name: np.asarray(gradient) for name, gradient in gradients.items()}
    largest = largest_of((own_loss, *arrays.values()))

    def compared(judge: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[CheckRow]:
        return [compare_arrays(name, judge, found[name], expected[name], largest) for name in expected]

    rows = [compare_arrays(checked.loss_name, OWN_LOSS, loss, own_loss, 0.0)]
    rows.append(in_one_row(compared(OWN_GRADIENT, alone, arrays)))
    if bound:
        everything = {**arrays, checked.loss_name: np.asarray(loss)}
        calls = [{**found, checked.loss_name: own} for own, found in bound]
        pairs = [(call, {name: everything[name] for name in call}) for call in calls]
        rows.append(in_one_row([row for pair in pairs for row in compared(OWN_WORKSPACE, *pair)]))
    return loss, gradients, rows


def row_of(comparison: Comparison, gradients: Mapping[str, Any]) -> CheckRow:
    """The comparison's verdict on the gradient of its tensor, or of several together."""
    return comparison.row(gradient_for(comparison, gradients))


def control_of(
    comparisons: list[Comparison], gradients: Mapping[str, Any], rng: np.random.Generator
) -> Control:
    """The negative control of the comparisons that passed: what is wrong already may become right."""
    passed = [
        (each, np.array(gradient_for(each, gradients), dtype=np.float64))
        for each in comparisons
        if row_of(each, gradients).ok
    ]
    return negative_control(passed, rng)
