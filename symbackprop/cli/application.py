"""The commands as Typer sees them: parsing, help, and one module a command, imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup

from symbackprop.version import __version__

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


class CommandHelp(TyperCommand):
    """A command whose help opens with what it does and how it is used; usage and options follow."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Sentence and examples, usage, options."""
        _sentence_first(self, ctx, formatter)


class GroupHelp(TyperGroup):
    """The same order for the list of commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Sentence and examples, usage, options, commands."""
        _sentence_first(self, ctx, formatter)


def _sentence_first(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    for paragraph in (command.help or "").split("\n\n"):
        if paragraph.startswith(" "):
            formatter.write(paragraph + "\n")
        else:
            formatter.write_text(paragraph)
        formatter.write_paragraph()
    command.format_usage(ctx, formatter)
    command.format_options(ctx, formatter)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"symbackprop {__version__}")
        raise typer.Exit


def _common_options(
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
    app.callback()(_common_options)
    for name in COMMANDS:
        if named == name or (named not in COMMANDS and "--version" not in arguments):
            app.command(name, cls=CommandHelp)(importlib.import_module(COMMANDS[name]).command)
    return app
