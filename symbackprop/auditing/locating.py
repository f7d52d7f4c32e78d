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
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.edits import EDITS
from symbackprop.auditing.hypotheses import Evidence, diagnosis
from symbackprop.auditing.injections import (
    Arsenal,
    adjoint_itself,
    missing_derivative,
    missing_factor,
    missing_term,
)
from symbackprop.auditing.report import Finding
from symbackprop.auditing.sites import Proposal, Site, sites_of
from symbackprop.auditing.trials import Trial
from symbackprop.handwritten.agreement import RIGHT, agrees
from symbackprop.handwritten.naming import Naming
from symbackprop.handwritten.plans import Change
from symbackprop.handwritten.running import Runner
from symbackprop.handwritten.syntax_of_code import Handwritten
from symbackprop.systems.printing import text

Array: TypeAlias = NDArray[Any]

MOST_FAULTS = 3
MOST_PLACES = 3  # elements that are wrong and named one by one
MOST_CHANGES = 6_000
WITH_ARRAYS = (missing_derivative, missing_factor, missing_term, adjoint_itself)
UNNAMED = "other"
WHOLE = 3  # the order of a proposal that replaces all that is computed


@dataclass(frozen=True)
class Mend:
    """A change, how near each gradient is with it, and which it has `raised`.

    `is_off` says that the statement's own value is not the derivation's; `turn` is when it runs.
    """

    site: Site
    proposal: Proposal
    grades: Mapping[str, int]
    raised: tuple[str, ...]
    gain: int
    is_off: bool
    turn: int

    @property
    def rank(self) -> tuple[int, bool, bool, bool, int, int, int]:
        """The best first."""
        size = len(ast.unparse(self.proposal.new))
        is_unnamed = self.proposal.kind == UNNAMED
        # What is nameless explains less, so that it has to mend much more.
        gain = self.gain // 2 if is_unnamed else self.gain
        is_whole = self.proposal.order >= WHOLE
        return (-gain, is_unnamed, not self.is_off, is_whole, self.turn, self.proposal.order, size)


def findings_of(trial: Trial, runner: Runner) -> tuple[Finding, ...]:
    """What is wrong, the first to run first; by values alone where no change of a line mends anything."""
    swapped = tuple(_exchanged(trial))
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
    findings = [_finding(mend, trial) for mend in sorted(found, key=lambda each: each.turn)]
    left = [name for name, grade in search.grades.items() if grade == 0 or (grade < RIGHT and not found)]
    return (*findings, *(_by_values(trial, name) for name in left))


@dataclass(frozen=True)
class _Search:
    """A program that has been mended in part: how near each gradient is, and what the changes read."""

    trial: Trial
    arsenal: Arsenal
    runner: Runner
    grades: Mapping[str, int]
    carried: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def is_mended(self) -> bool:
        """Whether every gradient is the expected one."""
        return all(grade == RIGHT for grade in self.grades.values())

    def best(self) -> Mend | None:
        """The change that mends most; None where none mends anything."""
        sites = sites_of(Handwritten(self.runner.program), self.trial.outcomes[0].events)
        tried = list(_proposals(sites, self.arsenal))[:MOST_CHANGES]
        changes = [self._change(site, proposal) for site, proposal in tried]
        paths = self.trial.labelled.paths
        expected = tuple([{path: each[name] for name, path in paths.items()} for each in self.trial.expected])
        least = {path: self.grades[name] for name, path in paths.items()}
        mended = self.runner.mended(self.trial.attempt, changes, expected, least)
        turns = {id(site): turn for turn, site in enumerate(sites)}
        found = []
        for (site, proposal), graded in zip(tried, mended, strict=True):
            grades = {name: graded.get(path, 0) for name, path in paths.items()}
            gain = sum(grades.values()) - sum(self.grades.values())
            if gain > 0:
                is_off = self._is_off(site)
                raised = tuple([name for name, grade in grades.items() if grade > self.grades[name]])
                found.append(Mend(site, proposal, grades, raised, gain, is_off, turns[id(site)]))
        return min(found, key=lambda each: each.rank, default=None)

    def _change(self, site: Site, proposal: Proposal) -> Change:
        whole, _ = site.changed(proposal)
        own = {each.name: each.arrays for each in proposal.injected}
        return Change(whole, {**self.carried, **own})

    def _is_off(self, site: Site) -> bool:
        """Whether what the statement makes is not what the derivation has of that name, or at all."""
        made = site.made.get(site.target, ())
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
        program = self.runner.program.with_statement(mend.site.statement, statement)
        carried = {each.name: each.arrays for each in mend.proposal.injected}
        return replace(
            self,
            runner=self.runner.with_program(program),
            grades=mend.grades,
            carried={**self.carried, **carried},
        )


def _exchanged(trial: Trial) -> Iterator[Finding]:
    """Pairs of gradients each of which is given back as the other."""
    for one, other in combinations(trial.wrong, 2):
        pairs = list(zip(trial.found, trial.expected, strict=True))
        if all(agrees(a[one], b[other], 0.0) and agrees(a[other], b[one], 0.0) for a, b in pairs):
            loss, code = trial.expectations.loss, Handwritten(trial.program)
            events = trial.outcomes[0].events
            made = [each.line for each in events if each.line and agrees(each.value, pairs[0][0][one], 0.0)]
            line = made[0] if made else code.tree.body[-1].lineno
            message = f"line {line}: d{loss}/d{one} and d{loss}/d{other} are exchanged"
            remedy = "give each back in the place, or under the name, of the other"
            yield Finding(one, "exchanged", message, remedy, _formula(trial, one), line)


def _proposals(sites: Sequence[Site], arsenal: Arsenal) -> Iterator[tuple[Site, Proposal]]:
    for site in sites:
        for edit in EDITS:
            for proposal in edit(site):
                yield site, proposal
        for with_arrays in WITH_ARRAYS:
            for proposal in with_arrays(site, arsenal):
                yield site, proposal


def adjoint_called(name: str, trial: Trial) -> str | None:
    """The tensor whose adjoint a variable is called for: u1 for du1, delta_u1 or grads['u1']."""
    naming = Naming(trial.expectations.system)
    key = re.search(r"\['(\w+)'\]$", name)
    plain = key[1] if key else name
    found = naming.gradient_of(plain, list(trial.expectations.adjoints)) if plain else None
    return found if key or found != plain else None


def _finding(mend: Mend, trial: Trial) -> Finding:
    tensor = mend.raised[0]
    site, proposal = mend.site, mend.proposal
    kind, sentence = _named(mend, trial)
    _, statement = site.changed(proposal)
    if proposal.kind == UNNAMED:
        remedy = ""
    elif proposal.injected and proposal.remedy:
        remedy = _with_formulas(statement, proposal, proposal.remedy)
    else:
        remedy = f"write {statement}"
    message = f"line {site.line}: {sentence}"
    of = next((each.tensor for each in proposal.injected if each.tensor), tensor)
    expected = proposal.remedy if proposal.kind == UNNAMED else _expected(trial, of, site)
    return Finding(tensor, kind, message, remedy, expected, site.line)


def _with_formulas(statement: str, proposal: Proposal, remedy: str) -> str:
    """The statement with formulas in the place of arrays, where these are code; else what is to be done."""
    if "[" in remedy or remedy.startswith(("add", "multiply")):
        return remedy
    for each in proposal.injected:
        statement = statement.replace(f"{each.name}.T", f"({remedy}).T").replace(each.name, f"({remedy})")
    return f"write {statement}"


def _named(mend: Mend, trial: Trial) -> tuple[str, str]:
    """The kind and the sentence; a value read for its argument is named by what the two are."""
    proposal = mend.proposal
    if proposal.kind != "wrong value":
        return proposal.kind, proposal.sentence
    names = (ast.unparse(proposal.node), ast.unparse(proposal.new))
    read, wanted = (_tensor(mend.site.values[name], trial) for name in names)
    definitions = trial.expectations.system.definitions
    if read in definitions and wanted in definitions[read].reads:
        return "derivative at the value", f"takes the derivative at {names[0]}, should take it at {names[1]}"
    if wanted in definitions and read in definitions[wanted].reads:
        sentence = f"the derivative reads {names[0]}, the argument, and should read {names[1]}, the value"
        return "derivative at the argument", sentence
    return proposal.kind, proposal.sentence


def _tensor(array: Array, trial: Trial) -> str:
    """The tensor of the forward pass that an array is on the first draw; "" for none."""
    draw = trial.expectations.draws[0]
    for name, known in draw.known.items():
        if agrees(array, trial.layout.array(name, np.asarray(known)), 0.0):
            return name
    return ""


def _expected(trial: Trial, tensor: str, site: Site) -> str:
    """The formula for what the line should compute: the adjoint it is called by, or the tensor's."""
    return _formula(trial, adjoint_called(site.target, trial) or tensor)


def _formula(trial: Trial, tensor: str) -> str:
    adjoint = trial.expectations.adjoints[tensor]
    return f"{text(adjoint.total)} = {text(adjoint.equation.expression)}"


def _where(trial: Trial, name: str) -> str:
    """In which elements of the first draw, where these are few; "" where they are not."""
    found, expected = np.asarray(trial.found[0][name]), trial.expected[0][name]
    if found.shape != expected.shape:
        return f": it has the shape {found.shape}, and should have {expected.shape}"
    places = np.argwhere(~np.isclose(found, expected, rtol=1e-8, atol=0.0))
    if not expected.ndim or len(places) > MOST_PLACES or len(places) * 2 >= expected.size:
        return ""
    return f" in {' and '.join(str([int(each) for each in place]) for place in places)} alone"


def _by_values(trial: Trial, name: str) -> Finding:
    """What the values alone say of a gradient that no change of one line mends."""
    expectations = trial.expectations
    others = {
        f"d{expectations.loss}/d{other}": tuple([each[other] for each in trial.expected])
        for other in trial.labelled.paths
        if other != name and trial.expected[0][other].shape == trial.expected[0][name].shape
    }
    evidence = Evidence(
        name,
        tuple([each[name] for each in trial.found]),
        tuple([each[name] for each in trial.expected]),
        tuple([draw.sizes for draw in expectations.draws]),
        {each.text: each.arrays for each in Arsenal(trial).terms if each.tensor == name},
        others,
    )
    total = f"d{expectations.loss}/d{name}"
    found = diagnosis(evidence)
    if found is None:
        return Finding(name, UNNAMED, f"{total} is wrong{_where(trial, name)}", "", _formula(trial, name))
    return Finding(name, found.kind, found.about(total), found.remedy, _formula(trial, name))
