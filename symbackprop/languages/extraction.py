"""The messages that a program marks: what a catalogue has to translate, read from the source.

A message is the first argument of a call of one of the marking functions, a string that stands there itself;
the `help` of an option or argument of a command; and each paragraph of a command's docstring, its help.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

# `Reason` names a rule of a lesson; its name is put into a language with the page.
PARAMETERS = frozenset({"Option", "Argument"})
COMMANDS = frozenset({"command", "common_options"})
MARKING = frozenset({"phrase", "marked", "worded", "Reason"})


def messages_in(source: str) -> Iterator[str]:
    """Each message that a module marks, in order."""
    for node in sorted(_nodes(source), key=lambda each: (each.lineno, each.col_offset)):
        if isinstance(node, ast.FunctionDef):
            paragraphs = (ast.get_docstring(node) or "").split("\n\n")
            yield from (" ".join(each.split()) for each in paragraphs if not each.startswith(" "))
            continue
        found = node.args[:1] if _name(node.func) in MARKING else []
        for text in (*found, *(word.value for word in node.keywords if word.arg == "help")):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value


def messages_below(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """The messages of all modules below a folder, and the modules that mark each: lesson/text.py."""
    found: dict[str, dict[str, None]] = {}
    for path in sorted(folder.rglob("*.py")):
        for message in messages_in(path.read_text(encoding="utf-8")):
            found.setdefault(message, {})[path.relative_to(folder).as_posix()] = None
    return {message: tuple(places) for message, places in found.items()}


def _nodes(source: str) -> Iterator[ast.Call | ast.FunctionDef]:
    """The calls of marking functions, those with a help, and commands; most modules have none."""
    if not any(f"{name}(" in source for name in (*MARKING, *PARAMETERS, *COMMANDS)):
        return
    for node in ast.walk(ast.parse(source)):
        is_call = isinstance(node, ast.Call) and _name(node.func) in MARKING | PARAMETERS
        if is_call or (isinstance(node, ast.FunctionDef) and node.name in COMMANDS):
            yield node  # type: ignore[misc]


def _name(function: ast.expr) -> str:
    """The name of a function that is called: of Typer's as typer.Option, of ours alone."""
    match function:
        case ast.Name(name):
            return name
        case ast.Attribute(ast.Name("typer"), name):
            return name
    return ""
