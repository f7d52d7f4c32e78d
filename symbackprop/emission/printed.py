"""A program as the text of a target's module, which knows what each line of it was printed from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symbackprop.array.program import Line, Program

# Stands before and behind a number at the start of marked lines; what is printed is ASCII.
_MARK = "\ue000"


@dataclass(frozen=True)
class CodeLine:
    """A line of code, and the line of the program that it was printed from; None around the program."""

    text: str
    line: Line | None = None


def code_lines(texts: Iterable[str], line: Line | None = None) -> list[CodeLine]:
    """The lines of code that were printed from one line of a program."""
    return [CodeLine(text, line) for text in texts]


@dataclass(frozen=True)
class PrintedLine:
    """Which lines of a module's text a line of its program became, from 1; a loop is its head alone."""

    line: Line
    first: int
    last: int


@dataclass(frozen=True)
class PrintedModule:
    """The text of a module; `names` are the variables that hold the program's tensors."""

    program: Program
    names: Mapping[str, str]
    text: str
    lines: tuple[PrintedLine, ...]

    def code_of(self, line: Line) -> str:
        """The code that a line of the program became; "" for one that was not printed."""
        found = [each for each in self.lines if each.line is line]
        texts = [text for each in found for text in self.text.splitlines()[each.first - 1 : each.last]]
        return textwrap.dedent("\n".join(texts))

    def line_at(self, number: int) -> Line | None:
        """The line of the program that stands on a line of the text, counted from 1."""
        return next((each.line for each in self.lines if each.first <= number <= each.last), None)


@dataclass
class Marking:
    """Marks code on its way through a template, which arranges strings, and finds the marks in its text."""

    marked: list[Line] = field(default_factory=list)

    def code(self, lines: Iterable[CodeLine]) -> str:
        """Lines of code as the string that a template arranges."""
        return "\n".join(self._marked(each) for each in lines)

    def _marked(self, code: CodeLine) -> str:
        if code.line is None:
            return code.text
        if not (self.marked and self.marked[-1] is code.line):
            self.marked.append(code.line)
        return f"{_MARK}{len(self.marked) - 1}{_MARK}{code.text}"

    def unmarked(self, text: str) -> tuple[str, tuple[PrintedLine, ...]]:
        """The text without marks, and where each line that was marked stands in it."""
        places: dict[int, list[int]] = {}
        plain: list[str] = []
        for number, line in enumerate(text.split("\n"), start=1):
            if line.startswith(_MARK):
                _, mark, line = line.split(_MARK, 2)
                places.setdefault(int(mark), []).append(number)
            plain.append(line)
        found = (PrintedLine(self.marked[mark], min(at), max(at)) for mark, at in places.items())
        return "\n".join(plain), tuple(sorted(found, key=lambda each: each.first))
