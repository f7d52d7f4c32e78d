"""`symbackprop check`: a model's derived gradient, or a module's, against numerical differentiation."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import partial
from math import inf
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from symbackprop.cli.application import Task
from symbackprop.cli.console import WithRespectTo, names_in, say
from symbackprop.cli.faults import on_model
from symbackprop.errors import VerificationError
from symbackprop.lesson.text import DEFAULT_WIDTH
from symbackprop.pipeline import load
from symbackprop.verification.check import check_module
from symbackprop.verification.report import CheckReport

DIFFERENCE_FOUND, NOTHING_CERTAIN = 1, 3
SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "": 1.0}
_DURATION = re.compile(r"(?P<number>[0-9]{1,6}(\.[0-9]{1,6})?)\s*(?P<unit>ms|s|m|)")


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
    budget: Annotated[
        str, typer.Option("--budget", metavar="10s", help="About how long to compare: 10s, 500ms or 2m.")
    ] = "10s",
    every: Annotated[
        bool, typer.Option("--every", help="Move every element, up to 100,000, however long that takes.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL", help="The model that a .py module was generated from."),
    ] = None,
) -> Task:
    """Compare a gradient with central differences and, where it can, the complex step.

    For example:

      symbackprop check examples/seed.model
      symbackprop check generated/seed.py --seed 7 --model examples/seed.model
    """
    return partial(_check, subject, seed, names_in(wrt), inf if every else seconds_in(budget), model)


def _check(subject: str, seed: int, wrt: Sequence[str] | None, seconds: float, model: str | None) -> int:
    if subject.endswith(".py"):
        if wrt:
            raise VerificationError(
                "a module is checked for the gradients that it computes", remedy="leave --wrt out"
            )
        report = _checked_module(Path(subject), seed, seconds, model)
    elif model is not None:
        raise VerificationError(
            "--model goes with a .py module", remedy=f"leave it out: check {subject} alone"
        )
    else:
        report = on_model(load(subject), lambda model: model.check(seed, wrt, seconds))
    _print_table(report)
    _say_what_was_done(report)
    if report.is_blind:
        return NOTHING_CERTAIN
    return 0 if report.ok else DIFFERENCE_FOUND


def seconds_in(text: str) -> float:
    """`10s`, `500ms`, `2m` or a bare number as seconds; VerificationError for anything else."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise VerificationError(f"'{text[:40]}' is no time for --budget", remedy="write 10s, 500ms or 2m")
    return float(found["number"]) * SECONDS[found["unit"]]


def _say_what_was_done(report: CheckReport) -> None:
    say(f"{report.subject}: random data from seed {report.seed}")
    for each in report.rounds:
        sizes = ", ".join(f"{axis}={size}" for axis, size in each.sizes.items())
        say(f"  {each.name}" + (f": {sizes}" if sizes else ""))
    for remark in report.remarks:
        say(f"  {remark}")
    if report.is_blind:
        say(f"the check is BLIND: a gradient made wrong on purpose passed ({report.control.unnoticed[0]})")
    else:
        say("the gradient agrees" if report.ok else "the gradient DIFFERS")


def _checked_module(path: Path, seed: int, seconds: float, model: str | None) -> CheckReport:
    system = load(model).system if model is not None else None
    try:
        return check_module(path, seed, seconds, system)
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
        note = row.note or (f"{row.skipped} elements at a kink untold" if row.skipped else "")
        verdict = "ok" if row.ok else "WRONG"
        table.add_row(row.tensor, row.method, f"{row.worst:.1e}", f"{verdict}  {note}".rstrip())
    width = None if sys.stdout.isatty() else DEFAULT_WIDTH
    Console(highlight=False, markup=False, width=width).print(table)
