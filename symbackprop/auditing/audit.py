"""The audit of a hand-written gradient: right, wrong and where, imprecise, or another convention."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.choices import BESIDES, OwnChoices
from symbackprop.auditing.edits.axes import axis, transpose
from symbackprop.auditing.edits.reads import another_array
from symbackprop.auditing.hypotheses import Factor, factor_between
from symbackprop.auditing.locating import findings_of
from symbackprop.auditing.precision import choices_at_kinks, fault_at_ties, lost_digits
from symbackprop.auditing.report import AuditReport, Compared, Finding, Verdict
from symbackprop.auditing.sites import sites_of
from symbackprop.auditing.trial import Trial
from symbackprop.auditing.trials import RaisingCode, naming_of, trial_of, trials_in, with_loss
from symbackprop.errors import VerificationError
from symbackprop.handwritten.agreement import OF_TENSOR
from symbackprop.handwritten.layouts import Layout
from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.processes import Apart, Here, Runner
from symbackprop.handwritten.running.definitions import left_alone
from symbackprop.handwritten.syntax_of_code import Handwritten
from symbackprop.handwritten.training_loops import training_step
from symbackprop.languages.phrases import marked, worded
from symbackprop.notation.arithmetic import factors_of
from symbackprop.notation.expressions import Reduction
from symbackprop.sampling.drawing import Draw
from symbackprop.syntax.source import read_source
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role, System

Array: TypeAlias = NDArray[Any]

_NOT_RUN = marked("not run, for it defines nothing: line {lines}")
_NOT_RUN_LINES = marked("not run, for it defines nothing: lines {lines}")
_NOT_GIVEN = marked(
    "{name} is not given to the code: where that has a number for it, say so, --map {name}=NUMBER"
)
_ONE_FACTOR = marked(
    "the gradients are those of {product}: every one has this factor, as for a sum or a mean"
)
_ANOTHER_ORDER = marked("results without a name are read in the order in which they are right: {names}")
_READ_IN_ORDER = marked("no name says whose gradients the results are; they are read in the order {names}")
MOST_OF_RAISING = 24  # changes of a line that raises, each a call of all the code
OF_SINGLE = 1e-5  # a relative error that float32 may be the cause of


def audit_file(
    model: System, path: str | Path, name: str = "", given: Mapping[str, str] | None = None
) -> AuditReport:
    """Audit a function or class of a file, found by itself where it is not named.

    It runs the file's definitions in a process of its own. `given` says whose name is whose, theirs to ours,
    or gives a number for a constant. Raises LanguageError or VerificationError where the code cannot be read
    or called, UncertainError where nothing certain can be said.
    """
    source = read_source(path)
    whole = Path(path).resolve()
    program = Program(source.text, whole.name, folder=str(whole.parent))
    return audited(model, Apart(program), name, given or {})


def audit_callable(
    model: System, function: Callable[..., Any], given: Mapping[str, str] | None = None
) -> AuditReport:
    """Audit a function or class of this process. VerificationError where its source is not to be had."""
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        raise VerificationError(
            worded("the source of {function} is not to be had", function=f"{function!r}"),
            remedy=worded("define it in a file, or give the file"),
        ) from error
    program = Program(textwrap.dedent("".join(lines)), f"<audited {function.__name__}>", max(first, 1))
    return audited(model, Here(program, _around(function)), function.__name__, given or {})


def _around(function: Callable[..., Any]) -> Mapping[str, Any]:
    """The names that a function sees: those of its module, and of the functions around it."""
    plain = inspect.unwrap(function)
    if not inspect.isfunction(plain):
        module = inspect.getmodule(function)
        return vars(module) if module is not None else {}
    closed = inspect.getclosurevars(plain).nonlocals
    return {**plain.__globals__, **closed}


def audited(model: System, runner: Runner, name: str, given: Mapping[str, str]) -> AuditReport:
    """What is to be said of what a runner runs."""
    step = None if name else training_step(runner.program, naming_of(with_loss(model), given))
    if step is None:
        return _audited(model, runner, name, given)
    report = _audited(model, runner.with_program(step.program), name, given)
    data = ", ".join(step.data)
    remark = worded(
        "the body of the loop at line {line} ran once, as a function of {data}", line=step.line, data=data
    )
    return replace(report, remarks=(*report.remarks, remark))


def _audited(model: System, runner: Runner, name: str, given: Mapping[str, str]) -> AuditReport:
    try:
        trial = trial_of(model, runner, name, given)
    except RaisingCode as error:
        finding = _of_raising(error, runner)
        if finding is None:
            raise
        return AuditReport(f"{runner.program.name}: {error.candidate.name}", Verdict.WRONG, (finding,))
    subject = f"{runner.program.name}: {trial.candidate.name}"
    factor = _common_factor(trial)
    compared = tuple(_compared(trial, factor))
    conventions = tuple(dict.fromkeys([*_conventions(trial, factor), *choices_at_kinks(trial, runner)]))
    left_out = tuple(_left_out(trial))
    remarks = (*_remarks(trial), *(each.message for each in left_out))
    if trial.wrong and factor is None:
        findings = findings_of(trial, runner)
        if all(trial.errors(name) <= OF_SINGLE for name in trial.wrong):
            lost = tuple([_as_lost_digits(each, trial) for each in findings])
            return AuditReport(subject, Verdict.IMPRECISE, lost, compared, conventions, remarks)
        return AuditReport(subject, Verdict.WRONG, findings, compared, conventions, remarks)
    fault, own = fault_at_ties(trial, runner), OwnChoices(trial, runner)
    faults = () if trial.wrong else own.faults if fault is None else (fault,)
    if faults:
        compared, remarks = (compared, remarks) if fault else (own.compared(compared), (*remarks, BESIDES))
        return AuditReport(subject, Verdict.WRONG, faults, compared, (), remarks)
    if not trial.wrong:
        left_out, conventions = (*left_out, *own.unreached), (*conventions, *own.conventions)
    lost = () if trial.wrong else tuple(lost_digits(trial, runner, own.is_limited))
    if lost:
        return AuditReport(subject, Verdict.IMPRECISE, lost, compared, conventions, remarks)
    verdict = Verdict.PARTLY if left_out else Verdict.RIGHT
    return AuditReport(subject, verdict, left_out, compared, conventions, tuple(_remarks(trial)))


def _as_lost_digits(finding: Finding, trial: Trial) -> Finding:
    """A finding of a gradient that is right as far as float32 goes."""
    error = trial.errors(finding.tensor) if finding.tensor in trial.labelled.paths else 0.0
    said = worded("right, but loses digits: off by {error} in float64", error=f"{error:.0e}")
    message = worded("line {line}: {sentence}", line=finding.line, sentence=said) if finding.line else said
    remedy = worded("leave the arrays in the precision in which they come")
    return replace(finding, kind="precision", message=message, remedy=remedy)


def _compared(trial: Trial, factor: Factor | None) -> Iterator[Compared]:
    loss = trial.expectations.loss
    for name, path in trial.labelled.paths.items():
        is_right = factor is not None or trial.is_right(name)
        error = 0.0 if factor is not None and not trial.is_right(name) else trial.errors(name)
        method = worded("given back as {result}", result=_readable(path, trial))
        yield Compared(f"d{loss}/d{name}", method, is_right, error)


def _readable(path: str, trial: Trial) -> str:
    return path.replace("return", f"{trial.candidate.name}(...)", 1)


def _remarks(trial: Trial) -> Iterator[str]:
    sizes = "; ".join(_sizes(draw) for draw in trial.expectations.draws)
    most = f"{OF_TENSOR:g}"
    yield worded("on random data of sizes {sizes}, to a relative error of {most}", sizes=sizes, most=most)
    if trial.expectations.intervals is not None:
        yield from trial.expectations.intervals.remarks
    for name in _unknown_numbers(trial):
        yield worded(_NOT_GIVEN, name=name)
    yield from _not_run(trial)
    if trial.wrong and trial.is_order_open:
        yield worded(_READ_IN_ORDER, names=", ".join(trial.labelled.taken_by_place))
    moved = [name for name in trial.outcomes[0].changed if name in trial.expectations.system.tensors]
    if moved:
        yield worded("changed in place by the call: {moved}", moved=", ".join(moved))


def _left_out(trial: Trial) -> Iterator[Finding]:
    """What was not compared: parameters, and branches of the model."""
    if trial.missing:
        missing = ", ".join(trial.missing)
        remedy = worded(
            "give it back by a name such as d{name}; where it is data, declare it const",
            name=trial.missing[0],
        )
        message = worded("not given back, and so not compared: {missing}", missing=missing)
        yield Finding(trial.missing[0], "not given back", message, remedy)
    if trial.expectations.unreached:
        branches = ", ".join(trial.expectations.unreached)
        message = worded("no data drawn reach {branches}: nothing was compared there", branches=branches)
        yield Finding("", "unreached", message)


def _not_run(trial: Trial) -> Iterator[str]:
    """The lines at the top of the file that only run it: loops that train, plots."""
    spans = [f"{first}-{last}" if first < last else str(first) for first, last in left_alone(trial.program)]
    if spans:
        yield worded(_NOT_RUN_LINES if len(spans) > 1 else _NOT_RUN, lines=", ".join(spans))


def _unknown_numbers(trial: Trial) -> list[str]:
    """The model's scalar constants that the code is not given, and that differ from draw to draw."""
    draws = trial.expectations.draws
    scalars = [each.name for each in trial.expectations.system.with_role(Role.CONSTANT) if not each.indices]
    differ = [name for name in scalars if len({float(draw.known[name]) for draw in draws}) > 1]
    return [name for name in differ if name not in trial.candidate.keys]


def _sizes(draw: Draw) -> str:
    return ",".join(f"{axis}={size}" for axis, size in draw.sizes.items()) or "none"


def _conventions(trial: Trial, factor: Factor | None) -> Iterator[str]:
    if trial.layout.name:
        yield f"layout: {trial.layout.name}"
    if trial.labelled.is_by_value:
        yield worded(_ANOTHER_ORDER, names=", ".join(trial.labelled.taken_by_place))
    if factor is not None:
        loss = trial.expectations.loss
        yield worded(_ONE_FACTOR, product=f"{factor}*{loss}")


def _common_factor(trial: Trial) -> Factor | None:
    """The factor that all gradients have in common, where it is a matter of convention; None where not.

    It is one where the code's own loss has it too, or, where the code has no loss, where it is made of the
    sizes of axes that no parameter has, the number of samples, or that the loss itself sums or takes the mean
    over. What is sent back leaves no such choice.
    """
    if not trial.wrong or any(key.startswith("adjoint of") for key in trial.candidate.keys):
        return None
    sizes = [draw.sizes for draw in trial.expectations.draws]
    found = {
        factor_between([each[name] for each in trial.found], [each[name] for each in trial.expected], sizes)
        for name in trial.labelled.paths
    }
    factor = found.pop() if len(found) == 1 else None
    if factor is None or factor.number < 0:
        return None
    losses = [np.asarray(draw.known[trial.expectations.loss]) for draw in trial.expectations.draws]
    path = trial.labelled.loss
    if path is not None:
        own = [np.asarray(outcome.results[path], dtype=np.float64) for outcome in trial.outcomes]
        return factor if factor_between(own, losses, sizes) == factor else None
    if _computes(trial, losses):
        return None
    system = trial.expectations.system
    of_parameters = {i.axis.name for each in system.with_role(Role.PARAMETER) for i in each.indices}
    data = {i.axis.name for each in system.with_role(Role.INPUT) for i in each.indices} - of_parameters
    free = data | _axes_of_the_loss(system)
    return factor if factor.number == 1 and {axis for axis, _ in factor.powers} <= free else None


def _axes_of_the_loss(system: System) -> set[str]:
    """The axes of a loss that is a sum or a mean, times factors."""
    whole = system.definitions[str(system.loss)].expression
    factors = [inner for outer in factors_of(whole) for inner in factors_of(outer)]  # a mean is 1/size*sum
    sums = [each for each in factors if isinstance(each, Reduction) and each.kind == "sum"]
    return {index.axis.name for each in sums for index in each.indices}


def _computes(trial: Trial, losses: Sequence[Array]) -> bool:
    """Whether the code computes the model's own loss on the way."""
    first = float(losses[0])
    events = trial.outcomes[0].events
    return any(
        each.value.ndim == 0 and abs(float(each.value) - first) <= 1e-9 * abs(first) for each in events
    )


def _of_raising(error: RaisingCode, runner: Runner) -> Finding | None:
    """The change of the line that raises after which every gradient is right; None where there is none."""
    code, line = Handwritten(runner.program), error.outcome.line
    sites = [site for site in sites_of(code, error.outcome.events, line) if not site.own.items]
    tried = [
        (site, proposal)
        for site in sites
        if not site.own.items
        for edit in (transpose, axis, another_array)
        for proposal in edit(site)
    ]
    for site, proposal in tried[:MOST_OF_RAISING]:
        _, statement = site.changed(proposal)
        changed = runner.with_program(runner.program.with_node(site.rewritten, statement))
        trials, _ = trials_in([Layout()], error.candidate, error.naming, changed, error.expectations)
        if trials and not trials[0].wrong:
            of = next(iter(trials[0].labelled.paths))
            adjoint = error.expectations.adjoints[of]
            expected = f"{text(adjoint.total)} = {text(adjoint.equation.expression)}"
            raised = f": {error.outcome.error[:120]}"
            message = worded("line {line}: {sentence}", line=line, sentence=(proposal.sentence, raised))
            remedy = worded("write {statement}", statement=statement)
            return Finding(of, proposal.kind, message, remedy, expected, line)
    return None
