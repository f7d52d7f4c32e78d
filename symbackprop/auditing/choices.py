"""The choices that stand in a stranger's code alone: data on either side of each, and what is wrong there.

A mask at 6 or a case of its own for one sample is reached by no data that are drawn for the model.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.expectations import magnitude
from symbackprop.auditing.locating import findings_of
from symbackprop.auditing.report import Compared, Finding
from symbackprop.auditing.trial import Trial
from symbackprop.errors import SymbackpropError
from symbackprop.handwritten.agreement import agrees, shaped
from symbackprop.handwritten.plans import Attempt, Outcome
from symbackprop.handwritten.processes import Runner
from symbackprop.handwritten.running.choices import Choice, choices_in
from symbackprop.handwritten.syntax_of_code import Handwritten
from symbackprop.languages.phrases import marked, worded
from symbackprop.numerics.tolerance import all_finite, largest_of
from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.related_sizes import free_axes
from symbackprop.sampling.rounds import LARGEST_TRIED
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.verification.rounding import RoundingOfTerms

Array: TypeAlias = NDArray[Any]

AT_A_TIME = 32
MOST_NEAR = 8  # numbers
WATCHED = 2
MODERATE = 10.0  # data of which no exponential is too large
PLAINLY = 1e-3  # a relative error that no rounding explains
OF_MODEL = 1e3  # so many times what one rounding of the model as typed amounts to passes
_ONLY_THERE = marked(
    "the gradient with respect to {tensor} is wrong where {choice} comes out otherwise than on ordinary data"
)
_UNREACHED = marked(
    "line {line}: no data drawn reach the other side of {choice}: what the code does there was not compared"
)
BESIDES = worded("and on data drawn to either side of the code's own conditions")
_OPPOSITE = {"True": "False", "False": "True"}


@dataclass(frozen=True)
class OwnChoices:
    """Those of code that is right on ordinary data."""

    trial: Trial
    runner: Runner

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What is wrong on the first of the further data on which something is; limited gradients are not."""
        return self._found[0]

    def compared(self, ordinary: Sequence[Compared]) -> tuple[Compared, ...]:
        """The gradients as they were compared, but for those that are wrong on the further data."""
        off = {f"d{self.trial.expectations.loss}/d{name}": error for name, error in self._found[1].items()}
        known = [
            replace(each, is_right=False, error=off[each.tensor]) for each in ordinary if each.tensor in off
        ]
        return tuple([next((new for new in known if new.tensor == each.tensor), each) for each in ordinary])

    @cached_property
    def _found(self) -> tuple[tuple[Finding, ...], Mapping[str, float]]:
        for draw, outcome, side in self._unlimited:
            wrong = {
                name: error for name in self.trial.labelled.paths if (error := self._off(name, draw, outcome))
            }
            findings = self._located(draw, side, wrong) if wrong else ()
            if findings:
                return findings, wrong
        return (), {}

    @cached_property
    def conventions(self) -> tuple[str, ...]:
        """That large gradients are clipped or scaled down before they are given back."""
        has_limits = len(self._unlimited) < len(self._further)
        return (worded("large gradients are limited before they are given back"),) * has_limits

    @cached_property
    def _unlimited(self) -> list[tuple[Draw, Outcome, str]]:
        """The further draws but those on which what is given back is the gradient, made smaller."""
        return [each for each in self._further if not self.is_limited(*each[:2])]

    def is_limited(self, draw: Draw, outcome: Outcome) -> bool:
        """Whether the code has the number at which gradients end, or to which their norm is brought."""
        pairs = list(self._pairs(draw, outcome).values())
        if any(np.shape(found) != expected.shape or not all_finite([found]) for found, expected in pairs):
            return False
        largest = magnitude(draw)
        off = [each for each in pairs if not agrees(*each, largest)]
        whole = [np.concatenate([array.ravel() for array in each]) for each in zip(*pairs, strict=True)]
        return bool(off) and (
            all(self._ends(*each, largest) for each in off)
            or self._is_scaled(*whole)
            or all(self._is_scaled(*each) for each in off)
        )

    def _ends(self, found: Array, expected: Array, largest: float) -> bool:
        bound = largest_of([found])
        return self._is_known(bound) and agrees(found, np.clip(expected, -bound, bound), largest)

    def _is_scaled(self, found: Array, expected: Array) -> bool:
        norm = float(np.linalg.norm(found))
        ratio = norm / (float(np.linalg.norm(expected)) or np.inf)
        return 0 < ratio < 1 and self._is_known(norm) and agrees(found, ratio * expected, 0.0)

    def _is_known(self, number: float) -> bool:
        return any(
            np.isclose(number, each, rtol=PLAINLY)
            for each in (*self._numbers, *map(abs, self._scalars.values()))
        )

    def _pairs(self, draw: Draw, outcome: Outcome) -> dict[str, tuple[Array, Array]]:
        """For each gradient what was found and what is expected."""
        found: dict[str, tuple[Array, Array]] = {}
        for name, path in self.trial.labelled.paths.items():
            expected = self.trial.layout.array(name, np.asarray(draw.adjoints[name]))
            found[name] = (np.asarray(shaped(outcome.results.get(path), expected.shape)), expected)
        return found

    @cached_property
    def unreached(self) -> tuple[Finding, ...]:
        """The choices of which data reach one side alone."""
        reached = self._reached.union(*(outcome.sides for _, outcome, _ in self._reaching))
        places = dict.fromkeys(side.partition("|")[0] for side in sorted(self._missing(reached)))
        told = [self._choices[each] for each in places if f"{each}|" in reached]
        return tuple(
            [
                Finding(
                    "", "unreached", worded(_UNREACHED, line=each.node.lineno, choice=ast.unparse(each.node))
                )
                for each in told
                if not each.is_guard
            ]
        )

    @cached_property
    def _choices(self) -> Mapping[str, Choice]:
        tree = Handwritten(self.runner.program).tree
        return {each.place: each for each in choices_in(tree) if not each.is_of_rounding}

    @cached_property
    def _reached(self) -> frozenset[str]:
        return frozenset().union(*(each.sides for each in self.trial.outcomes))

    def _missing(self, reached: frozenset[str]) -> frozenset[str]:
        """The other sides of what has been reached."""
        sides = [each.partition("|") for each in reached if each.partition("|")[0] in self._choices]
        wanted = {f"{place}|{_OPPOSITE.get(side) or _turned(side)}" for place, _, side in sides if side}
        return frozenset(wanted - reached)

    @cached_property
    def _further(self) -> tuple[tuple[Draw, Outcome, str], ...]:
        """All further draws, what the code makes of each, and the side of the choice that it is for."""
        return (*self._near, *self._reaching)

    @cached_property
    def _near(self) -> tuple[tuple[Draw, Outcome, str], ...]:
        """Draws near the numbers that the code alone compares data with, as between 0 and 0.01."""
        expectations = self.trial.expectations
        places = [each for each in self._choices if f"{each}|" in self._reached]
        places_of = {number: place for place in places for number in self._numbers_of(self._choices[place])}
        numbers = [each for each in places_of if each not in expectations.branches.numbers]
        found = list(expectations.near(numbers[:MOST_NEAR]))
        outcomes = self._outcomes([draw for _, draw in found], 0) if found else []
        return tuple(
            [
                (complete, outcome, f"{places_of[number]}|")
                for (number, draw), (outcome,) in zip(found, outcomes, strict=True)
                if not outcome.error and (complete := expectations.completed(draw)) is not None
            ]
        )

    @cached_property
    def _reaching(self) -> tuple[tuple[Draw, Outcome, str], ...]:
        """Further draws, what the code makes of each, and a side that comes up on it for the first time."""
        expectations, reached = self.trial.expectations, self._reached
        found: list[tuple[Draw, Outcome, str]] = []
        tried = expectations.tried(self._sizes, self._numbers)
        while (missing := self._missing(reached)) and (batch := list(islice(tried, AT_A_TIME))):
            for draw, (outcome,) in zip(batch, self._outcomes(batch, 0), strict=True):
                new = sorted(outcome.sides & missing - reached)
                complete = expectations.completed(draw) if new and not outcome.error else None
                if complete is not None:
                    reached |= outcome.sides
                    found.append((complete, outcome, new[0]))
        return tuple(found)

    def _outcomes(self, draws: list[Draw], watched: int) -> list[tuple[Outcome, ...]]:
        trial = self.trial
        attempts = [Attempt(trial.candidate.plan, (trial.layout.data(draw),)) for draw in draws]
        return self.runner.outcomes(attempts, watched)

    @cached_property
    def _scalars(self) -> dict[str, float]:
        """The numbers that variables hold."""
        events = self.trial.outcomes[0].events
        return {each.name: float(each.value) for each in events if not each.value.ndim}

    def _numbers_of(self, choice: Choice) -> list[float]:
        """The numbers in a choice, and those that the variables hold which it reads."""
        nodes = list(ast.walk(choice.node))
        numbers = [self._scalars[name] for node in nodes if (name := _name_of(node)) in self._scalars]
        numbers += [float(number) for each in nodes if (number := _number_in(each)) is not None]
        return [abs(each) for each in numbers if each and np.isfinite(each)]

    @cached_property
    def _numbers(self) -> tuple[float, ...]:
        every = [number for each in self._choices.values() for number in self._numbers_of(each)]
        return tuple(dict.fromkeys(every))

    @property
    def _sizes(self) -> list[Mapping[str, int]]:
        """The first draw's, then one axis at a time as long as numbers in the choices, 1 among them."""
        expectations = self.trial.expectations
        whole = [int(each) for each in self._numbers if each == int(each) and each < LARGEST_TRIED]
        around = [length for each in whole for length in (each + 1, each - 1, each) if length > 0]
        lengths = dict.fromkeys((1, *around))
        first, system = expectations.draws[0].sizes, expectations.system
        found = [first]
        for name, length in product(free_axes(system.axes), lengths):
            with suppress(SymbackpropError):  # such sizes contradict one another
                found.append(model_sizes(system, {**first, name: length}))
        return found

    def _off(self, tensor: str, draw: Draw, outcome: Outcome) -> float:
        """The relative error of a gradient, where it has another shape or is off by more than rounding."""
        found, expected = self._pairs(draw, outcome)[tensor]
        if np.shape(found) != expected.shape:
            return np.inf
        if not all_finite([found]):  # where the data are large, the code's own way may have overflown
            return np.inf if largest_of(draw.values.values()) <= MODERATE else 0.0
        if agrees(found, expected, magnitude(draw)):
            return 0.0
        error = largest_of([found - expected])
        rounding = RoundingOfTerms(self.trial.expectations.derivation, draw.values, draw.sizes)
        passes = OF_MODEL * rounding.of_closed_form(tensor)
        return error / (largest_of([expected]) or error) if error > passes else 0.0

    def _located(self, draw: Draw, side: str, wrong: Mapping[str, float]) -> tuple[Finding, ...]:
        """The wrong lines on this draw and the ordinary ones; else the choice, where it is plainly wrong."""
        draws = (draw, *self.trial.expectations.draws)
        attempt = Attempt(self.trial.candidate.plan, tuple([self.trial.layout.data(each) for each in draws]))
        (outcomes,) = self.runner.outcomes([attempt], WATCHED)
        expectations = replace(self.trial.expectations, draws=draws)
        trial = replace(self.trial, attempt=attempt, outcomes=outcomes, expectations=expectations)
        findings = findings_of(trial, self.runner)
        if any(each.line for each in findings):
            return findings
        tensor = max(wrong, key=lambda name: wrong[name])
        if wrong[tensor] < PLAINLY:
            return ()
        node = self._choices[side.partition("|")[0]].node
        sentence = worded(_ONLY_THERE, tensor=tensor, choice=ast.unparse(node))
        message = worded("line {line}: {sentence}", line=node.lineno, sentence=sentence)
        remedy = worded("compute there what the model says, which makes no such difference")
        return (Finding(tensor, "branch", message, remedy, findings[0].expected, node.lineno),)


def _turned(side: str) -> str:
    """The other side of an operand: 0+1 for 0-1."""
    return side.translate(str.maketrans("+-", "-+"))


def _name_of(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _number_in(node: ast.AST) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
