"""`symbackprop derive`: the derivation, or its result alone, in one of four formats."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

import typer

from symbackprop.cli.application import Task
from symbackprop.cli.console import Model, WithRespectTo, names_in, print_result, text_width
from symbackprop.cli.faults import on_model
from symbackprop.pipeline import ModelDerivation, load


class Format(enum.Enum):
    """How the derivation is written."""

    TEXT = "text"
    LATEX = "latex"
    MARKDOWN = "markdown"
    JSON = "json"


_WHOLE: Mapping[Format, Callable[[ModelDerivation], str]] = {
    Format.TEXT: lambda derivation: derivation.text(text_width()),
    Format.LATEX: ModelDerivation.latex,
    Format.MARKDOWN: ModelDerivation.markdown,
    Format.JSON: ModelDerivation.json,
}
_RESULT: Mapping[Format, Callable[[ModelDerivation], str]] = {
    Format.TEXT: ModelDerivation.result_text,
    Format.LATEX: ModelDerivation.result_latex,
    Format.MARKDOWN: ModelDerivation.result_markdown,
    Format.JSON: ModelDerivation.result_json,
}


def command(
    model: Model,
    wrt: WithRespectTo = None,
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
    result: Annotated[bool, typer.Option("--result", help="Print the gradient's equations alone.")] = False,
) -> Task:
    """Print the derivation of a model's gradient, step by step, with the rule used at each step.

    For example:

      symbackprop derive examples/seed.model --wrt W2
      symbackprop derive examples/seed.model --result --format latex
    """
    return partial(_print_derivation, model, names_in(wrt), (_RESULT if result else _WHOLE)[format])


def _print_derivation(
    model: str, wrt: Sequence[str] | None, written: Callable[[ModelDerivation], str]
) -> int:
    print_result(on_model(load(model), lambda loaded: written(loaded.derive(wrt))))
    return 0
