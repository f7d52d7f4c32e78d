"""An explanation as plain ASCII, for a terminal, a pipe or a file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from symbackprop.explanation.blocks import (
    Approximately,
    Block,
    Code,
    Lines,
    Note,
    Numbers,
    Page,
    Remark,
    Shown,
    Step,
    Table,
)
from symbackprop.explanation.saying import goes_on_with, on_lines
from symbackprop.languages.columns import DEFAULT_WIDTH, NO_BREAK, columns, padded, wrapped
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import in_language
from symbackprop.lesson.document import Equations, Heading
from symbackprop.lesson.text import (
    NARROWEST,
    equations_in_lines,
    formula_in_sentence,
    formula_text,
    heading_text,
)

APPROXIMATELY = "~"
_INDENT, _GAP, _LEAST_COLUMN = "  ", 2, 20


def page_text(page: Page, width: int = DEFAULT_WIDTH) -> str:
    """The page, wrapped to `width` columns."""
    width = max(width, NARROWEST)
    blocks = [
        heading_text(page.title, "=", width),
        *(_block(block, width, page.language) for block in page.blocks),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def remark_text(remark: Remark, language: Language = Language.ENGLISH) -> str:
    """Words and formulas as one line; phrases that are in no language yet, in this one."""
    return _glued(remark, language).replace(NO_BREAK, " ")


def _glued(remark: Remark, language: Language = Language.ENGLISH) -> str:
    """The same for lines to be broken, no-break spaces within formulas."""
    return "".join(map(_part, in_language(remark, language)))


def _part(part: Shown) -> str:
    match part:
        case str():
            return part
        case Code(text):
            return text
        case Lines():
            return part.numbers
        case Approximately():
            return APPROXIMATELY
    return formula_in_sentence(part)


def _block(block: Block, width: int, language: Language) -> str:
    match block:
        case Heading(level, sentence):
            return heading_text(_glued(sentence), "-~"[level - 1], width)
        case Note(remark):
            return _wrapped(_glued(remark), width)
        case Equations():
            return equations_in_lines(block, width)
        case Numbers(name, rows):
            return "\n".join(_numbers(formula_text(name), rows))
        case Step():
            return "\n".join(_step(block, width, language))
        case Table():
            return "\n".join(_table(block, width))


def _wrapped(text: str, width: int, indent: str = "", hang: str = "") -> str:
    return "\n".join(wrapped(text, width, indent, hang or indent))


def _numbers(name: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows in brackets, the digits below one another; one number stands by itself."""
    if len(rows) == 1 and len(rows[0]) == 1:
        yield f"{_INDENT}{name} = {rows[0][0]}"
        return
    widest = max((len(number) for row in rows for number in row), default=0)
    head = f"{_INDENT}{name} = "
    for place, row in enumerate(rows):
        shown = "  ".join(number.rjust(widest) for number in row)
        yield (head if place == 0 else " " * len(head)) + f"[ {shown} ]"


def _step(step: Step, width: int, language: Language) -> Iterator[str]:
    where = remark_text(on_lines(step.spans), language)
    if step.goes_on:
        yield _wrapped(f"{where}: {remark_text(goes_on_with(step.left), language)}", width)
    else:
        sides = map(formula_in_sentence, (step.left, step.equation.expression))
        yield _wrapped(f"{where}: {f' ={NO_BREAK}'.join(sides)}", width, "", _INDENT * 3)
    for span in step.spans:
        yield textwrap.indent(span.code, _INDENT * 2)
    yield _INDENT + remark_text(step.shape, language)
    for remark in step.remarks:
        yield _wrapped(_glued(remark, language), width, _INDENT)
    if step.worked:
        shown = f" ={NO_BREAK}".join(map(formula_in_sentence, step.worked))
        sign = APPROXIMATELY if step.is_rounded else "="
        yield _wrapped(f"{shown} {sign}{NO_BREAK}{step.worked_value}", width, _INDENT, _INDENT * 2)
    for numbers in step.numbers:
        yield from _numbers(formula_text(numbers.name), numbers.rows)


def _table(table: Table, width: int) -> Iterator[str]:
    """Columns as wide as their cells, the last of them wrapped; where that is too narrow, row by row."""
    cells = [list(table.headings), *([_glued(cell) for cell in row] for row in table.rows)]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    last = width - sum(widths[:-1]) - len(_INDENT) - _GAP * (len(widths) - 1)
    if last < min(widths[-1], _LEAST_COLUMN):
        for row in cells[1:]:
            yield from _record(cells[0], row, width)
        return
    for row in cells:
        yield from _row(row, [*widths[:-1], last], table.right)


def _record(headings: Sequence[str], row: Sequence[str], width: int) -> Iterator[str]:
    """A row whose cells stand below one another."""
    yield _wrapped(row[0], width, _INDENT, _INDENT * 2)
    for heading, cell in zip(headings[1:], row[1:], strict=True):
        if cell:
            yield _wrapped(f"{heading}: {cell}", width, _INDENT * 3, _INDENT * 4)


def _row(row: Sequence[str], widths: Sequence[int], right: frozenset[int]) -> Iterator[str]:
    cells = [wrapped(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, cells))):
        shown = [cell[number] if number < len(cell) else "" for cell in cells]
        beside = [
            padded(part, width, place in right)
            for place, (part, width) in enumerate(zip(shown, widths, strict=True))
        ]
        yield (_INDENT + (" " * _GAP).join(beside)).rstrip()
