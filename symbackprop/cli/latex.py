"""`symbackprop latex`: the derivation as a LaTeX document or fragment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import typer

from symbackprop.cli.application import Task
from symbackprop.cli.console import (
    STEPS_HELP,
    Lang,
    Model,
    PageFile,
    WithRespectTo,
    language_for,
    names_in,
    write_page,
)
from symbackprop.cli.faults import on_model
from symbackprop.lesson.detail import Steps
from symbackprop.pipeline import Model as LoadedModel
from symbackprop.pipeline import load


def command(
    model: Model,
    output: PageFile = "-",
    standalone: Annotated[
        bool,
        typer.Option(
            "--standalone/--fragment",
            help="A document that compiles as it is, or its body alone (which needs amsmath, amssymb, "
            "array and longtable).",
        ),
    ] = True,
    steps: Annotated[Steps, typer.Option("--steps", help=STEPS_HELP)] = Steps.ALL,
    symbol: Annotated[
        list[str] | None,
        typer.Option("--symbol", metavar="NAME=LATEX", help="How a tensor is written; may be repeated."),
    ] = None,
    wrt: WithRespectTo = None,
    lang: Lang = None,
) -> Task:
    """Write the derivation of a model's gradient as LaTeX that compiles as it is.

    For example:

      symbackprop latex examples/seed.model -o seed.tex
      symbackprop latex examples/seed.model --wrt W2 --steps main | pdflatex -jobname seed
    """

    def written(loaded: LoadedModel) -> str:
        derivation = loaded.derive(names_in(wrt))
        return derivation.latex(standalone, steps.value, _symbols_in(symbol), language_for(lang))

    return partial(_write_latex, model, output, written, language_for(lang))


def _symbols_in(texts: Sequence[str] | None) -> dict[str, str]:
    r"""Tensor to its LaTeX, of `W1=\mathbf{W}`."""
    return {name.strip(): latex.strip() for name, _, latex in (text.partition("=") for text in texts or ())}


def _write_latex(model: str, output: str, written: Callable[[LoadedModel], str], lang: str) -> int:
    text = on_model(load(model), written, lang)
    return write_page(lambda: text, output, lang)
