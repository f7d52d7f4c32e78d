"""The audit in Python: `symbackprop.audit(model, function)`, and a helper for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from symbackprop.auditing.audit import audit_callable, audit_file
from symbackprop.auditing.equality.claims import audit_claims
from symbackprop.auditing.report import AuditReport, Verdict
from symbackprop.pipeline import Model


def audit(
    model: Model,
    gradient: Callable[..., Any] | str | Path | None = None,
    given: Mapping[str, str] | None = None,
    *,
    claims: Sequence[str] = (),
    name: str = "",
) -> AuditReport:
    """Whether a hand-written gradient is right and, if not, which line is wrong, and how.

    `gradient` is a function or class of this process, which is called here, or a file, whose definitions run
    in a process of its own; `name` says which of the file's. `given` says whose name is whose, theirs to
    ours, or gives a number for a constant. Formulas are audited by `claims` instead, as "dE/dW[j,i] = ...".
    Raises LanguageError or VerificationError where it cannot be read or called, UncertainError where nothing
    certain can be said.
    """
    if gradient is None:
        return audit_claims(model.system, claims)
    if isinstance(gradient, str | Path):
        return audit_file(model.system, gradient, name, given)
    return audit_callable(model.system, gradient, given)


def assert_gradient(
    model: Model, gradient: Callable[..., Any], given: Mapping[str, str] | None = None
) -> None:
    """For tests: AssertionError with the audit's report where a hand-written gradient is not right."""
    report = audit(model, gradient, given)
    if report.verdict is not Verdict.RIGHT:
        raise AssertionError(report.text())
