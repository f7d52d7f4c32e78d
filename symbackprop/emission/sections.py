"""The user's comments on sections of a model, above the lines of a program that compute these sections.

A section begins with comment lines right above an equation, and has the equations from there to an empty
line or the next comment. On the way back the adjoint of a tensor belongs to the section that reads it, the
first one where several do, for there the last of its terms comes in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from symbackprop.array.program import Line, Program, statements_in
from symbackprop.array.segments import Segments
from symbackprop.schedule.named_equations import Origin
from symbackprop.systems.system import Equation

WAY_BACK = "On the way back: "


@dataclass(frozen=True)
class Section:
    """What a model says of some equations, which stand below it."""

    comment: tuple[str, ...]
    line: int


def sections_in(source: str, equations: Collection[int]) -> Mapping[int, Section]:
    """The section of each line of a model's text that has one, counted from 1, where these begin equations.

    A comment that is not ASCII, as code is, makes none.
    """
    found: dict[int, Section] = {}
    comment: list[str] = []
    section: Section | None = None
    for number, text in enumerate(map(str.strip, source.splitlines()), start=1):
        if text.startswith("#"):
            comment.append(text.lstrip("#").strip())
            continue
        if comment or not text:
            begins = number in equations and any(comment) and all(map(str.isascii, comment))
            section = Section(tuple(comment), number) if begins else None
        comment = []
        if section is not None:
            found[number] = section
    return found


def headings_of(program: Program, segments: Segments) -> Mapping[int, tuple[str, ...]]:
    """The comments to be set above lines, by the lines' ids.

    None of a section whose lines do not stand together, on the way forward or on the way back.
    """
    equations = _equations(program)
    starts = {each.place.line for each in equations.values() if each.place is not None}
    sections = _Sections(sections_in(program.source, starts), equations)
    found: dict[int, tuple[str, ...]] = {}
    for section, line in sections.together(segments.ahead):
        found[id(line)] = section.comment
    for section, line in sections.together(segments.backward.statements if segments.backward else ()):
        found[id(line)] = (WAY_BACK + section.comment[0], *section.comment[1:])
    return found


def _equations(program: Program) -> Mapping[str, Equation]:
    """The equations of the model's text that the program computes anything for, by their tensors."""
    texts = dict(enumerate(program.source.splitlines(), start=1))
    origins = (line.origin for line in statements_in(program.statements))
    stated = {origin.source.tensor: origin.source for origin in origins if origin.adjoint is None}
    return {
        name: each
        for name, each in stated.items()
        if each.place is not None and texts.get(each.place.line) == each.place.text
    }


@dataclass(frozen=True)
class _Sections:
    """The sections of a text's lines, and the equations on these."""

    by_line: Mapping[int, Section]
    equations: Mapping[str, Equation]

    def together(self, lines: Iterable[Line]) -> Iterator[tuple[Section, Line]]:
        """Each section whose lines stand together, and the first of them."""
        stretches = [(section, next(group)) for section, group in groupby(lines, key=self._of)]
        listed = [section for section, _ in stretches]
        for section, line in stretches:
            if section is not None and listed.count(section) == 1:
                yield section, line

    def _of(self, line: Line) -> Section | None:
        return self._of_origin(next(iter(line.origins)))

    def _of_origin(self, origin: Origin) -> Section | None:
        tensor = origin.source.tensor if origin.adjoint is None else origin.adjoint.tensor
        own = self.equations.get(tensor)
        line = own.place.line if own and own.place else 0
        if origin.adjoint is not None:
            line = self._first_readers.get(tensor, line)
        return self.by_line.get(line)

    @cached_property
    def _first_readers(self) -> Mapping[str, int]:
        """The first line on which an equation reads each tensor."""
        lines: dict[str, int] = {}
        for each in self.equations.values():
            for name in each.reads if each.place is not None else ():
                assert each.place is not None
                lines[name] = min(each.place.line, lines.get(name, each.place.line))
        return lines
