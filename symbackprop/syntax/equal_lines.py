"""Long texts, a few lines at a time: lines that differ in digits alone, as a deep model's, are read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from symbackprop.syntax.nodes import NumberLiteral, Span, Statement, Word

FEWEST_LINES = 60  # of fewer lines too few are alike

_UNREAD = re.compile(r'"[^"\n]*"|#[^\n]*')  # LaTeX and comments, in which brackets are none
_EMPTY = re.compile(r"[ \t]*(#.*)?")
_DIGIT = re.compile(r"[0-9]")

Reader = Callable[[str], tuple[Statement, ...]]


def statements_of(text: str, read: Reader) -> tuple[Statement, ...]:
    """The statements of a text, by what `read` makes of parts of it, and raises for them.

    A part ends with a line behind which no bracket is open, so that its statements end there, too.
    """
    known: dict[str, tuple[Statement, ...]] = {}
    found: list[Statement] = []
    for number, part in _parts(text):
        if "\n" in part or '"' in part:
            moved = _Moved(number, None)
            found += map(moved.of, read(part))
            continue
        alike = _DIGIT.sub("0", part)
        if alike not in known:
            known[alike] = read(part)
        moved = _Moved(number, part)
        found += map(moved.of, known[alike])
    return tuple(found)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """The parts that are not empty, each with how many lines stand before it."""
    lines: list[str] = []
    depth = 0
    for number, line in enumerate(text.split("\n")):
        if not lines and _EMPTY.fullmatch(line):
            continue
        lines.append(line)
        for each in _UNREAD.sub("", line):
            if each in "([":
                depth += 1
            elif each in ")]":
                depth = max(0, depth - 1)
        if not depth:
            yield number + 1 - len(lines), "\n".join(lines)
            lines = []
    if lines:
        yield text.count("\n") + 1 - len(lines), "\n".join(lines)


@dataclass(frozen=True)
class _Moved:
    """What was read as if nothing stood before it, so many lines further down; names are those of `line`."""

    lines: int
    line: str | None

    def of(self, part: Any) -> Any:
        """A node, or a tuple of nodes, moved."""
        kind = type(part)
        if kind is Span:
            return Span(part.line + self.lines, part.column, part.end_line + self.lines, part.end_column)
        if kind is tuple:
            return tuple([self.of(each) for each in part])
        if part is None or kind is str:
            return part
        if self.line is not None and kind in (Word, NumberLiteral):
            return kind(self.line[part.span.column - 1 : part.span.end_column - 1], self.of(part.span))
        return kind(*[self.of(getattr(part, name)) for name in kind.__match_args__])
