"""The command line's entry point: run a command and turn whatever happens into an exit code and a message.

0 done; 1 a check found a difference; 2 the input is wrong; 3 a module that was to be written is not what its
equations say, or nothing could judge whether it is; 70 another bug in symbackprop; 130 interrupted; 141 the
reader of a pipe has gone.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer

from symbackprop.cli.application import USAGE, application
from symbackprop.cli.completion import words_of
from symbackprop.collecting import NODES_BETWEEN_PASSES
from symbackprop.errors import InternalError, MismatchError, SymbackpropError, UncertainError
from symbackprop.languages.language import Language, language_asked
from symbackprop.languages.other_programs import in_our_words
from symbackprop.languages.phrases import Words, marked, phrase, text_in
from symbackprop.languages.streams import carry_signs, language_on

WRONG_INPUT, UNCERTAIN, INTERNAL_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 3, 70, 130, 141
# Typer exports no base class of its usage errors; a bad parameter is one of them.
USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]


def main() -> None:
    """Run the command line and leave with its exit code."""
    # A derivation makes many nodes and few cycles, and the process ends before those could fill the memory.
    gc.set_threshold(NODES_BETWEEN_PASSES)
    carry_signs(sys.stdout)
    code = run(sys.argv[1:])
    gc.freeze()  # else Python's last passes look for cycles among all that the process gives back anyway
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command; results go to standard output, talk and errors to standard error."""
    try:
        return _run(arguments)
    except MismatchError as error:
        _say(phrase("internal error: {said}", said=str(error)), arguments)
        _say_notes(error, arguments)
        return UNCERTAIN
    except UncertainError as error:
        _say_error(error, arguments)
        return UNCERTAIN
    except InternalError as error:
        _report_bug(error, arguments)
        return INTERNAL_ERROR
    except SymbackpropError as error:
        _say_error(error, arguments)
        return WRONG_INPUT
    except BrokenPipeError:
        _abandon_stdout()
        return BROKEN_PIPE
    except OSError as error:
        said = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
        _say(phrase("error: {said}", said=said), arguments)
        _abandon_stdout()
        return WRONG_INPUT
    except KeyboardInterrupt:
        _say(phrase("interrupted"), arguments)
        return INTERRUPTED
    except Exception as error:
        _report_bug(error, arguments)
        return INTERNAL_ERROR


def _run(arguments: Sequence[str]) -> int:
    try:
        task = typer.main.get_command(application([*arguments, *words_of(os.environ)]))(
            list(arguments),
            prog_name="symbackprop",
            standalone_mode=False,
            obj=language_asked(arguments, os.environ),
        )
    except USAGE_ERROR as error:
        _say_usage(error, arguments)
        return WRONG_INPUT
    # Typer returns an exit code where --help or --version has said everything.
    code: int = task() if callable(task) else int(task or 0)
    if sys.stdout is not None:
        sys.stdout.flush()
    return code


def _say_usage(error: Any, arguments: Sequence[str]) -> None:
    """What Typer says of a wrong command line, in the user's language."""
    context, said = error.ctx, error.format_message()
    if context is not None and said == context.get_help():  # the help itself, where there are no arguments
        error.show()
        return
    if context is not None:
        _say((phrase(USAGE), context.get_usage().removeprefix(USAGE)), arguments)
        _say(phrase("Try '{command}' for help.", command=f"{context.command_path} --help"), arguments)
        _say(("",), arguments)
    _say(phrase("Error: {said}", said=in_our_words(said)), arguments)


def _report_bug(error: Exception, arguments: Sequence[str]) -> None:
    if "--debug" in arguments:
        traceback.print_exc()
        return
    first_line = str(error).splitlines()[0] if str(error) else ""
    _say(phrase("internal error: {said}", said=f"{type(error).__name__}: {first_line}"), arguments)
    template = marked("This is a bug in symbackprop; please report it with the command and its input.")
    if _say_notes(error, arguments):
        template = marked("This is a bug in symbackprop; please report it with the command and that part.")
    _say(phrase(template), arguments)
    _say(phrase("For the traceback: {command}", command="symbackprop --debug COMMAND ..."), arguments)


def _say_notes(error: Exception, arguments: Sequence[str]) -> list[str]:
    """Say which parts of the model an error was found to come from, and return them."""
    parts: list[str] = getattr(error, "__notes__", [])
    for part in parts:
        _say(phrase("The shortest part of the model that was found to fail alike:"), arguments)
        _say((part.rstrip(),), arguments)
    return parts


def _say_error(error: SymbackpropError, arguments: Sequence[str]) -> None:
    said = error.said(_language(arguments))
    _say(phrase("error: {said}", said=said), arguments)


def _say(words: Words, arguments: Sequence[str]) -> None:
    """Talk on standard error, in the language that the arguments or else the environment ask for."""
    if sys.stderr is not None:
        print(text_in(words, _language(arguments)), file=sys.stderr)


def _language(arguments: Sequence[str]) -> Language:
    """That of what is said on standard error."""
    return language_on(sys.stderr, language_asked(arguments, os.environ))


def _abandon_stdout() -> None:
    """Let the interpreter's last flush go nowhere, which would fail once more and say so."""
    try:
        descriptor = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)
