"""`symbackprop derive`: the derivation, or its result alone, in one of five formats."""

from __future__ import annotations

import enum
import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

import typer

from symbackprop.algebra.phases import facts_left_alone
from symbackprop.cli.application import Task
from symbackprop.cli.console import (
    STEPS_HELP,
    Lang,
    PageFile,
    WithRespectTo,
    language_for,
    names_in,
    say,
    text_width,
    write_page,
)
from symbackprop.cli.console import Model as ModelFile
from symbackprop.cli.faults import on_model
from symbackprop.errors import NotationError
from symbackprop.languages.phrases import Message, worded
from symbackprop.lesson.detail import Steps
from symbackprop.pipeline import Model, ModelDerivation, load

# The page shows the module, which is verified first with NumPy: no other format shall wait for that.
_PAGES = "symbackprop.reports.face"


class Format(enum.Enum):
    """How the derivation is written."""

    TEXT = "text"
    LATEX = "latex"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def _html(derivation: ModelDerivation, result: bool, lang: str) -> str:
    page: str = importlib.import_module(_PAGES).derivation_html(derivation, result, lang)
    return page


# Of the steps that are shown and the language. JSON has one language, and so have equations alone.
_WITH_STEPS: Mapping[Format, Callable[[ModelDerivation, str, str], str]] = {
    Format.TEXT: lambda derivation, steps, lang: derivation.text(text_width(), steps, lang),
    Format.LATEX: lambda derivation, steps, lang: derivation.latex(steps=steps, lang=lang),
    Format.MARKDOWN: ModelDerivation.markdown,
}
_WHOLE: Mapping[Format, Callable[[ModelDerivation, str], str]] = {
    Format.HTML: lambda derivation, lang: _html(derivation, False, lang),
    Format.JSON: lambda derivation, _: derivation.json(),
}
_RESULT: Mapping[Format, Callable[[ModelDerivation, str], str]] = {
    Format.TEXT: lambda derivation, _: derivation.result_text(),
    Format.LATEX: lambda derivation, _: derivation.result_latex(),
    Format.MARKDOWN: lambda derivation, _: derivation.result_markdown(),
    Format.HTML: lambda derivation, lang: _html(derivation, True, lang),
    Format.JSON: lambda derivation, _: derivation.result_json(),
}


def command(
    model: ModelFile,
    wrt: WithRespectTo = None,
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
    result: Annotated[bool, typer.Option("--result", help="Print the gradient's equations alone.")] = False,
    steps: Annotated[Steps, typer.Option("--steps", help=STEPS_HELP)] = Steps.ALL,
    verify: Annotated[
        bool, typer.Option("--verify", help="Do every step again first, and say how many of which kind.")
    ] = False,
    output: PageFile = "-",
    lang: Lang = None,
) -> Task:
    """Print the derivation of a model's gradient, step by step, with the rule used at each step.

    For example:

      symbackprop derive examples/seed.model --wrt W2
      symbackprop derive examples/seed.model --format html -o seed.html
    """
    written = _RESULT[format] if result else _written(format, steps)
    spoken = language_for(lang)
    return partial(
        _write_derivation,
        model,
        names_in(wrt),
        lambda derivation: written(derivation, spoken),
        verify,
        output,
        spoken,
    )


def _written(format: Format, steps: Steps) -> Callable[[ModelDerivation, str], str]:
    """NotationError where the format has all steps or none: a page folds them, JSON is for programs."""
    if format in _WITH_STEPS:
        return lambda derivation, lang: _WITH_STEPS[format](derivation, steps.value, lang)
    if steps is not Steps.ALL:
        raise NotationError(
            worded("--steps does not go with --format {format}", format=format.value),
            remedy=worded("take text, latex or markdown"),
        )
    return _WHOLE[format]


def _write_derivation(
    model: str,
    wrt: Sequence[str] | None,
    written: Callable[[ModelDerivation], str],
    verify: bool,
    output: str,
    lang: str,
) -> int:
    def derived(loaded: Model) -> tuple[str, tuple[Message, ...]]:
        derivation = loaded.derive(wrt)
        notes = tuple([worded("note: {said}", said=line) for line in facts_left_alone(loaded.system)])
        said = (_replayed(derivation.replay()),) if verify else ()
        return written(derivation), (*notes, *said)

    result, said = on_model(load(model), derived, lang)
    for line in said:
        say(line, lang)
    return write_page(lambda: result, output, lang)


def _replayed(kinds: Mapping[str, int]) -> Message:
    """replayed 14 steps: 10 rewrite, 4 definition."""
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return worded("replayed {number} steps: {counts}", number=sum(kinds.values()), counts=counts)
