"""What the commands share: how they say things, and the arguments that they have in common."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Annotated, TextIO, TypeAlias

import typer
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from symbackprop.cli.completion import sizes_of_axes, tensor_names
from symbackprop.emission.files import write_atomically
from symbackprop.errors import EmissionError, NotationError
from symbackprop.languages.columns import DEFAULT_WIDTH
from symbackprop.languages.language import Language, language_of
from symbackprop.languages.phrases import Message, Words, marked, text_in, translated, worded
from symbackprop.languages.streams import language_on

Model: TypeAlias = Annotated[
    str, typer.Argument(metavar="MODEL", help="A .model or .toml file; - is standard input.")
]
WithRespectTo: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--wrt",
        metavar="W2,...",
        help="The tensors to differentiate by; default: every parameter.",
        autocompletion=tensor_names,
    ),
]
Sizes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--size",
        metavar="AXIS=N",
        help="The size of an axis that the model leaves open.",
        autocompletion=sizes_of_axes,
    ),
]
STEPS_HELP = marked(
    "Every step, each adjoint's chain rule and closed form, or the model and its result alone."
)
# What somebody wrote, and no page is called.
_SOURCES = frozenset({".model", ".layer", ".toml", ".py", ".ipynb"})


def _not_a_source(ctx: typer.Context, output: str) -> str:
    """The file to write; EmissionError, before any work, where that is a model or code."""
    path = Path(output)
    if not ctx.resilient_parsing and path.suffix in _SOURCES and path.is_file() and path.stat().st_size:
        raise EmissionError(
            worded("{path} holds a model or code, which a page would replace", path=output),
            remedy=worded("name another file"),
        )
    return output


PageFile: TypeAlias = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Where to write; - is standard output.",
        callback=_not_a_source,
    ),
]

# What a verdict says where something is wrong, as a whole word: `WRONG  1 of 12 elements`, `seed: WRONG`.
ALARM = r"(?<![\w-])(WRONG|WORSE|NO DIGITS|NEITHER FINITE|BLIND|DIFFERS|LOST)(?!\w)"
Lang: TypeAlias = Annotated[
    Language | None,
    typer.Option("--lang", help="English or Japanese; default: what LC_ALL, LC_MESSAGES or LANG say."),
]


def language_for(lang: Language | None) -> str:
    """The language that was asked for, or else that of the environment."""
    return (lang or language_of(os.environ)).value


def sizes_in(texts: Sequence[str] | None) -> dict[str, int]:
    """Axis to size, of `ITERATIONS=10`; NotationError for anything else."""
    found: dict[str, int] = {}
    for text in texts or ():
        name, _, size = text.partition("=")
        if not (name.strip() and size.strip().isdecimal()):
            raise NotationError(
                worded("'{text}' is no size of an axis", text=text[:40]),
                remedy=worded("write --size ITERATIONS=10"),
            )
        found[name.strip()] = int(size)
    return found


def print_result(text: str) -> None:
    """Write a result to standard output; EmissionError where it is closed."""
    if sys.stdout is None:
        raise EmissionError(
            worded("standard output is closed"), remedy=worded("write to a file, with -o or >")
        )
    sys.stdout.write(text)


def say(message: Words | Message, lang: str | None = None) -> None:
    """Talk to the user, on standard error; verdicts that something is wrong in colour on a terminal.

    Without `lang`, it is in the language of the environment.
    """
    if sys.stderr is not None:
        language = language_on(sys.stderr, Language(lang) if lang else language_of(os.environ))
        _write(f"{text_in(message, language)}\n", sys.stderr)


def print_verdicts(text: str) -> None:
    """Write a report to standard output, verdicts that something is wrong in colour on a terminal."""
    if sys.stdout is not None and sys.stdout.isatty():
        _write(text, sys.stdout)
    else:
        print_result(text)


def _write(text: str, stream: TextIO) -> None:
    """Write to a terminal with colour, unless NO_COLOR is set or it has none; as it is to anything else."""
    if stream.isatty():
        Console(file=stream, highlight=False).print(with_alarms(text), end="", soft_wrap=True)
    else:
        stream.write(text)


def with_alarms(text: str) -> Text:
    """The text, its verdicts that something is wrong in bold red."""
    shown = Text(text)
    shown.highlight_regex(ALARM, "bold red")
    return shown


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], lang: str) -> None:
    """Write a table to standard output; only the last column wraps, ">" sets a column to the right."""
    language = Language(lang)
    headings = [translated(each.removesuffix(">"), language) + ">" * each.endswith(">") for each in headings]
    rows = [[text_in(cell, language) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False)
    for heading in headings[:-1]:
        justify: JustifyMethod = "right" if heading.endswith(">") else "left"
        table.add_column(heading.rstrip(">"), justify=justify, no_wrap=True)
    table.add_column(headings[-1])
    for row in rows:
        table.add_row(*row[:-1], with_alarms(row[-1]))
    if sys.stdout is not None and sys.stdout.isatty():
        Console(file=sys.stdout, highlight=False, markup=False).print(table)
        return
    shown = StringIO()
    Console(file=shown, highlight=False, markup=False, width=DEFAULT_WIDTH).print(table)
    # Every line has as many columns as the widest: for a file, without the spaces at its end.
    print_result("".join(f"{line.rstrip()}\n" for line in shown.getvalue().splitlines()))


def write_page(page: Callable[[], str], output: str, lang: str | None = None) -> int:
    """Write a page to a file, or to standard output where that is "-"; the exit code."""
    if output == "-":
        print_result(page())
    else:
        write_atomically(Path(output), page())
        say(worded("wrote {path}", path=output), lang)
    return 0


def write_report(text: str, output: str, lang: str | None = None) -> None:
    """Write a report to a file, or to standard output, verdicts in colour there on a terminal."""
    if output == "-":
        print_verdicts(text)
    else:
        write_page(lambda: text, output, lang)


def names_in(options: Sequence[str] | None) -> list[str] | None:
    """`--wrt W1,W2 --wrt b2` as three names; None where nothing was asked for."""
    names = [name.strip() for option in options or () for name in option.split(",")]
    return [name for name in names if name] or None


def text_width() -> int:
    """The terminal's width, but no wider than a page; a page where there is no terminal."""
    return min(DEFAULT_WIDTH, shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns)
