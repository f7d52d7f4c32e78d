"""`symbackprop audit`: is this claimed formula right, and if not, what is wrong with it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from symbackprop.auditing.claims import audit_claims
from symbackprop.auditing.report import AuditReport
from symbackprop.cli.application import Task
from symbackprop.cli.console import Model as ModelFile
from symbackprop.cli.console import print_result
from symbackprop.errors import VerificationError
from symbackprop.pipeline import load


class Format(enum.Enum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"


def command(
    model: ModelFile,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="FORMULA", help='As "dE/dW[j,i] = ..."; may be given again.'),
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
) -> Task:
    """Say whether a claimed gradient is right and, if not, what is wrong; exit 0 right, 1 wrong, 3 unknown.

    For example:

      symbackprop audit examples/seed.model --claim "dE/dy[b,k] = y[b,k] - d[b,k]"
      symbackprop audit examples/seed.model --claim "dE/db2[k] = sum(b, delta2[b,k])" --format json
    """
    return partial(_audit, model, tuple(claim or ()), format)


def _audit(model: str, claims: Sequence[str], format: Format) -> int:
    if not claims:
        raise VerificationError("there is nothing to audit", remedy='give a formula: --claim "dE/dW = ..."')
    return print_report(audit_claims(load(model).system, claims), format)


def print_report(report: AuditReport, format: Format) -> int:
    """Write a report to standard output; its exit code."""
    print_result(report.json() if format is Format.JSON else report.text())
    return report.exit_code
