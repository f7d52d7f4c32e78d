"""A program as the text of a target's module, which knows what each line of it was printed from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from symbackprop.array.program import Line, Program
from symbackprop.emission.environment import render_in_pieces


@dataclass(frozen=True)
class CodeLine:
    """A line of code, and the line of the program that it was printed from; None around the program.

    It computes its `counterparts` too, where a function is called more than once.
    """

    text: str
    line: Line | None = None
    counterparts: tuple[Line, ...] = ()


def code_lines(texts: Iterable[str], line: Line | None = None) -> list[CodeLine]:
    """The lines of code that were printed from one line of a program."""
    return [CodeLine(text, line) for text in texts]


@dataclass(frozen=True)
class PrintedLine:
    """Which lines of a module's text a line of its program became, from 1; a loop is its head alone.

    Lines of a program that one function computes became the same.
    """

    line: Line
    first: int
    last: int


@dataclass(frozen=True)
class PrintedModule:
    """The text of a module; `names` are the variables that hold the program's tensors.

    In a function that is called more than once other variables do: `blocks` has, for each of its calls, what
    the program calls the tensors in them.
    """

    program: Program
    names: Mapping[str, str]
    text: str
    lines: tuple[PrintedLine, ...]
    blocks: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)

    def code_of(self, line: Line) -> str:
        """The code that a line of the program became; "" for one that was not printed."""
        found = [each for each in self.lines if each.line is line]
        texts = [text for each in found for text in self.text.splitlines()[each.first - 1 : each.last]]
        return textwrap.dedent("\n".join(texts))

    def line_at(self, number: int) -> Line | None:
        """The line of the program that stands on a line of the text, counted from 1."""
        return next((each.line for each in self.lines if each.first <= number <= each.last), None)


@dataclass
class Layout:
    """A text that is arranged piece by piece, and where in it the lines of a program come to stand."""

    pieces: list[str] = field(default_factory=list)
    number: int = 1  # of the line on which the next piece begins
    lines: list[PrintedLine] = field(default_factory=list)

    def code(self, lines: Iterable[CodeLine]) -> str:
        """Lines of code as the next piece, which begins a line of the text."""
        lines = list(lines)
        places = enumerate(lines, start=self.number)
        for _, group in groupby(places, key=lambda place: id(place[1].line)):
            (first, code), *others = group
            last = others[-1][0] if others else first
            for line in (code.line, *code.counterparts):
                if line is not None:
                    self.lines.append(PrintedLine(line, first, last))
        return "\n".join(code.text for code in lines)

    def add(self, piece: str) -> None:
        """The next piece of the text."""
        self.pieces.append(piece)
        self.number += piece.count("\n")


def printed_module(
    program: Program,
    names: Mapping[str, str],
    template: str,
    strings: Mapping[str, object],
    blocks: Mapping[str, tuple[Mapping[str, str], ...]],
) -> PrintedModule:
    """The module that a template makes of `strings`, and of lines of code, for which it calls `code`.

    A template is filled in from its beginning on, and asks for code where it comes to stand.
    """
    layout = Layout()
    for piece in render_in_pieces(template, code=layout.code, **strings):
        layout.add(piece)
    return PrintedModule(program, names, "".join(layout.pieces), tuple(layout.lines), blocks)
