"""Documents as plain text for a terminal, a pipe or a file; in English it is ASCII.

An equation that is too long goes on below in front of an operator, and inside the parentheses that it broke.
Reasons stand behind a #, which is a comment in the model language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symbackprop.languages.columns import DEFAULT_WIDTH, NO_BREAK, columns, wrapped
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import phrase, text_in
from symbackprop.lesson.document import (
    Block,
    Chain,
    Column,
    Document,
    Equations,
    Heading,
    Paragraph,
    Reason,
    Sentence,
)
from symbackprop.lesson.document_passes import with_signs_explained
from symbackprop.notation.arithmetic import factors_of, terms_of
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Expression
from symbackprop.systems.printing import fact_text, text, text_row
from symbackprop.systems.rows import PER_DEPTH, Break, Row, joined_rows, row_in_sentence, row_text
from symbackprop.systems.system import Equation, Fact
from symbackprop.typesetting.boxes import Piece, break_row, row_latex

NARROWEST = 40
_INDENT, _HANG, _REASON_COLUMN, _LONGEST_LEFT = 2, 4, 56, 26
_DEEPEST = 3


def document_text(document: Document, width: int = DEFAULT_WIDTH) -> str:
    """The document, wrapped to `width` columns."""
    width = max(width, NARROWEST)
    document = with_signs_explained(document)
    said = document.language
    title = heading_text(document.title, "=", width)
    blocks = [title, *(_block_text(block, width, said) for block in document.blocks)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def equations_text(equations: Equations) -> str:
    """One equation a line, not wrapped: what another program reads."""
    return "".join(f"{formula_text(left)} = {formula_text(right)}\n" for left, right in equations.lines)


def equations_in_lines(equations: Equations, width: int) -> str:
    """One equation a line, or over as many as it needs."""
    rows = [(f"{formula_text(left)} = ", *_formula_row(right)) for left, right in equations.lines]
    return "\n".join(_broken(row, " " * _INDENT, width) for row in rows)


def formula_text(expression: Expression) -> str:
    """The expression in the model language; products of derivatives as (dE/dy)(dy/du2)."""
    return row_text(_formula_row(expression))


def formula_in_sentence(part: Expression | Equation | Fact) -> str:
    """A formula among words, which goes on in another line where it may alone."""
    match part:
        case Equation():
            sides = [row_in_sentence(text_row(side)) for side in (part.element, part.expression)]
            return f" ={NO_BREAK}".join(sides)
        case Fact():
            return fact_text(part).replace(" ", NO_BREAK)
    return row_in_sentence(_formula_row(part))


def _formula_row(expression: Expression) -> Row:
    products = [factors_of(term) for term in terms_of(expression)]
    if not all(isinstance(factor, Derivative) for product in products for factor in product):
        return text_row(expression)
    return joined_rows((Break(0), " + "), [_chain_of(product) for product in products])


def _chain_of(derivatives: Sequence[Expression]) -> Row:
    if len(derivatives) == 1:
        return text_row(derivatives[0])
    return joined_rows((Break(1),), [(f"({text(each)})",) for each in derivatives])


def _block_text(block: Block, width: int, language: Language) -> str:
    match block:
        case Heading(level, sentence):
            return heading_text(_sentence(sentence), "-~"[level - 1], width)
        case Paragraph(sentence):
            return _wrapped(_sentence(sentence), width)
        case Equations():
            return equations_in_lines(block, width)
        case Chain():
            return "\n".join(_chain(block, width))
        case Column():
            return "\n".join(_column(block, language))


def heading_text(title: str, mark: str, width: int) -> str:
    """A title over a line of marks, as wide as it is."""
    lines = wrapped(title, width)
    return "\n".join((*lines, mark * max(map(columns, lines), default=0)))


def _sentence(sentence: Sentence) -> str:
    return "".join(part if isinstance(part, str) else formula_in_sentence(part) for part in sentence)


def _wrapped(sentence: str, width: int, indent: str = "", hang: str = "") -> str:
    return "\n".join(wrapped(sentence, width, indent, hang or indent))


def _chain(chain: Chain, width: int) -> Iterator[str]:
    """The equals signs below one another, to the right of a left-hand side that is not too long."""
    left = formula_text(chain.left)
    if len(left) > _LONGEST_LEFT:
        yield " " * _INDENT + left
        left = " " * _HANG
    for place, link in enumerate(chain.links):
        margin = " " * _INDENT + (left if place == 0 else " " * len(left)) + " "
        shown = _broken(("= ", *_formula_row(link.expression)), margin, width)
        yield from _with_reason(shown, len(margin) + 2, link.reason, width)


def _with_reason(shown: str, indent: int, reason: Reason | None, width: int) -> Iterator[str]:
    """The rule's name behind the equation where there is room, its statements below it."""
    if reason is None:
        yield shown
        return
    last = shown.splitlines()[-1]
    statements = [_sentence(statement) for statement in reason.statements]
    whole = reason.rule + (f": {statements[0]}" if len(statements) == 1 else "")
    one_line = whole.replace(NO_BREAK, " ")
    column = max(_REASON_COLUMN, len(last) + 2)
    if len(statements) < 2 and column + 2 + columns(one_line) <= width:
        yield f"{shown}{' ' * (column - len(last))}# {one_line}"
        return
    yield shown
    margin = " " * min(indent, width // 3)
    if len(statements) == 1 and len(margin) + 2 + columns(one_line) <= width:
        yield f"{margin}# {one_line}"
        return
    yield _wrapped(reason.rule + (":" if statements else ""), width, f"{margin}# ", f"{margin}#   ")
    for statement in statements:
        yield _wrapped(statement, width, f"{margin}#   ", f"{margin}#     ")


def _column(column: Column, language: Language) -> Iterator[str]:
    entry = formula_text(column.entry)
    rows = ["0", ":", entry, ":", "0"]
    for row in rows:
        label = text_in(phrase("row {row}", row=text(column.row)), language)
        arrow = f"  <- {label}" if row is rows[2] else ""
        yield f"{' ' * (_INDENT + _HANG)}[ {row.center(len(entry))} ]{arrow}"


def _broken(equation: Row, margin: str, width: int) -> str:
    """An equation over as many lines as it needs; what goes on stands to the right of the margin."""
    one_line = margin + row_text(equation)
    if len(one_line) <= width:
        return one_line
    indent = " " * min(len(margin) + _HANG, width // 3)
    lines = break_row(_pieces(equation), width - len(margin), width - len(indent) - 2 * _DEEPEST)
    shown = [margin + row_latex(lines[0])]
    for line in lines[1:]:
        # What goes on within a product stands to the right of what goes on within its sum.
        deeper = min((line[0].penalty + PER_DEPTH - 1) // PER_DEPTH, _DEEPEST)
        shown.append(indent + "  " * deeper + row_latex(line).strip())
    return "\n".join(line.rstrip() for line in shown)


def _pieces(equation: Row) -> list[Piece]:
    """The row cut wherever a line may begin."""
    found = [Piece("", 0)]
    for part in equation:
        if isinstance(part, Break):
            found.append(Piece("", 0, part.penalty))
        else:
            last = found.pop()
            found.append(replace(last, latex=last.latex + part, width=last.width + len(part)))
    return found
