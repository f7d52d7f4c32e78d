"""The digits of a module on data that take digits away, beside those of the chain rule as it was typed.

The error of a tensor is normwise: the largest distance of an element from the truth, divided by the largest
element of the truth (by the largest of loss and all gradients where that is 0). The truth is the chain rule
in sixty digits, on the very numbers that the module gets. The chain rule as typed is worked out in the same
precision as the module, once with every operation rounded to the nearest number and a few times with random
rounding; the worst counts, so that the luck of one evaluation does not decide. Where it has no digit and the
module has, as of log(sum(exp(x))) beyond the range of exp, the same with exponents of any size counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log10
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.accuracy.coincidences import rounding_decides
from symbackprop.accuracy.evaluations import AsTyped, Floating, Truth
from symbackprop.accuracy.report import PRECISIONS, DigitsReport, DigitsRow, Verdict, graver
from symbackprop.derivation.driver import derive
from symbackprop.emission.target import Target
from symbackprop.errors import VerificationError
from symbackprop.languages.phrases import worded
from symbackprop.sampling.finite_data import Values
from symbackprop.sampling.small_axes import model_sizes, with_small_axes
from symbackprop.sampling.stress import (
    COINCIDENCES,
    STRESSES,
    Stress,
    shifted_alone,
    stressed,
    suspects,
    tails,
)
from symbackprop.systems.system import Role, System
from symbackprop.verification.check import expect_same_tensors
from symbackprop.verification.checked_module import (
    CheckedCodeError,
    ModuleUnderCheck,
    load_file,
    under_check,
)
from symbackprop.verification.examination import Clock
from symbackprop.verification.judged_equations import Equations
from symbackprop.verification.referee import HighPrecision

Array: TypeAlias = NDArray[Any]

DRAWS = 2
MOST_ALONE = 12  # tensors that are shifted alone, of a model that has more: those that are added come first
# To the ends of exponentials in each precision.
TAILS = {"float32": tails(80.0), "float64": tails(800.0)}
CONFIRMED = 1e-12  # how far chain rule and complex step may differ, both with sixty digits

BUDGET = 10.0  # seconds for all measurements


def digits_of_model(
    target: Target, system: System, seed: int = 0, wrt: Sequence[str] = (), budget: float = BUDGET
) -> DigitsReport:
    """Derive and generate the gradient and measure its digits, by default that of every parameter.

    Without parameters, every input is asked for. Data and evaluations take about `budget` seconds; the report
    says what was left out. Raises VerificationError where no data can be found on which the model is finite.
    """
    free = system.with_role(Role.PARAMETER) or system.with_role(Role.INPUT)
    stated = with_small_axes(system)
    derivation = derive(stated, tuple(wrt) or tuple(tensor.name for tensor in free if tensor.values is None))
    checked = under_check(target.load(target.emitted(derivation).text, system.name))
    return _Measuring(Equations(stated, derivation), checked, Clock(budget)).report(system.name, seed)


def digits_of_module(path: Path | str, model: System, seed: int = 0, budget: float = BUDGET) -> DigitsReport:
    """Measure the digits of a module in a file, which is imported, beside those of its model's equations.

    Raises VerificationError where it cannot be imported or states other tensors than the model.
    """
    path = Path(path)
    checked = load_file(path)
    expect_same_tensors(path, checked, model)
    equations = Equations(model, derive(model, checked.asked))
    return _Measuring(equations, checked, Clock(budget)).report(path.name, seed)


@dataclass(frozen=True)
class _Measuring:
    """A module beside its equations."""

    equations: Equations
    checked: ModuleUnderCheck
    clock: Clock

    @property
    def as_typed(self) -> AsTyped:
        return AsTyped(self.equations.derivation)

    def report(self, subject: str, seed: int) -> DigitsReport:
        """A row for each tensor, precision and kind of data; stops where the time is over."""
        sizes = model_sizes(self.equations.stated)
        rng = np.random.default_rng(seed)
        draws = [self.equations.sample(sizes, rng) for _ in range(DRAWS)]
        rows: list[DigitsRow] = []
        remarks = self._unconfirmed(draws[0], sizes)
        measured: dict[str, None] = {}
        alone = suspects(self.equations.stated)
        for stress, precision in _kinds(alone[:MOST_ALONE]):
            if rows and not self.clock.left:
                remarks.append(
                    worded(
                        "not measured within {seconds} s: {data} in {precision}",
                        seconds=f"{self.clock.budget:g}",
                        data=stress.name,
                        precision=precision,
                    )
                )
                continue
            found, causes = self._on(stress, precision, draws if stress.tensor is None else draws[:1], sizes)
            rows += found
            if found:
                measured[stress.name] = None
            else:
                remarks.append(
                    worded(
                        "not measured: {data} in {precision}: {cause}",
                        data=stress.name,
                        precision=precision,
                        cause=causes[0],
                    )
                )
        if alone[MOST_ALONE:]:
            remarks.append(worded("not shifted alone: {tensors}", tensors=", ".join(alone[MOST_ALONE:])))
        return DigitsReport(subject, seed, sizes, tuple(measured), tuple(rows), tuple(remarks))

    def _on(
        self, stress: Stress, precision: str, draws: Sequence[Values], sizes: Mapping[str, int]
    ) -> tuple[list[DigitsRow], list[str]]:
        """The errors of each tensor on the gravest of draws of a kind; or why there are none."""
        worst: dict[str, DigitsRow] = {}
        causes: list[str] = [worded("the loss is not finite there, or too large for it")]
        for draw in draws:
            moved = stressed(self.equations.stated, draw, sizes, stress)
            if moved is None:
                causes.insert(0, worded("no such data obey the facts"))
                continue
            values = {name: _in_precision(array, PRECISIONS[precision]) for name, array in moved.items()}
            if stress in COINCIDENCES and rounding_decides(self.equations.system, values, sizes):
                causes.insert(0, worded("rounding decides there on which side of a kink it is"))
                continue
            try:
                rows = self._judged(values, sizes, precision, stress)
                if rows is None:
                    causes.insert(0, worded("the equations are too large for sixty digits"))
                for row in rows or ():
                    worst[row.tensor] = graver(worst.get(row.tensor, row), row)
            except CheckedCodeError as error:
                if not isinstance(error.__cause__, ValueError):  # with which a module refuses data
                    raise
                causes.insert(0, error.cause)
        return list(worst.values()), causes

    def _judged(
        self, values: Mapping[str, Array], sizes: Mapping[str, int], precision: str, stress: Stress
    ) -> list[DigitsRow] | None:
        """The errors on one draw, or None where the equations are too large for many digits.

        A row in doubt is measured once more with the digits down to the smallest number of the precision:
        log(sigmoid(163)) is -1e-71, and 0 in sixty digits.
        """
        smallest = float(np.finfo(PRECISIONS[precision]).smallest_subnormal)
        rows: list[DigitsRow] = []
        for reach in dict.fromkeys((stress.reach, max(stress.reach, -log10(smallest)))):
            truth = self.as_typed.truth(values, sizes, reach)
            if truth is None:
                return None
            rows = list(self._rows(truth, values, sizes, precision, stress))
            if all(row.verdict is Verdict.KEPT for row in rows):
                break
        return rows

    def _rows(
        self,
        truth: Truth,
        values: Mapping[str, Array],
        sizes: Mapping[str, int],
        precision: str,
        stress: Stress,
    ) -> Iterator[DigitsRow]:
        """The errors on one draw, of each tensor whose truth the precision can hold; none without the loss.

        Random roundings are looked at where the first evaluation leaves a row in doubt.
        """
        floating = PRECISIONS[precision]
        if not truth.is_held_by(self.as_typed.names[0], floating):
            return
        own = self._own(values)
        held = [name for name in self.as_typed.names if truth.is_held_by(name, floating)]
        rows = {
            name: DigitsRow(
                name,
                precision,
                stress.name,
                module=truth.relative_error(name, own[name], floating),
                typed=0.0,
                among_all=truth.error_among_all(name, own[name]),
            )
            for name in held
        }
        rows = _beside(self.as_typed.rounded(floating, values, sizes), rows, truth, floating)
        out_of_range = {name: replace(row, typed=0.0) for name, row in rows.items() if row.is_out_of_range}
        if out_of_range:
            without = self.as_typed.unbounded(floating, values, sizes)
            for name, row in _beside(without, out_of_range, truth, floating).items():
                rows[name] = replace(row, typed=min(row.typed, rows[name].typed))
        yield from rows.values()

    def _own(self, values: Mapping[str, Array]) -> dict[str, Any]:
        """The module's loss and gradients, nan where it found a matrix singular."""
        try:
            loss, gradients = self.checked.value_and_grad(values)
        except CheckedCodeError as error:
            if not isinstance(error.__cause__, np.linalg.LinAlgError):
                raise
            return dict.fromkeys(self.as_typed.names, np.nan)
        return {self.as_typed.names[0]: loss, **gradients}

    def _unconfirmed(self, values: Values, sizes: Mapping[str, int]) -> list[str]:
        """Raises VerificationError where the chain rule is not the complex step, both with many digits.

        What has no such step, for want of time, is said.
        """
        truth = self.as_typed.truth(values, sizes, 0.0)
        if truth is None:
            return []
        referee = HighPrecision(self.equations.system, values, sizes)
        rng = np.random.default_rng(0)
        remarks: list[str] = []
        for name in self.as_typed.names[1:]:
            direction = rng.normal(size=truth.values[name].shape)
            expected = referee(name, direction)
            if expected is None:
                remarks.append(
                    worded(
                        "the truth of {name} is the chain rule, without a complex step to confirm it",
                        name=name,
                    )
                )
                continue
            found = float(np.sum(truth.values[name] * direction))
            if not abs(found - expected) <= CONFIRMED * max(abs(expected), truth.largest):
                raise VerificationError(
                    worded(
                        "the chain rule gives {found} for {name}, a complex step {expected}",
                        found=f"{found:.15g}",
                        name=name,
                        expected=f"{expected:.15g}",
                    )
                )
        return remarks


def _beside(
    evaluations: Iterator[Mapping[str, Any]], rows: Mapping[str, DigitsRow], truth: Truth, precision: Floating
) -> dict[str, DigitsRow]:
    """The rows with the worst errors of these evaluations of the chain rule, as many as decide."""
    judged = dict(rows)
    for typed in evaluations:
        for name, row in judged.items():
            error = truth.relative_error(name, typed[name], precision)
            judged[name] = replace(row, typed=max(row.typed, error))
        if all(row.verdict is not Verdict.WORSE for row in judged.values()):
            break
    return judged


def _kinds(alone: Sequence[str]) -> Iterator[tuple[Stress, str]]:
    """The kinds of data in the order of measuring, with precisions; last each of these tensors alone."""
    for precision in PRECISIONS:
        yield from ((stress, precision) for stress in (*STRESSES, TAILS[precision], *COINCIDENCES))
    for tensor in alone:
        yield from ((shifted_alone(tensor), precision) for precision in PRECISIONS)


def _in_precision(array: Array, precision: Floating) -> Array:
    return array if array.dtype.kind in "iu" else array.astype(precision)
