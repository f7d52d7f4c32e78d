"""`symbackprop explain`: the chain rule beside the code, what is kept, and what each way costs."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

import typer

from symbackprop.cli.application import Task
from symbackprop.cli.console import (
    Lang,
    PageFile,
    Sizes,
    WithRespectTo,
    language_for,
    names_in,
    sizes_in,
    text_width,
    write_page,
)
from symbackprop.cli.console import Model as ModelFile
from symbackprop.cli.faults import on_model
from symbackprop.pipeline import load
from symbackprop.reports.face import Report, explain


class Format(enum.Enum):
    """How the explanation is written."""

    TEXT = "text"
    HTML = "html"
    JSON = "json"


_WRITTEN: Mapping[Format, Callable[[Report, str], str]] = {
    Format.TEXT: lambda report, lang: report.text(text_width(), lang),
    Format.HTML: Report.html,
    Format.JSON: lambda report, _: report.json(),
}


def command(
    model: ModelFile,
    wrt: WithRespectTo = None,
    size: Sizes = None,
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
    output: PageFile = "-",
    lang: Lang = None,
) -> Task:
    """Explain a model's gradient: which line of code computes which factor, what is kept, what it costs.

    For example:

      symbackprop explain examples/seed.model
      symbackprop explain examples/digits.model --size B=256 --format html -o digits.html
    """
    return partial(_explain, model, names_in(wrt), size, format, output, language_for(lang))


def _explain(
    model: str,
    wrt: Sequence[str] | None,
    size: Sequence[str] | None,
    format: Format,
    output: str,
    lang: str,
) -> int:
    sizes = sizes_in(size)
    report = on_model(load(model), lambda loaded: explain(loaded, wrt, sizes), lang)
    return write_page(partial(_WRITTEN[format], report, lang), output, lang)
