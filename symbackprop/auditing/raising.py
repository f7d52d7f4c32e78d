"""Code that raises, as where a matrix is not transposed: a change of the line that raises may mend it."""

from __future__ import annotations

from symbackprop.auditing.edits import axis, transpose
from symbackprop.auditing.report import Finding
from symbackprop.auditing.sites import sites_of
from symbackprop.auditing.trials import RaisingCode, trials_in
from symbackprop.handwritten.layouts import Layout
from symbackprop.handwritten.running import Runner
from symbackprop.handwritten.syntax_of_code import Handwritten
from symbackprop.systems.printing import text

MOST_CHANGES = 12  # each is a call of all the code


def finding_of_raising(error: RaisingCode, runner: Runner) -> Finding | None:
    """The change of the line that raises after which every gradient is right; None where there is none."""
    code, line = Handwritten(runner.program), error.outcome.line
    sites = [site for site in sites_of(code, error.outcome.events, line) if not site.own.items]
    tried = [
        (site, proposal)
        for site in sites
        if not site.own.items
        for edit in (transpose, axis)
        for proposal in edit(site)
    ]
    for site, proposal in tried[:MOST_CHANGES]:
        _, statement = site.changed(proposal)
        changed = runner.with_program(runner.program.with_statement(site.statement, statement))
        trials, _ = trials_in([Layout()], error.candidate, error.naming, changed, error.expectations)
        if trials and not trials[0].wrong:
            of = next(iter(trials[0].labelled.paths))
            adjoint = error.expectations.adjoints[of]
            expected = f"{text(adjoint.total)} = {text(adjoint.equation.expression)}"
            message = f"line {line}: {proposal.sentence}: {error.outcome.error[:120]}"
            return Finding(of, proposal.kind, message, f"write {statement}", expected, line)
    return None
