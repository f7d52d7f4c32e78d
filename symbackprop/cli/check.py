"""`symbackprop check`: a model's derived gradient, or a module's, against numerical differentiation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from symbackprop.accuracy.measuring import digits_of_module
from symbackprop.accuracy.report import DigitsReport
from symbackprop.cli.application import Task
from symbackprop.cli.console import (
    Lang,
    Sizes,
    WithRespectTo,
    language_for,
    names_in,
    print_table,
    say,
    sizes_in,
)
from symbackprop.cli.digits import DIGITS_HELP, print_digits
from symbackprop.cli.faults import on_model
from symbackprop.errors import VerificationError
from symbackprop.languages.phrases import Words, marked, phrase, worded
from symbackprop.pipeline import Model, load
from symbackprop.verification.check import check_module
from symbackprop.verification.report import CheckReport

Report = TypeVar("Report", CheckReport, DigitsReport)

_BLIND = marked("the check is BLIND: a gradient made wrong on purpose passed ({fault})")
_WITHIN = marked(
    "compared within {budget} s of processor time: a longer --budget samples less, --every moves every "
    "element"
)
DIFFERENCE_FOUND, NOTHING_CERTAIN = 1, 3
BUDGET, DIGITS_BUDGET = "5s", "10s"
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
    size: Sizes = None,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="10s",
            help="About how much processor time to compare in, what is not affordable being sampled: 10s, "
            "500ms or 2m; default: 5s, with --digits 10s.",
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Move every element, up to 100,000, however long that takes.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL", help="The model that a .py module was generated from."),
    ] = None,
    digits: Annotated[
        bool,
        typer.Option("--digits", help=DIGITS_HELP),
    ] = False,
    lang: Lang = None,
) -> Task:
    """Compare a gradient with central differences and, where it can, the complex step.

    For example:

      symbackprop check examples/seed.model
      symbackprop check generated/seed.py --seed 7 --model examples/seed.model
    """
    seconds = inf if every else seconds_in(budget or (DIGITS_BUDGET if digits else BUDGET))
    asked = _Asked(
        subject, seed, tuple(names_in(wrt) or ()), seconds, model, tuple(size or ()), language_for(lang)
    )
    return partial(_digits if digits else _check, asked)


@dataclass(frozen=True)
class _Asked:
    """What the command line says: a model or a module, and how it is to be checked."""

    subject: str
    seed: int
    wrt: tuple[str, ...]
    seconds: float
    model: str | None
    size: tuple[str, ...] = ()
    lang: str = "en"

    def loaded(self, path: str) -> Model:
        """A model, with the sizes that were given."""
        return load(path, sizes_in(self.size))

    @property
    def is_module(self) -> bool:
        """Whether a module is checked; VerificationError where options do not go together."""
        is_module = self.subject.endswith(".py")
        if is_module and self.wrt:
            raise VerificationError(
                worded("a module is checked for the gradients that it computes"),
                remedy=worded("leave --wrt out"),
            )
        if is_module and self.size and self.model is None:
            raise VerificationError(
                worded("--size goes with a model"), remedy=worded("name the module's: --model MODEL")
            )
        if not is_module and self.model is not None:
            raise VerificationError(
                worded("--model goes with a .py module"),
                remedy=worded("leave it out: check {subject} alone", subject=self.subject),
            )
        return is_module


def _check(asked: _Asked) -> int:
    report = _check_report(asked)
    print_table(report.table.headings, report.table.rows, asked.lang)
    for line in _what_was_done(report, asked.seconds):
        say(line, asked.lang)
    if report.is_blind:
        return NOTHING_CERTAIN
    return 0 if report.ok else DIFFERENCE_FOUND


def _check_report(asked: _Asked) -> CheckReport:
    if asked.is_module:
        system = asked.loaded(asked.model).system if asked.model is not None else None
        return _of_file(asked, lambda path: check_module(path, asked.seed, asked.seconds, system))
    return on_model(
        asked.loaded(asked.subject),
        lambda model: model.check(asked.seed, asked.wrt, asked.seconds),
        asked.lang,
    )


def _digits(asked: _Asked) -> int:
    if not asked.is_module:
        model = asked.loaded(asked.subject)
        measured = on_model(model, lambda each: each.digits(asked.seed, asked.wrt, asked.seconds), asked.lang)
        return print_digits(measured, asked.lang)
    if asked.model is None:
        raise VerificationError(
            worded("a module alone does not say what was typed"),
            remedy=worded("name its model: --model FILE.model"),
        )
    system = asked.loaded(asked.model).system
    report = _of_file(asked, lambda path: digits_of_module(path, system, asked.seed, asked.seconds))
    return print_digits(report, asked.lang)


def _of_file(asked: _Asked, report_of: Callable[[Path], Report]) -> Report:
    """What a file's report says; VerificationError where importing it ends the program."""
    path = Path(asked.subject)
    try:
        return report_of(path)
    except SystemExit as error:
        raise VerificationError(worded("{path} ends the program instead of computing", path=path)) from error


def seconds_in(text: str) -> float:
    """`10s`, `500ms`, `2m` or a bare number as seconds; VerificationError for anything else."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise VerificationError(
            worded("'{text}' is no time for --budget", text=text[:40]),
            remedy=worded("write 10s, 500ms or 2m"),
        )
    return float(found["number"]) * SECONDS[found["unit"]]


def _what_was_done(report: CheckReport, budget: float) -> Iterator[Words]:
    yield phrase("{subject}: random data from seed {seed}", subject=report.subject, seed=report.seed)
    for each in report.rounds:
        sizes = ", ".join(f"{axis}={size}" for axis, size in each.sizes.items())
        yield ("  ", each.name, f": {sizes}" if sizes else "")
    for remark in report.remarks:
        yield ("  ", remark)
    if budget < inf:
        yield ("  ", *phrase(_WITHIN, budget=f"{budget:g}"))
    if report.is_blind:
        yield phrase(_BLIND, fault=report.control.unnoticed[0])
    else:
        yield phrase("the gradient agrees") if report.ok else phrase("the gradient DIFFERS")
