"""What is found of a gradient that is right: fewer digits than the model as typed keeps, choices at kinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.accuracy.evaluations import AsTyped
from symbackprop.auditing.expectations import magnitude
from symbackprop.auditing.remedies import remedy_for
from symbackprop.auditing.report import Finding
from symbackprop.auditing.trial import Trial
from symbackprop.derivation.result import Derivation
from symbackprop.errors import SymbackpropError
from symbackprop.handwritten.agreement import agrees, shaped
from symbackprop.handwritten.plans import Attempt, Outcome
from symbackprop.handwritten.processes import Runner
from symbackprop.languages.phrases import marked, worded
from symbackprop.numerics.tolerance import all_finite, largest_of
from symbackprop.sampling.drawing import LEAST_TELLING, Draw
from symbackprop.sampling.finite_data import Values
from symbackprop.sampling.rounds import stress_rounds
from symbackprop.sampling.small_axes import evaluation_visits
from symbackprop.sampling.stress import stressed
from symbackprop.semantics.systems import evaluate_system, undefined_is_silent
from symbackprop.systems.system import Role
from symbackprop.targets.numpy.target import NUMPY
from symbackprop.verification.checked_module import ModuleUnderCheck, under_check
from symbackprop.verification.rounding import RoundingOfTerms

Array: TypeAlias = NDArray[Any]

OF_MODEL = 1e3  # so many times what one rounding of the model as typed amounts to passes
MOST_VISITS = 20_000  # nodes that sixty digits are asked of
MOST_ALONE = 8  # tensors that are moved one at a time
FAR = 1e3  # what is added to one tensor alone
LEAST_LOST = 1e-9  # a relative error that is said
_WHOLLY = marked("right, but loses digits: the gradient with respect to {tensor} {said} on {name}")
_PARTLY = marked(
    "right where it was compared, but loses digits: the gradient with respect to {tensor} {said} on {name}"
)
_ANOTHER_SIDE = marked(
    "where the model bends or ties, the gradient with respect to {name} takes another side than the model's"
)


@dataclass(frozen=True)
class _OwnModule:
    """The module that is generated from a derivation."""

    derivation: Derivation

    @cached_property
    def checked(self) -> ModuleUnderCheck:
        """The module, imported."""
        return under_check(NUMPY.load(NUMPY.emitted(self.derivation).text, "audited"))

    def is_finite_at(self, draw: Draw, tensor: str) -> bool:
        """Whether its gradient by a tensor is finite on a draw."""
        try:
            with undefined_is_silent():
                _, gradients = self.checked.value_and_grad(draw.values)
        except SymbackpropError:
            return False
        return all_finite([np.asarray(gradients[tensor])])


def lost_digits(
    trial: Trial, runner: Runner, is_excused: Callable[[Draw, Outcome], bool]
) -> Iterator[Finding]:
    """The worst gradient on the first stressed data on which it is worse than the model as typed.

    `is_excused` says of data and of what the code makes of them that another convention explains it.
    """
    tried, own = list(_stressed(trial)), _OwnModule(trial.expectations.derivation)
    plan = trial.candidate.plan
    attempts = [Attempt(plan, (trial.layout.data(draw),)) for _, draw, _ in tried]
    found = runner.outcomes(attempts, 0) if attempts else []
    for (name, draw, is_finite), (outcome,) in zip(tried, found, strict=True):
        if outcome.error or is_excused(draw, outcome):
            continue
        worst = max(_loss_of(trial, each, draw, outcome, is_finite) for each in trial.labelled.paths)
        if worst[0] == np.inf and not is_finite and not own.is_finite_at(draw, worst[1]):
            continue  # no more is asked of a person than of the tool
        if worst[0]:
            yield _finding(trial, worst, name)
            return


def _loss_of(trial: Trial, tensor: str, draw: Draw, outcome: Outcome, is_finite: bool) -> tuple[float, str]:
    """The relative error of a gradient where that is more than passes, else 0.

    Where the equations evaluated in float64 are not finite themselves, every finite number passes.
    """
    expected = trial.layout.array(tensor, np.asarray(draw.adjoints[tensor]))
    found = shaped(outcome.results.get(trial.labelled.paths[tensor]), expected.shape)
    scale = largest_of([expected])
    if scale <= LEAST_TELLING * magnitude(draw) or np.shape(found) != expected.shape:
        return 0.0, tensor
    if not np.all(np.isfinite(found)):
        return np.inf, tensor
    if not is_finite:
        return 0.0, tensor
    error = largest_of([found - expected]) / scale
    if error <= LEAST_LOST:
        return 0.0, tensor
    rounding = RoundingOfTerms(trial.expectations.derivation, draw.values, draw.sizes)
    passes = LEAST_LOST + OF_MODEL * rounding.of_closed_form(tensor) / scale
    return (error if error > passes else 0.0), tensor


def _finding(trial: Trial, worst: tuple[float, str], name: str) -> Finding:
    error, tensor = worst
    said = (
        worded("is not finite")
        if error == np.inf
        else worded("is off by {error} of its largest entry", error=f"{error:.0e}")
    )
    sentence = _PARTLY if trial.missing or trial.expectations.unreached else _WHOLLY
    message = worded(sentence, tensor=tensor, said=said, name=name)
    return Finding(tensor, "precision", message, remedy_for(trial.expectations.system, error == np.inf))


def _stressed(trial: Trial) -> Iterator[tuple[str, Draw, bool]]:
    """The first draw shifted and scaled, as a whole and one tensor at a time, where the model is finite."""
    expectations = trial.expectations
    first = expectations.draws[0]
    for each in stress_rounds(first.sizes):
        for gentler in (each, *each.gentler):
            values = stressed(expectations.system, dict(first.values), first.sizes, gentler.stress)
            draw = _draw(trial, values)
            if draw is not None:
                yield gentler.name, *draw
                break
    bound = expectations.system.read_by_facts
    free = [each for each in expectations.system.with_role(Role.INPUT, Role.PARAMETER) if each.values is None]
    for tensor in free[:MOST_ALONE]:
        if tensor.name not in bound:
            draw = _draw(trial, {**first.values, tensor.name: first.values[tensor.name] + FAR})
            if draw is not None:
                yield f"{tensor.name} + {FAR:g}", *draw


def _draw(trial: Trial, values: Values | None) -> tuple[Draw, bool] | None:
    """The first draw on other values, and whether the equations are finite there in float64.

    Where they are not, it is as sixty digits have it; None where no gradient is a float64 number.
    """
    expectations = trial.expectations
    first = expectations.draws[0]
    if values is None:
        return None
    values = expectations.adjust(values) if expectations.adjust is not None else values
    known = evaluate_system(expectations.system, values, first.sizes)
    if all_finite(known.values()):
        adjoints = expectations.adjoints_at(known, first.sizes)
        if all_finite(adjoints.values()):
            return replace(first, values=values, known=known, adjoints=adjoints), True
    if evaluation_visits(expectations.system, first.sizes) > MOST_VISITS:
        return None
    truth = AsTyped(expectations.derivation).truth(values, first.sizes, 0.0)
    if truth is None or not all(truth.is_held_by(name, np.float64) for name in truth.values):
        return None
    exact = {name: array.astype(np.float64) for name, array in truth.values.items()}
    return replace(first, values=values, known=values, adjoints=exact), False


def _kinks(trial: Trial, runner: Runner) -> Iterator[tuple[Draw, str, Array, Array]]:
    """Each gradient that differs on data where the model bends, with what was found and expected."""
    draws = trial.expectations.at_kinks
    if trial.wrong or not draws or trial.layout.labels:
        return
    attempt = Attempt(trial.candidate.plan, tuple([trial.layout.data(draw) for draw in draws]))
    (outcomes,) = runner.outcomes([attempt], 0)
    for draw, outcome in zip(draws, outcomes, strict=False):
        for name, path in trial.labelled.paths.items():
            expected = trial.layout.array(name, np.asarray(draw.adjoints[name]))
            found = shaped(outcome.results.get(path), expected.shape)
            if not outcome.error and not agrees(found, expected, magnitude(draw)):
                yield draw, name, np.asarray(found), expected


def choices_at_kinks(trial: Trial, runner: Runner) -> Iterator[str]:
    """What a right gradient takes otherwise than the model where that bends."""
    for _, name, found, _ in _kinks(trial, runner):
        if not np.all(np.isfinite(found)):
            yield worded(
                "where the model bends or ties, the gradient with respect to {name} is not finite", name=name
            )
            continue
        yield worded(_ANOTHER_SIDE, name=name)


def fault_at_ties(trial: Trial, runner: Runner) -> Finding | None:
    """At ties of an extremum, every maximum gets the whole gradient: no choice of one side gives that."""
    if not _has_extremum(trial):
        return None
    for _, name, found, expected in _kinks(trial, runner):
        if np.shape(found) != expected.shape or not np.all(np.isfinite(found)):
            continue
        only_more = np.all((expected == 0) | (np.abs(found - expected) <= 1e-9 * np.abs(expected).max()))
        if only_more and abs(found).sum() > abs(expected).sum() * (1 + 1e-9):
            message = worded(
                "at a tie, every maximum gets the whole gradient with respect to {name}", name=name
            )
            return Finding(name, "tie", message, worded("give it to one of them, the first as argmax does"))
    return None


def _has_extremum(trial: Trial) -> bool:
    equations = trial.expectations.system.equations
    kinds = {getattr(node, "kind", "") for each in equations for node in each.expression.walk()}
    return bool(kinds & {"max", "min"})
