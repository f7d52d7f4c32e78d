"""`symbackprop check`: a model's derived gradient, or a module's, against numerical differentiation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from symbackprop.cli.application import Task
from symbackprop.cli.console import WithRespectTo, names_in, say
from symbackprop.cli.faults import on_model
from symbackprop.emission.text import DEFAULT_WIDTH
from symbackprop.errors import VerificationError
from symbackprop.pipeline import load
from symbackprop.verification.check import check_module
from symbackprop.verification.report import CheckReport

DIFFERENCE_FOUND = 1


def command(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_MODULE",
            help="A .model or .toml file, - for standard input, or a generated .py module.",
        ),
    ],
    seed: Annotated[int, typer.Option("--seed", min=0, help="The random data's seed.")] = 0,
    wrt: WithRespectTo = None,
) -> Task:
    """Compare a gradient with central differences and, where it can, the complex step.

    For example:

      symbackprop check examples/seed.model
      symbackprop check generated/seed.py --seed 7
    """
    return partial(_check, subject, seed, names_in(wrt))


def _check(subject: str, seed: int, wrt: Sequence[str] | None) -> int:
    if subject.endswith(".py"):
        if wrt:
            raise VerificationError(
                "a module is checked for the gradients that it computes", remedy="leave --wrt out"
            )
        report = _checked_module(Path(subject), seed)
    else:
        report = on_model(load(subject), lambda model: model.check(seed, wrt))
    _print_table(report)
    sizes = ", ".join(f"{axis}={size}" for axis, size in report.sizes.items())
    say(f"{report.subject}: random data from seed {report.seed}" + (f", sizes {sizes}" if sizes else ""))
    say("the gradient agrees" if report.ok else "the gradient DIFFERS")
    return 0 if report.ok else DIFFERENCE_FOUND


def _checked_module(path: Path, seed: int) -> CheckReport:
    try:
        return check_module(path, seed)
    except SystemExit as error:
        raise VerificationError(f"{path} ends the program instead of computing") from error


def _print_table(report: CheckReport) -> None:
    table = Table(box=None, pad_edge=False)
    for heading, justify in (
        ("tensor", "left"),
        ("compared with", "left"),
        ("worst relative error", "right"),
    ):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("")
    for row in report.rows:
        note = row.note or (f"{row.skipped} elements at a kink left out" if row.skipped else "")
        verdict = "ok" if row.ok else "WRONG"
        table.add_row(row.tensor, row.method, f"{row.worst:.1e}", f"{verdict}  {note}".rstrip())
    width = None if sys.stdout.isatty() else DEFAULT_WIDTH
    Console(highlight=False, markup=False, width=width).print(table)
