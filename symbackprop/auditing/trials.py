"""A hand-written gradient against the derivation: called, its results held against what they should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.expectations import Adjust, Expectations
from symbackprop.auditing.readings import best_reading
from symbackprop.auditing.trial import Trial
from symbackprop.errors import UncertainError, VerificationError
from symbackprop.handwritten.layouts import Layout, layouts, one_hot_targets, with_one_hot
from symbackprop.handwritten.naming import Naming
from symbackprop.handwritten.planning import Candidate, Planner
from symbackprop.handwritten.plans import Attempt, Outcome, Program
from symbackprop.handwritten.processes import Runner
from symbackprop.handwritten.returned_gradients import GivenBack, Labelled
from symbackprop.handwritten.syntax_of_code import Handwritten
from symbackprop.language.model import with_statements
from symbackprop.languages.phrases import worded
from symbackprop.notation.fresh_names import lengthened_name
from symbackprop.sampling.small_axes import can_be_computed
from symbackprop.systems.system import Role, System

Array: TypeAlias = NDArray[Any]

WATCHED = 2  # draws on which the values on the way are kept
MOST_CANDIDATES = 3
UPSTREAM = "upstream"
LOSSES = ("E", "L", "loss")


class RaisingCode(VerificationError):
    """Code that raises in every layout, and what is known of it in the model's own."""

    def __init__(
        self,
        candidate: Candidate,
        outcome: Outcome,
        naming: Naming,
        expectations: Expectations,
        program: Program,
    ) -> None:
        super().__init__(
            worded(
                "{file}:{line}: {function} raises {error}",
                file=program.name,
                line=outcome.line,
                function=candidate.name,
                error=outcome.error,
            ),
            remedy=worded(
                "say what its parameters are, --map theirs=ours, or name the function: CODE.py:NAME"
            ),
        )
        self.candidate = candidate
        self.outcome = outcome
        self.naming = naming
        self.expectations = expectations


def with_loss(model: System) -> System:
    """The model; where it has no loss, with what is sent back times its last output as one."""
    if model.loss is not None:
        return model
    output = model.equations[-1]
    indices = ",".join(index.name for index in output.indices)
    taken = {*model.tensors, *(index.name for each in model.index_names.values() for index in each)}
    name = next(each for each in (*LOSSES, lengthened_name(LOSSES[0], "_", taken)) if each not in taken)
    sent = lengthened_name(UPSTREAM, "_", taken)
    upstream, element = (f"{each}[{indices}]" if indices else each for each in (sent, output.tensor))
    body = f"{upstream}*{element}"
    loss = f"sum({indices}, {body})" if indices else body
    return with_statements(model, f"\nconst {upstream}\nloss {name} = {loss}\n")


def given_numbers(given: Mapping[str, str], model: System) -> dict[str, float]:
    """The constants that a number was given for: eps=1e-5. VerificationError for any other name."""
    numbers: dict[str, float] = {}
    for left, right in given.items():
        try:
            number = float(right)
        except ValueError:
            if right not in model.tensors:
                known = ", ".join(model.tensors)
                raise VerificationError(
                    worded("--map {left}={right}: the model has no tensor '{right}'", left=left, right=right),
                    remedy=worded("it has {known}", known=known),
                ) from None
            continue
        if left not in model.tensors or model.tensors[left].indices:
            raise VerificationError(
                worded("--map {left}={right}: '{left}' is no scalar of the model", left=left, right=right)
            )
        numbers[left] = number
    return numbers


def naming_of(model: System, given: Mapping[str, str]) -> Naming:
    """Whose name is whose, the numbers that were given left out."""
    numbers = given_numbers(given, model)
    return Naming(model, {theirs: ours for theirs, ours in given.items() if theirs not in numbers})


def trial_of(model: System, runner: Runner, name: str, given: Mapping[str, str]) -> Trial:
    """The candidate and the layout with the most right gradients.

    Raises VerificationError where nothing can be called, RaisingCode where everything raises,
    UncertainError where what is given back is nobody's gradient.
    """
    model, program = with_loss(model), runner.program
    numbers = given_numbers(given, model)
    naming = naming_of(model, given)
    candidates = Planner(Handwritten(program), naming).candidates(name)[:MOST_CANDIDATES]
    asked, adjust = _asked(model, candidates, naming), _adjust(model, numbers)
    expectations = Expectations.of(model, asked, adjust, is_in_order=True)
    trials, failures = _best_of(candidates, naming, runner, expectations)
    if not trials and any(axis.size is not None for axis in model.axes) and can_be_computed(model):
        # Code may count on the declared sizes.
        whole = Expectations.of(model, asked, adjust, is_small=False, is_in_order=True)
        trials, failures = _best_of(candidates, naming, runner, whole)
    if trials:
        return max(trials, key=lambda each: each.rank)
    if failures:
        raise RaisingCode(candidates[0], failures[0], naming, expectations, program)
    raise UncertainError(
        worded(
            "nothing that {function} gives back is known as a gradient of {model}",
            function=candidates[0].name,
            model=model.name,
        ),
        remedy=worded("say whose it is: --map dw=W; results may be a tuple, a dictionary or attributes"),
    )


def _best_of(
    candidates: Sequence[Candidate], naming: Naming, runner: Runner, expectations: Expectations
) -> tuple[list[Trial], list[Outcome]]:
    """The trials of the candidates up to the first that is right, and what came of those that failed."""
    trials: list[Trial] = []
    failures: list[Outcome] = []
    for candidate in candidates:
        tried = list(layouts(expectations.system))
        found, failed = trials_in(tried, candidate, naming, runner, expectations)
        if not found and not candidate.plan.takes_tensors and Handwritten(runner.program).imports("torch"):
            candidate = replace(candidate, plan=replace(candidate.plan, takes_tensors=True))
            found, failed = trials_in(tried, candidate, naming, runner, expectations)
        trials += found
        failures += failed
        if found and not max(found, key=lambda each: each.rank).wrong:
            break
    return trials, failures


def _adjust(model: System, numbers: Mapping[str, float]) -> Adjust:
    """What moves data to where the code has them: one-hot targets, numbers of its own; None if none are."""
    targets = one_hot_targets(model)
    if not targets and not numbers:
        return None

    def adjusted(values: Mapping[str, Array]) -> dict[str, Array]:
        fixed = {name: np.asarray(number) for name, number in numbers.items()}
        return {**with_one_hot(values, targets), **fixed}

    return adjusted


def _asked(model: System, candidates: list[Candidate], naming: Naming) -> list[str]:
    """Parameters and inputs, and what else something that is returned looks like the gradient of."""
    usual = [each.name for each in model.with_role(Role.PARAMETER, Role.INPUT) if each.values is None]
    others = [each.name for each in model.with_role(Role.CONSTANT, Role.TARGET) if each.values is None]
    named = {
        naming.gradient_of(name, others)
        for candidate in candidates
        for name in candidate.returned
        if name and naming.tensor(name, others) is None
    }
    return [*usual, *(name for name in others if name in named)] or others


def trials_in(
    tried: Sequence[Layout],
    candidate: Candidate,
    naming: Naming,
    runner: Runner,
    expectations: Expectations,
) -> tuple[list[Trial], list[Outcome]]:
    """One for each layout in which the candidate runs, and what came of the others."""
    attempts = [
        Attempt(candidate.plan, tuple([layout.data(draw) for draw in expectations.draws])) for layout in tried
    ]
    trials: list[Trial] = []
    failures: list[Outcome] = []
    for layout, attempt, outcomes in zip(tried, attempts, runner.outcomes(attempts, WATCHED), strict=True):
        failed = [each for each in outcomes if each.error]
        if failed or len(outcomes) < len(expectations.draws):
            failures += failed
            continue
        first = expectations.draws[0]
        expected = {
            name: layout.array(name, np.asarray(first.adjoints[name])) for name in expectations.derivation.wrt
        }
        order = [name for name in _in_order(candidate) if name in expected]
        given = GivenBack(outcomes[0].results, candidate.returned, naming, expected, order)
        unread = Trial(candidate, layout, attempt, outcomes, expectations, Labelled({}), runner.program)
        trial = best_reading(given, unread)
        if trial is not None:
            trials.append(trial)
    return trials, failures


def _in_order(candidate: Candidate) -> list[str]:
    """The data in the order in which the last call, or the one before, takes them."""
    return list(dict.fromkeys(key for call in reversed(candidate.plan.calls) for key in call.keys))
