"""The messages that a program marks: what a catalogue has to translate, read from the source.

A message is the first argument of a call of one of the marking functions, a string that stands there itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

# `Reason` names a rule of a lesson; its name is put into a language with the page.
MARKING = frozenset({"phrase", "marked", "worded", "Reason"})


def messages_in(source: str) -> Iterator[str]:
    """Each message that a module marks, in order."""
    for node in sorted(_calls(source), key=lambda call: (call.lineno, call.col_offset)):
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def messages_below(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """The messages of all modules below a folder, and the modules that mark each: lesson/text.py."""
    found: dict[str, dict[str, None]] = {}
    for path in sorted(folder.rglob("*.py")):
        for message in messages_in(path.read_text(encoding="utf-8")):
            found.setdefault(message, {})[path.relative_to(folder).as_posix()] = None
    return {message: tuple(places) for message, places in found.items()}


def _calls(source: str) -> Iterator[ast.Call]:
    """The calls of marking functions; most modules have none, and are not parsed."""
    if not any(f"{name}(" in source for name in MARKING):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKING:
            yield node
