"""The commands as Typer sees them: parsing, help, and one module a command, imported when it is asked for."""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup

from symbackprop.languages.columns import wrapped
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import marked, translated
from symbackprop.version import __version__

USAGE = marked("Usage: ")
# What a command function returns: the work itself, which `cli.main` runs outside Typer for its exit code.
Task: TypeAlias = Callable[[], int]

# Importing a command costs what it needs (SymPy, Jinja, rich), so that only the one asked for is imported.
COMMANDS = {
    "derive": "symbackprop.cli.derive",
    "generate": "symbackprop.cli.generate",
    "latex": "symbackprop.cli.latex",
    "check": "symbackprop.cli.check",
    "audit": "symbackprop.cli.audit",
    "same": "symbackprop.cli.same",
    "explain": "symbackprop.cli.explain",
    "gallery": "symbackprop.cli.gallery",
    "plot": "symbackprop.cli.plot",
    "schema": "symbackprop.cli.schema",
    "catalogue": "symbackprop.cli.catalogue",
    "rules": "symbackprop.cli.rules",
}


# Typer's own texts, which its help shows beside ours.
_OF_TYPER = (
    marked("Show this message and exit."),
    marked("Install completion for the current shell."),
    marked("Show completion for the current shell, to copy it or customize the installation."),
)
_EXTRAS = {"default: ": marked("default: "), "required": marked("required")}
_WIDEST_FIRST_COLUMN = 30
_INDENT = "  "
NARROWEST = 40  # columns that help keeps within where no word is longer


class CommandHelp(TyperCommand):
    """A command whose help opens with what it does and how it is used; usage and options follow.

    It is in the language that the context's object names.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Sentence and examples, usage, options."""
        formatter.write("\n".join(_help(self, ctx, _width(formatter))) + "\n")


class GroupHelp(TyperGroup):
    """The same order for the list of commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Sentence and examples, usage, options, commands."""
        language = _language_of(ctx)
        rows = [
            (name, _first_sentence(command.help or "", language))
            for name, command in ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
            if command is not None
        ]
        width = _width(formatter)
        lines = [
            *_help(self, ctx, width),
            *_section(translated(marked("Commands"), language), rows, width),
        ]
        formatter.write("\n".join(lines) + "\n")


def _width(formatter: Any) -> int:
    """The formatter's own is 50 columns at least; a narrow terminal has fewer."""
    width: int = formatter.width
    return min(width, max(shutil.get_terminal_size().columns, NARROWEST) - 2)


def _language_of(ctx: Any) -> Language:
    return ctx.obj if isinstance(ctx.obj, Language) else Language.ENGLISH


def _help(command: TyperCommand | TyperGroup, ctx: Any, width: int) -> list[str]:
    language = _language_of(ctx)
    lines: list[str] = []
    for paragraph in (command.help or "").split("\n\n"):
        is_example = paragraph.startswith(" ")
        said = translated(" ".join(paragraph.split()), language)
        lines += [*(paragraph.rstrip().splitlines() if is_example else wrapped(said, width)), ""]
    usage = translated(USAGE, language) + ctx.command_path
    lines += wrapped(" ".join((usage, *command.collect_usage_pieces(ctx))), width, hang=_INDENT)
    titles = {"argument": marked("Arguments"), "option": marked("Options")}
    for kind, title in titles.items():
        records = [
            (param.get_help_record(ctx), getattr(param, "help", None) or "")
            for param in command.get_params(ctx)
            if param.param_type_name == kind
        ]
        rows = [_row(record, text, language) for record, text in records if record is not None]
        lines += _section(translated(title, language), rows, width)
    return lines


def _row(record: tuple[str, str], text: str, language: Language) -> tuple[str, str]:
    """The help of a parameter in a language, its default and what else Typer says of it behind."""
    name, whole = record
    extra = whole.removeprefix(text)
    for own, template in _EXTRAS.items():
        extra = extra.replace(own, translated(template, language))
    return name, translated(text, language) + extra


def _section(title: str, rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    if not rows:
        return []
    widest = min(_WIDEST_FIRST_COLUMN, width // 2 - 2)
    column = min(max(len(name) for name, _ in rows), widest) + 2
    lines = ["", f"{title}:"]
    for name, text in rows:
        beside = wrapped(text, max(width - column - 2, 10))
        if len(name) > column - 2:
            lines.append(_INDENT + name)
            name = ""
        lines += [
            _INDENT + (name if place == 0 else "").ljust(column) + line for place, line in enumerate(beside)
        ]
    return lines


def _first_sentence(text: str, language: Language) -> str:
    """What a command does: the first sentence of its help, without its last stop."""
    sentence = translated(" ".join(text.split("\n\n")[0].split()), language)
    return re.split(r"(?<=[.;])\s|\u3002", sentence)[0].rstrip(".;")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"symbackprop {__version__}")
        raise typer.Exit


def common_options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")] = False,
) -> None:
    """Derive a network's gradient step by step, and write it as NumPy code and LaTeX.

    For example:

      symbackprop derive examples/seed.model --wrt W2
      symbackprop generate examples/seed.model -o seed.py
    """


def application(arguments: Sequence[str]) -> typer.Typer:
    """The application with the command that the arguments name, or with all of them."""
    named = next((argument for argument in arguments if not argument.startswith("-")), None)
    app = typer.Typer(name="symbackprop", cls=GroupHelp, rich_markup_mode=None, no_args_is_help=True)
    app.callback()(common_options)
    for name in COMMANDS:
        if named == name or (named not in COMMANDS and "--version" not in arguments):
            app.command(name, cls=CommandHelp)(importlib.import_module(COMMANDS[name]).command)
    return app
