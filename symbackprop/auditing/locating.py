"""The wrong lines of a gradient: changes are tried one by one, and what mends most says what was wrong.

Of changes that mend as much, one with a name goes before "it should be this adjoint", and one in a line whose
value is not what the derivation has there before one in a line that is right; then the line that runs first.
With a change made, the next fault is looked for in what is left: a gradient that is a multiple of what it
should be is nearer than one that is not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.edits.factors import missing_tensor
from symbackprop.auditing.edits.numbers import another_bound, another_number
from symbackprop.auditing.edits.order import EDITS, FAR_FETCHED, OF_DISPLAYS, OF_SIZES
from symbackprop.auditing.injections import (
    Arsenal,
    adjoint_itself,
    missing_derivative,
    missing_factor,
    missing_term,
)
from symbackprop.auditing.mends import WHOLE, Mend, adjoint_called, by_values, exchanged, finding_of
from symbackprop.auditing.report import Finding
from symbackprop.auditing.sites import Proposal, Site, sites_of
from symbackprop.auditing.syntax_parts import expression
from symbackprop.auditing.trial import Trial
from symbackprop.handwritten.agreement import RIGHT
from symbackprop.handwritten.plans import Change
from symbackprop.handwritten.processes import Runner
from symbackprop.handwritten.syntax_of_code import Handwritten

Array: TypeAlias = NDArray[Any]

MOST_FAULTS = 3
MOST_CHANGES = (6_000, 4_000)  # plain ones, and far-fetched ones
MOST_ALIKE = 6  # changes in different places between which the values that come out decide
AT_A_TIME = 500
WITH_ARRAYS = (
    another_number,
    another_bound,
    missing_derivative,
    missing_factor,
    missing_term,
    adjoint_itself,
)


def findings_of(trial: Trial, runner: Runner) -> tuple[Finding, ...]:
    """What is wrong, the first to run first; by values alone where no change of a line mends anything."""
    swapped = tuple(exchanged(trial))
    if swapped:
        return swapped
    search = _Search(trial, Arsenal(trial), runner, trial.grades)
    found: list[Mend] = []
    while len(found) < MOST_FAULTS and not search.is_mended:
        mend = search.best()
        if mend is None:
            break
        found.append(mend)
        search = search.after(mend)
        if not mend.is_named:
            # What is off behind a line that nothing explains may be off for that line's sake alone.
            break
    findings = [finding_of(mend, trial) for mend in sorted(found, key=lambda each: each.turn)]
    left = [name for name, grade in search.grades.items() if grade == 0 or (grade < RIGHT and not found)]
    return (*findings, *(by_values(trial, name) for name in left))


@dataclass(frozen=True)
class _Reach:
    """Whether a value has a part in a wrong gradient, and in a right one."""

    a_wrong: bool = True
    a_right: bool = True


@dataclass(frozen=True)
class _Search:
    """A program that has been mended in part: how near each gradient is, and what the changes read."""

    trial: Trial
    arsenal: Arsenal
    runner: Runner
    grades: Mapping[str, int]
    injected: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def is_mended(self) -> bool:
        """Whether every gradient is the expected one."""
        return all(grade == RIGHT for grade in self.grades.values())

    def best(self) -> Mend | None:
        """The change that mends most; None where none mends anything.

        Values that no right gradient depends on are changed first, and of these the ones that are off, in the
        order in which they are computed; where that mends everything, the others are left alone.
        """
        every = sites_of(Handwritten(self.runner.program), self.trial.outcomes[0].events)
        turns = {id(site): turn for turn, site in enumerate(every)}
        own = [site for site in every if not self._reads_injected(site)]
        off = {id(site) for site in own if self._is_off(site)}
        data = {id(site) for site in own if any(map(self.arsenal.is_data, site.results))}
        reach = self._reach(own)
        own = [site for site in own if reach[id(site)].a_wrong]
        sites = sorted(own, key=lambda site: (reach[id(site)].a_right, id(site) not in off, turns[id(site)]))
        found: list[Mend] = []
        ways = zip((_proposals, _far_fetched), (0, WHOLE - 1), MOST_CHANGES, strict=True)
        for proposals, enough, most in ways:
            tried = list(islice(proposals(sites, self.arsenal), most))
            for start in range(0, len(tried), AT_A_TIME):
                for (site, proposal), grades in self._mending(tried[start : start + AT_A_TIME]):
                    raised = tuple([name for name, grade in grades.items() if grade > self.grades[name]])
                    gain = sum(grades.values()) - sum(self.grades.values())
                    is_off, is_data, turn = id(site) in off, id(site) in data, turns[id(site)]
                    has_term = any(each.tensor for each in proposal.injected)
                    is_apart = has_term and not self._is_called(site.own.function)
                    found.append(Mend(site, proposal, grades, raised, gain, is_off, is_data, is_apart, turn))
                if any(each.mends_everything and each.proposal.order <= enough for each in found):
                    break
            if any(each.is_named and each.is_exact for each in found):
                break
        return self._plainest(sorted(found, key=lambda each: each.rank))

    def _is_called(self, function: str) -> bool:
        """Whether the audit calls a function itself."""
        called = {call.callee.rpartition(".")[2] for call in self.trial.candidate.plan.calls}
        return function.rpartition(".")[2] in called

    def _plainest(self, found: Sequence[Mend]) -> Mend | None:
        """Of the changes that mend as much, the one after which most lines make what the derivation has."""
        alike = [each for each in found if each.merit == found[0].merit]
        alike = [each for each in alike if not each.is_apart] or alike
        first: dict[int, Mend] = {}
        for each in alike:
            first.setdefault(id(each.site), each)
        tried = list(first.values())[:MOST_ALIKE]
        if len(tried) < 2:
            return next(iter([*tried, *found]), None)
        return max(tried, key=self._known_with)  # the first of those that are equal

    def _known_with(self, mend: Mend) -> tuple[int, bool, bool]:
        """How many lines make what the derivation has, once a change is made, and whether its own does.

        And whether that is called by the tensor whose derivative it reads then, as du is for dz/du.
        """
        after = self.after(mend)
        attempt = replace(self.trial.attempt, data=self.trial.attempt.data[:1], injected=after.injected)
        ((outcome,),) = after.runner.outcomes([attempt], 1)
        sites = sites_of(Handwritten(after.runner.program), outcome.events)
        known = [each.own for each in sites if not each.own.items and not self._is_off(each)]
        own = mend.site.own
        places = [(each.statement.lineno, each.target, each.function) for each in known]
        is_known = (own.statement.lineno, own.target, own.function) in places
        read = {each.tensor for each in mend.proposal.injected}
        return len(known), is_known, adjoint_called(own.target, self.trial) in read

    def _reach(self, sites: Sequence[Site]) -> dict[int, _Reach]:
        """Which gradients change with a value; all may, where another value raises."""
        found = {id(site): _Reach() for site in sites}
        asked = [site for site in sites if not site.own.items]
        moved = [self._change(site, Proposal(site.value, elsewhere(site.value), "", "")) for site in asked]
        paths = self.trial.labelled.paths
        now = tuple(
            [{path: np.asarray(each[name]) for name, path in paths.items()} for each in self.trial.found]
        )
        lowest = dict.fromkeys(paths.values(), -1)
        graded = self.runner.mended(self.trial.attempt, moved, now, lowest)
        for site, grades in zip(asked, graded, strict=True):
            if grades:
                touched = {name for name, path in paths.items() if grades[path] < RIGHT}
                wrong = {name for name, grade in self.grades.items() if grade < RIGHT}
                found[id(site)] = _Reach(bool(touched & wrong), bool(touched - wrong))
        return found

    def _mending(
        self, tried: Sequence[tuple[Site, Proposal]]
    ) -> Iterator[tuple[tuple[Site, Proposal], dict[str, int]]]:
        """The changes that bring some gradient nearer and none farther, and how near each comes then."""
        changes = [self._change(site, proposal) for site, proposal in tried]
        paths = self.trial.labelled.paths
        expected = tuple([{path: each[name] for name, path in paths.items()} for each in self.trial.expected])
        least = {path: self.grades[name] for name, path in paths.items()}
        mended = self.runner.mended(self.trial.attempt, changes, expected, least)
        for each, graded in zip(tried, mended, strict=True):
            if graded:
                yield each, {name: graded[path] for name, path in paths.items()}

    def _change(self, site: Site, proposal: Proposal) -> Change:
        whole, _ = site.changed(proposal)
        own = {each.name: each.arrays for each in proposal.injected}
        return Change(whole, {**self.injected, **own})

    def _reads_injected(self, site: Site) -> bool:
        """Whether the statement is a mended one that reads arrays of the derivation."""
        return any(isinstance(node, ast.Name) and node.id in self.injected for node in ast.walk(site.value))

    def _is_off(self, site: Site) -> bool:
        """Whether what the statement makes is not what the derivation has of that name, or at all."""
        adds_up = isinstance(site.statement, ast.AugAssign) and site.loops
        made = site.results[-1:] if adds_up else site.results
        if isinstance(site.value, ast.Name) and re.match("d|grad|delta", site.target):
            return True  # another name for what it is not, or for what it is: the others tell
        matched = [{each.tensor for each in self.arsenal.matches(array)} for array in made]
        own = adjoint_called(site.target, self.trial)
        if own is not None and any(matched):
            return not all(own in each for each in matched)
        return not (
            made
            and all(each or self.arsenal.is_forward(array) for each, array in zip(matched, made, strict=True))
        )

    def after(self, mend: Mend) -> _Search:
        """With the change made in the text of the program, whose lines stay where they are."""
        _, statement = mend.site.changed(mend.proposal)
        program = self.runner.program.with_node(mend.site.rewritten, statement)
        injected = {each.name: each.arrays for each in mend.proposal.injected}
        return replace(
            self,
            runner=self.runner.with_program(program),
            grades=mend.grades,
            injected={**self.injected, **injected},
        )


def _proposals(sites: Sequence[Site], arsenal: Arsenal) -> Iterator[tuple[Site, Proposal]]:
    for site in sites:
        for edit in OF_DISPLAYS if site.own.items else OF_SIZES if site.is_size else EDITS:
            for proposal in edit(site):
                yield site, proposal
        for with_arrays in WITH_ARRAYS if not site.own.items else ():
            for proposal in with_arrays(site, arsenal):
                yield site, proposal


def _far_fetched(sites: Sequence[Site], arsenal: Arsenal) -> Iterator[tuple[Site, Proposal]]:
    """What is tried where nothing plainer mends anything: each edit at every statement before the next."""
    whole = [site for site in sites if not site.own.items and not site.is_size]
    for edit, site in product(FAR_FETCHED, whole):
        for proposal in edit(site):
            yield site, proposal
    for site in whole:
        for proposal in missing_tensor(site, arsenal):
            yield site, proposal


def elsewhere(value: ast.expr) -> ast.expr:
    """Another number in the place of each number of a value."""
    return expression("value * 1.3 + 0.1", value=value)
