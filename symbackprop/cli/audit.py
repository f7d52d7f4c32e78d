"""`symbackprop audit`: is this hand-written gradient, or claimed formula, right, and if not, where not."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from symbackprop.auditing.audit import audit_file
from symbackprop.auditing.equality.claims import audit_claims
from symbackprop.auditing.report import AuditReport
from symbackprop.cli.application import Task
from symbackprop.cli.audit_page import audit_html
from symbackprop.cli.console import Lang, PageFile, language_for, say, write_report
from symbackprop.cli.console import Model as ModelFile
from symbackprop.errors import VerificationError
from symbackprop.handwritten.mapping import mapping_of
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import worded
from symbackprop.pipeline import load
from symbackprop.syntax.source import read_source


class Format(enum.Enum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


def command(
    model: ModelFile,
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE.py[:NAME]",
            help="A file with the gradient, and the function or class; it is run in a process of its own.",
        ),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="FORMULA", help='As "dE/dW[j,i] = ..."; may be given again.'),
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="THEIRS=OURS",
            help="A name of the code's and the model's, eps=1e-5, or a .toml file with a table [audit].",
        ),
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
    output: PageFile = "-",
    lang: Lang = None,
) -> Task:
    """Say whether a hand-written gradient is right and, if not, which line is wrong, and how.

    Exit code 0 right, 1 wrong or imprecise, 2 the input is wrong, 3 partly right (what could not be compared
    is named) or nothing certain can be said. For example:

      symbackprop audit examples/seed.model backward.py:gradients --map dw=W1
      symbackprop audit examples/seed.model --claim "dE/db2[k] = sum(b, delta2[b,k])"
    """
    written = Written(format, output, language_for(lang))
    return partial(_audit, _Asked(model, code, tuple(claim or ()), tuple(map or ()), written))


@dataclass(frozen=True)
class Written:
    """How a report is written, where to ("-" is standard output), and in which language."""

    format: Format
    output: str
    lang: str


@dataclass(frozen=True)
class _Asked:
    """What the command line says."""

    model: str
    code: str | None
    claims: Sequence[str]
    maps: Sequence[str]
    written: Written


def _audit(asked: _Asked) -> int:
    if (asked.code is None) != bool(asked.claims):
        raise VerificationError(
            (
                worded("there is nothing to audit")
                if asked.code is None
                else worded("a file and a claim are audited one at a time")
            ),
            remedy=worded('give a file, CODE.py, or a formula, --claim "dE/dW = ..."'),
        )
    system = load(asked.model).system
    if asked.code is None:
        return write_audit(audit_claims(system, asked.claims), asked.written)
    path, name = split_name(asked.code)
    if Path(path).exists():
        said = worded("running the definitions of {path} in a process of its own", path=path)
        say(said, asked.written.lang)
    report = audit_file(system, path, name, mapping_of(asked.maps, asked.model))
    return write_audit(report, asked.written, path)


def split_name(code: str) -> tuple[str, str]:
    """CODE.py:NAME as path and name."""
    path, colon, name = code.rpartition(":")
    return (path, name) if colon and path.endswith(".py") else (code, "")


def write_audit(report: AuditReport, written: Written, code: str = "") -> int:
    """Write a report, a page beside the file of the code; its exit code."""
    write_report(_text(report, written, code), written.output, written.lang)
    return report.exit_code


def _text(report: AuditReport, written: Written, code: str) -> str:
    match written.format:
        case Format.JSON:
            return report.json()
        case Format.HTML:
            text = read_source(code).text if code else ""
            return audit_html(report, Path(code).stem, text, Language(written.lang))
        case Format.TEXT:
            return report.text(written.lang)
