"""The blocks of lessons and of explanations as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from symbackprop.explanation import blocks as explained
from symbackprop.explanation.saying import goes_on_with, on_lines
from symbackprop.languages.phrases import in_language, phrase
from symbackprop.lesson import document as lesson
from symbackprop.notation.expressions import Element, Expression
from symbackprop.pages.writing import APPROXIMATELY, Writer

Block: TypeAlias = explained.Block | lesson.Block


@dataclass(frozen=True)
class Section:
    """A part of a page that can be folded: its title, its blocks, and the parts within it."""

    title: str
    body: str
    parts: tuple[Section, ...] = ()


def sections_of(blocks: Iterable[Block], writer: Writer) -> list[Section]:
    """Blocks under their headings, the second level within the first."""
    found: list[tuple[int, str, list[str]]] = []
    for block in blocks:
        if isinstance(block, lesson.Heading):
            found.append((block.level, writer.words(block.sentence), []))
        else:
            if not found:
                found.append((1, "", []))
            found[-1][2].append(block_html(block, writer))
    sections: list[Section] = []
    for level, title, bodies in found:
        own = Section(title, "\n".join(bodies))
        if level > 1 and sections:
            above = sections[-1]
            sections[-1] = Section(above.title, above.body, (*above.parts, own))
        else:
            sections.append(own)
    return sections


def block_html(block: Block, writer: Writer) -> str:
    """One block."""
    match block:
        case lesson.Paragraph(sentence) | explained.Note(sentence):
            return f"<p>{writer.words(sentence)}</p>"
        case lesson.Equations(lines):
            rows = [
                _equation_row(writer.term(left, place=not writer.has_steps), writer.formula(right))
                for left, right in lines
            ]
            return f'<div class="equations">{"".join(rows)}</div>'
        case lesson.Chain():
            return _chain(block, writer)
        case lesson.Column():
            return _column(block, writer)
        case explained.Table():
            return _table(block, writer)
        case explained.Numbers():
            return _numbers(block, writer)
        case explained.Step():
            return _step(block, writer)
        case lesson.Heading():
            return f"<h3>{writer.words(block.sentence)}</h3>"


def _equation_row(left: str, right: str, reason: str = "") -> str:
    sides = f'<div class="left">{left}</div><div class="equals">=</div>'
    return f'<div class="row">{sides}<div class="right">{right}{reason}</div></div>'


def _chain(chain: lesson.Chain, writer: Writer) -> str:
    rows = []
    for place, link in enumerate(chain.links):
        left = writer.term(chain.left) if place == 0 else ""
        rows.append(_equation_row(left, writer.formula(link.expression), _reason(link.reason, writer)))
    return f'<div class="equations chain">{"".join(rows)}</div>'


def _reason(reason: lesson.Reason | None, writer: Writer) -> str:
    """The rule's name; its statements fold away below it."""
    if reason is None:
        return ""
    if not reason.statements:
        return f'<span class="reason">{escape(reason.rule)}</span>'
    said = "".join(f"<li>{_statement(statement, writer)}</li>" for statement in reason.statements)
    return f'<details class="reason"><summary>{escape(reason.rule)}</summary><ul>{said}</ul></details>'


def _statement(statement: lesson.Sentence, writer: Writer) -> str:
    """A rule as it is typed, or a sentence with formulas."""
    if all(isinstance(part, str) for part in statement):
        return f"<code>{writer.words(statement)}</code>"
    return writer.words(statement)


def _column(column: lesson.Column, writer: Writer) -> str:
    entry = writer.printer.math(column.entry).markup
    dots = "<mtr><mtd><mo>\u22ee</mo></mtd></mtr>"
    zero = "<mtr><mtd><mn>0</mn></mtd></mtr>"
    rows = f"{zero}{dots}<mtr><mtd>{entry}</mtd></mtr>{dots}{zero}"
    name = writer.printer.math(column.derivative).markup
    label = in_language(phrase("row {row}", row=column.row), writer.language)
    arrow = f"<mo>\u2190</mo>{''.join(_label_part(part, writer) for part in label)}"
    whole = f"{name}<mo>=</mo><mrow><mo>(</mo><mtable>{rows}</mtable><mo>)</mo></mrow>{arrow}"
    return f'<div class="equations"><math displaystyle="true">{whole}</math></div>'


def _label_part(part: str | Expression, writer: Writer) -> str:
    if isinstance(part, str):
        return f"<mtext>{escape(part).replace(' ', chr(0xA0))}</mtext>"
    return writer.printer.math(part).markup


def _numbers(numbers: explained.Numbers, writer: Writer) -> str:
    shown = f"{writer.printer.inline(numbers.name)} = {matrix(numbers.rows)}"
    return f'<div class="equations numbers">{shown}</div>'


def matrix(rows: Sequence[Sequence[str]]) -> str:
    """Numbers between parentheses, their digits below one another; one number stands by itself."""
    if len(rows) == 1 and len(rows[0]) == 1:
        return f"<math>{_digits(rows[0][0])}</math>"
    body = "".join(
        "<mtr>" + "".join(f"<mtd>{_digits(each)}</mtd>" for each in row) + "</mtr>" for row in rows
    )
    return f'<math><mrow><mo>(</mo><mtable class="matrix">{body}</mtable><mo>)</mo></mrow></math>'


def _digits(number: str) -> str:
    return f"<mn>{escape(number.replace('-', chr(0x2212)))}</mn>"


def _table(table: explained.Table, writer: Writer) -> str:
    heads = "".join(
        f"<th{_side(place, table)}>{escape(heading)}</th>" for place, heading in enumerate(table.headings)
    )
    rows = []
    for row in table.rows:
        cells = [
            f'<td{_side(place, table)} data-head="{escape(heading)}">{writer.words(cell)}</td>'
            for place, (heading, cell) in enumerate(zip(table.headings, row, strict=True))
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _side(place: int, table: explained.Table) -> str:
    return ' class="right"' if place in table.right else ""


def _step(step: explained.Step, writer: Writer) -> str:
    """An equation, its code, what is to be said of it, and how it looks in numbers."""
    equation = _equation_row(writer.term(step.left), writer.formula(step.equation.expression))
    stated = f'<div class="equations">{equation}</div>'
    if step.goes_on:
        stated = f"<p>{writer.words(goes_on_with(step.left))}</p>"
    where = writer.words(phrase("{lines}, {shape}", lines=on_lines(step.spans), shape=step.shape))
    code = "\n".join(span.code for span in step.spans)
    parts = [
        stated,
        f'<p class="where">{where}</p><pre><code>{escape(code)}</code></pre>',
        *(f"<p>{writer.words(remark)}</p>" for remark in step.remarks),
    ]
    if step.worked:
        shown = " =&nbsp;".join(map(writer.formula, step.worked))
        sign = APPROXIMATELY if step.is_rounded else "="
        value = writer.formula(Element(step.worked_value))
        parts.append(f'<p class="worked">{shown} {sign}&nbsp;{value}</p>')
    parts += [_numbers(numbers, writer) for numbers in step.numbers]
    return f'<article class="step" data-t="{escape(step.tensor)}">{"".join(parts)}</article>'
