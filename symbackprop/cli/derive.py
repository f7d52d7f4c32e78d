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
from symbackprop.cli.console import Lang, WithRespectTo, names_in, print_result, say, spoken, text_width
from symbackprop.cli.console import Model as ModelFile
from symbackprop.cli.faults import on_model
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


# JSON has one language, whatever is spoken, and so do equations alone.
_WHOLE: Mapping[Format, Callable[[ModelDerivation, str], str]] = {
    Format.TEXT: lambda derivation, lang: derivation.text(text_width(), lang),
    Format.LATEX: lambda derivation, lang: derivation.latex(lang=lang),
    Format.MARKDOWN: ModelDerivation.markdown,
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
    verify: Annotated[
        bool, typer.Option("--verify", help="Do every step again first, and say how many of which kind.")
    ] = False,
    lang: Lang = None,
) -> Task:
    """Print the derivation of a model's gradient, step by step, with the rule used at each step.

    For example:

      symbackprop derive examples/seed.model --wrt W2
      symbackprop derive examples/seed.model --result --format latex
    """
    written = (_RESULT if result else _WHOLE)[format]
    in_language = partial(_in_language, written, spoken(lang))
    return partial(_print_derivation, model, names_in(wrt), in_language, verify)


def _in_language(
    written: Callable[[ModelDerivation, str], str], lang: str, derivation: ModelDerivation
) -> str:
    return written(derivation, lang)


def _print_derivation(
    model: str, wrt: Sequence[str] | None, written: Callable[[ModelDerivation], str], verify: bool
) -> int:
    def derived(loaded: Model) -> tuple[str, tuple[str, ...]]:
        derivation = loaded.derive(wrt)
        notes = tuple(f"note: {line}" for line in facts_left_alone(loaded.system))
        said = (_replayed(derivation.replay()),) if verify else ()
        return written(derivation), (*notes, *said)

    result, said = on_model(load(model), derived)
    for line in said:
        say(line)
    print_result(result)
    return 0


def _replayed(kinds: Mapping[str, int]) -> str:
    """replayed 14 steps: 10 rewrite, 4 definition."""
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return f"replayed {sum(kinds.values())} steps: {counts}"
