r"""Displayed formulas in LaTeX: chains and lists of equations over as many lines as they need, columns.

The rows go into `align*` in a document and into `aligned` between dollar signs in Markdown; both are known
to amsmath and to KaTeX.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Sequence

from symbackprop.lesson.document import Chain, Column, Equations, Link, Reason, Sentence
from symbackprop.notation.derivatives import Derivative, InnerDerivative
from symbackprop.notation.expressions import Element, Expression
from symbackprop.systems.system import Equation, Fact
from symbackprop.typesetting.boxes import Piece, break_row, row_latex, signed
from symbackprop.typesetting.formulas import PLAIN, latex
from symbackprop.typesetting.names import escaped

INDICATOR = r"[\,"
INDICATOR_NOTE = r"The bracket $[\,c\,]$ is 1 where the condition $c$ holds and 0 elsewhere."

# In ems of the text's font: an A4 page with margins of 2.5 cm, at 11 points, has 41.
LINE_WIDTH = 38.0
_LONGEST_LEFT, _QUAD, _NOTE_LETTER = 9.0, 1.0, 0.44
_NOTE_LETTERS = 78


def chain_rows(chain: Chain, margin: float | None = None) -> list[str]:
    """Rows of an alignment at the equals signs, each reason in small print behind or below its equation.

    `margin` is the width of the column of left-hand sides. One that is too long for it has a row of its own.
    """
    rows, start, equals = [], latex(chain.left), "&= "
    margin = _left_width(chain.left) if margin is None else margin
    if not _left_width(chain.left):
        rows.append(f"&{start}")
        start, equals, margin = "", r"&\quad = ", margin + _QUAD
    before = ""
    for link in chain.links:
        lines = _equation_lines(link.expression, LINE_WIDTH - margin)
        # 1/B*(2*x) and 2/B*x look the same once they are fractions: only the reason is new.
        if latex(link.expression) != before:
            rows.append(f"{start} {equals}{lines[0][0]}".strip())
            rows.extend(f"&{shown}" for shown, _ in lines[1:])
        before, start = latex(link.expression), ""
        _append_reason(rows, link.reason, margin + lines[-1][1])
    return rows


def equations_rows(equations: Equations) -> list[str]:
    """One equation after another, aligned at the equals signs."""
    margin = max((_left_width(left) for left, _ in equations.lines), default=0.0)
    chains = [Chain(left, (Link(right),)) for left, right in equations.lines]
    return [row for chain in chains for row in chain_rows(chain, margin)]


def _left_width(left: Expression) -> float:
    """What a left-hand side adds to the column of left-hand sides; 0 where it is too long to stand there."""
    width = PLAIN.box(left).width
    return width if width <= _LONGEST_LEFT else 0.0


def column_latex(column: Column) -> str:
    """The column with its one entry, and an arrow to its row."""
    entries = r"0 \\ \vdots \\ " + latex(column.entry) + r" \\ \vdots \\ 0"
    name = latex(column.derivative)
    return rf"{name} = \begin{{pmatrix}} {entries} \end{{pmatrix}} \leftarrow {latex(column.row)}"


def sentence_latex(sentence: Sentence) -> str:
    """Words with formulas in dollar signs."""
    return "".join(escaped(part) if isinstance(part, str) else f"${part_latex(part)}$" for part in sentence)


def part_latex(part: Expression | Equation | Fact) -> str:
    """A formula within a sentence, in math mode; a derivative with a slash, which spreads no lines."""
    match part:
        case Equation():
            return f"{latex(part.element)} = {latex(part.expression)}"
        case Fact(left, right):
            return f"{latex(left)} = {latex(right)}"
        case Derivative(Element() as numerator, denominator) | InnerDerivative(
            Element() as numerator, denominator
        ):
            return rf"\partial {latex(numerator)} / \partial {latex(denominator)}"
    return latex(part)


def joined_rows(rows: Sequence[str]) -> str:
    r"""Rows with \\ between them, one a line."""
    return " \\\\\n".join(rows)


def _equation_lines(expression: Expression, width: float) -> list[tuple[str, float]]:
    """The lines of a right-hand side with their widths; what goes on is set in by its depth."""
    lines = break_row(signed(PLAIN.box(expression)), width, width - 4 * _QUAD)
    shown = [(row_latex(lines[0]), _width(lines[0]))]
    for line in lines[1:]:
        quads = 1 + min((line[0].penalty + 1) // 2, 3)
        shown.append((r"\quad " * quads + row_latex(line, starts_line=True), quads * _QUAD + _width(line)))
    return shown


def _width(line: Sequence[Piece]) -> float:
    return sum(piece.width for piece in line)


def _append_reason(rows: list[str], reason: Reason | None, used: float) -> None:
    if reason is None:
        return
    name_width = _NOTE_LETTER * (len(reason.rule) + 2) + 2 * _QUAD
    if not reason.statements and used + name_width <= LINE_WIDTH:
        rows[-1] += rf" \qquad {_note('(' + escaped(reason.rule) + ')')}"
        return
    rows.extend(rf"&\quad {note}" for note in _notes(reason))


def _notes(reason: Reason) -> Iterator[str]:
    """The rule's name, then its statements, in lines of small print."""
    lines = [_note_lines(statement) for statement in reason.statements]
    if len(lines) == 1 and len(lines[0]) == 1:
        yield _note(f"{escaped(reason.rule)}: {lines[0][0]}")
        return
    yield _note(escaped(reason.rule) + (":" if lines else ""))
    for line in itertools.chain.from_iterable(lines):
        yield r"\quad " + _note(line)


def _note_lines(statement: Sentence) -> list[str]:
    """A rule's statement: a formula in the model language in typewriter letters, words as they are."""
    if len(statement) == 1 and isinstance(statement[0], str):
        lines = textwrap.wrap(statement[0], _NOTE_LETTERS)
        return [rf"\texttt{{{escaped(line)}}}" if "=" in statement[0] else escaped(line) for line in lines]
    return [sentence_latex(statement)]


def _note(shown: str) -> str:
    return rf"\text{{\footnotesize {shown}}}"
