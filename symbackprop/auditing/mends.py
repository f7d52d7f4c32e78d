"""What is said of a gradient that a change mends, or that values alone tell something of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.expectations import magnitude
from symbackprop.auditing.hypotheses import Evidence, diagnosis
from symbackprop.auditing.injections import Arsenal
from symbackprop.auditing.report import Finding
from symbackprop.auditing.sites import Proposal, Site
from symbackprop.auditing.trial import Trial
from symbackprop.handwritten.agreement import RIGHT, agrees
from symbackprop.handwritten.naming import Naming
from symbackprop.handwritten.syntax_of_code import Handwritten
from symbackprop.languages.phrases import worded
from symbackprop.systems.printing import text

Array: TypeAlias = NDArray[Any]

MOST_PLACES = 3  # elements that are wrong and named one by one
UNNAMED = "other"
WHOLE = 3  # the order of a proposal that replaces all that is computed


@dataclass(frozen=True)
class Mend:
    """A change, how near each gradient is with it, and which it has `raised`.

    `is_off` says that the statement's own value is not the derivation's; `is_data` that it is what the model
    is given; `is_apart` that it reads a formula of the derivation in a function that the audited one calls;
    `turn` is when it runs.
    """

    site: Site
    proposal: Proposal
    grades: Mapping[str, int]
    raised: tuple[str, ...]
    gain: int
    is_off: bool
    is_data: bool
    is_apart: bool
    turn: int

    @property
    def is_named(self) -> bool:
        """Whether it says how the statement was wrong, and not only what it should have computed."""
        return self.proposal.kind != UNNAMED and self.proposal.order < WHOLE

    @property
    def is_exact(self) -> bool:
        """Whether a gradient is the expected one with it, and not only a multiple."""
        return any(self.grades[name] == RIGHT for name in self.raised)

    @property
    def mends_everything(self) -> bool:
        """Whether every gradient is right with it, and it says how the statement was wrong."""
        return self.is_off and self.is_named and all(grade == RIGHT for grade in self.grades.values())

    @property
    def merit(self) -> tuple[int, bool, bool, int]:
        """How much it mends and how plainly it says so."""
        gain, is_unnamed, _, is_whole, order, *_ = self.rank
        return gain, is_unnamed, is_whole, max(order, 1)

    @property
    def rank(self) -> tuple[int, bool, bool, bool, int, bool, int, int]:
        """The best first."""
        size = len(ast.unparse(self.proposal.new))
        is_unnamed = self.proposal.kind == UNNAMED
        # What is nameless, or scales data as they were given, explains less: it has to mend much more.
        is_far = is_unnamed or (self.is_data and self.proposal.node is self.site.value)
        gain = self.gain // 2 if is_far else self.gain
        is_whole = self.proposal.order >= WHOLE
        order = self.proposal.order
        return (-gain, is_unnamed, not self.is_off, is_whole, order, self.is_apart, self.turn, size)


def finding_of(mend: Mend, trial: Trial) -> Finding:
    """What a change says of the statement that it mends."""
    tensor = mend.raised[0]
    site, proposal = mend.site, mend.proposal
    kind, sentence = _named(mend, trial)
    remedy = "" if proposal.kind == UNNAMED else _remedy(site, proposal)
    line = _line(site, proposal)
    message = worded("line {line}: {sentence}", line=line, sentence=sentence)
    expected = proposal.remedy if proposal.kind == UNNAMED else _expected(trial, tensor, mend)
    return Finding(tensor, kind, message, remedy, expected, line)


def _line(site: Site, proposal: Proposal) -> int:
    """The line of what is changed, where that is a part of what is computed."""
    is_part = proposal.node not in (site.value, site.statement)
    return proposal.node.lineno if is_part and isinstance(proposal.node, ast.expr) else site.line


def _remedy(site: Site, proposal: Proposal) -> str:
    """What is to be done, or the changed statement, formulas in the place of arrays that stand for them."""
    if isinstance(proposal.new, ast.Pass):
        return worded("leave this line out")
    if proposal.remedy and not proposal.code:
        return proposal.remedy
    _, statement = site.changed(proposal)
    for each in proposal.injected:
        statement = statement.replace(f"{each.name}.T", f"({proposal.code}).T")
        statement = statement.replace(each.name, f"({proposal.code})")
    return worded("write {statement}", statement=statement)


def _named(mend: Mend, trial: Trial) -> tuple[str, str]:
    """The kind and the sentence; a value read for its argument is named by what the two are."""
    proposal = mend.proposal
    names = (ast.unparse(proposal.node), ast.unparse(proposal.new))
    if proposal.kind != "wrong value" or not mend.site.values.keys() >= set(names):
        return proposal.kind, proposal.sentence
    read, wanted = (_tensor(mend.site.values[name], trial) for name in names)
    definitions = trial.expectations.system.definitions
    if read in definitions and definitions[read].reads == (wanted,):
        return "derivative at the value", worded(
            "takes the derivative at {read}, should take it at {wanted}", read=names[0], wanted=names[1]
        )
    if wanted in definitions and definitions[wanted].reads == (read,):
        sentence = worded(
            "the derivative reads {argument}, the argument, and should read {value}, the value",
            argument=names[0],
            value=names[1],
        )
        return "derivative at the argument", sentence
    return proposal.kind, proposal.sentence


def _tensor(array: Array, trial: Trial) -> str:
    """The tensor of the forward pass that an array is on the first draw; "" for none."""
    draw = trial.expectations.draws[0]
    for name, known in draw.known.items():
        if agrees(array, trial.layout.array(name, np.asarray(known)), 0.0):
            return name
    return ""


def _expected(trial: Trial, tensor: str, mend: Mend) -> str:
    """The formula for what the line should compute; "" where that is no adjoint that has a name.

    It is the adjoint that the line's target is called by, or that a change reads, or that is given back.
    """
    read = [each.tensor for each in mend.proposal.injected if each.tensor]
    given_back = [tensor] if _is_given_back(mend.site, trial, tensor) else []
    named = [adjoint_called(mend.site.target, trial), *read, *given_back]
    return next((_formula(trial, each) for each in named if each), "")


def _is_given_back(site: Site, trial: Trial, tensor: str) -> bool:
    """Whether the line makes what is given back as a tensor's gradient."""
    return any(agrees(array, trial.found[0][tensor], 0.0) for array in site.made.get(site.target, ()))


def _formula(trial: Trial, tensor: str, is_whole: bool = False) -> str:
    """What a gradient is; where it is `is_whole`, with what the adjoints are that it reads."""
    adjoint = trial.expectations.adjoints[tensor]
    said, read = text(adjoint.equation.expression), adjoint.equation.expression.tensors
    said = trial.expectations.with_definitions(said, read) if is_whole else said
    return f"{text(adjoint.total)} = {said}"


def exchanged(trial: Trial) -> Iterator[Finding]:
    """Pairs of gradients each of which is given back as the other."""
    for one, other in combinations(trial.wrong, 2):
        pairs = list(zip(trial.found, trial.expected, strict=True))
        if all(agrees(a[one], b[other], 0.0) and agrees(a[other], b[one], 0.0) for a, b in pairs):
            loss, code = trial.expectations.loss, Handwritten(trial.program)
            events = trial.outcomes[0].events
            made = [each.line for each in events if each.line and agrees(each.value, pairs[0][0][one], 0.0)]
            line = made[0] if made else code.tree.body[-1].lineno
            message = worded(
                "line {line}: d{loss}/d{one} and d{loss}/d{other} are exchanged",
                line=line,
                loss=loss,
                one=one,
                other=other,
            )
            remedy = worded("give each back in the place, or under the name, of the other")
            yield Finding(one, "exchanged", message, remedy, _formula(trial, one), line)


def by_values(trial: Trial, name: str) -> Finding:
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
        return Finding(
            name,
            UNNAMED,
            worded("{what} is wrong{where}", what=total, where=_where(trial, name)),
            "",
            _formula(trial, name, is_whole=True),
        )
    line = _made_at(trial, name) if found.kind == "transpose" else 0
    said = found.about(total)
    message = worded("line {line}: {sentence}", line=line, sentence=said) if line else said
    return Finding(name, found.kind, message, found.remedy, _formula(trial, name), line)


def _made_at(trial: Trial, name: str) -> int:
    """The line that first makes what is given back as a tensor's gradient; 0 where none is known to."""
    given_back = np.asarray(trial.outcomes[0].results[trial.labelled.paths[name]])
    events = trial.outcomes[0].events
    return next((each.line for each in events if each.line and agrees(each.value, given_back, 0.0)), 0)


def _where(trial: Trial, name: str) -> str:
    """In which elements of the first draw that shows it, where these are few; "" where they are not."""
    triples = list(zip(trial.found, trial.expected, trial.expectations.draws, strict=True))
    first = next(
        (each for each in triples if not agrees(each[0][name], each[1][name], magnitude(each[2]))), None
    )
    if first is None:
        return ""
    found, expected, sizes = np.asarray(first[0][name]), first[1][name], first[2].sizes
    if found.shape != expected.shape:
        return worded(
            ": it has the shape {found}, and should have {expected}",
            found=str(found.shape),
            expected=str(expected.shape),
        )
    places = np.argwhere(~np.isclose(found, expected, rtol=1e-8, atol=0.0))
    if not expected.ndim or not 0 < len(places) <= MOST_PLACES or len(places) * 2 >= expected.size:
        return ""
    shown = ", ".join(str([int(each) for each in place]) for place in places)
    at = ", ".join(f"{axis}={size}" for axis, size in sizes.items())
    return worded(" in {places} alone, at {sizes}", places=shown, sizes=at)


def adjoint_called(name: str, trial: Trial) -> str | None:
    """The tensor whose adjoint a variable is called for: u1 for du1, delta_u1 or grads['u1']."""
    naming = Naming(trial.expectations.system)
    key = re.search(r"\['(\w+)'\]$", name)
    plain = key[1] if key else name
    found = naming.gradient_of(plain, list(trial.expectations.adjoints)) if plain else None
    return found if key or found != plain else None
