r"""Displayed formulas in LaTeX: chains and lists of equations over as many lines as they need, columns.

The rows go into `align` in a document and into `aligned` between dollar signs in Markdown; both are known
to amsmath and to KaTeX.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.languages.columns import columns
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import marked, translated
from symbackprop.lesson.document import Chain, Column, Equations, Link, Reason, Sentence
from symbackprop.notation.expressions import Expression
from symbackprop.systems.system import Equation, Fact
from symbackprop.typesetting.boxes import Piece, break_row, row_latex, signed
from symbackprop.typesetting.formulas import PLAIN, Typesetter
from symbackprop.typesetting.names import escaped
from symbackprop.typesetting.statements import Atom, statement_atoms

# In ems of the text's font: an A4 page with margins of 2.5 cm, at 11 points, has 41.
LINE_WIDTH = 38.0
_THIS_ENTRY = marked("(this entry)")
_LONGEST_LEFT, _QUAD = 9.0, 1.0
# The equals sign, the parentheses and the arrow of a column.
_BESIDE_COLUMN = 9.0
# The small print's ems in those of the text, and an average letter of it.
_SMALL, _NOTE_LETTER = 0.86, 0.44
_SHORTEST_LAST, _FEWEST_LEFT = 6.0, 3  # ems of a last line, words of the one above it


@dataclass(frozen=True)
class Row:
    """A row of an alignment; one that `stays` goes on the page of the row before it."""

    latex: str
    stays: bool = False
    is_result: bool = False
    """Whether a paper numbers it: the last line of an equation or of a chain."""


def chain_rows(chain: Chain, typesetter: Typesetter = PLAIN, margin: float | None = None) -> list[Row]:
    """Rows of an alignment at the equals signs, each reason in small print behind or below its equation.

    `margin` is the width of the column of left-hand sides. One that is too long for it has a row of its own.
    """
    start, equals = typesetter.latex(chain.left), "&= "
    left_width = _left_width(chain.left, typesetter)
    margin = left_width if margin is None else margin
    rows: list[Row] = []
    if not left_width:
        rows.append(Row(f"&{start}"))
        start, equals, margin = "", r"&\quad = ", margin + _QUAD
    before, last = "", 0
    for link in chain.links:
        lines = _equation_lines(link.expression, LINE_WIDTH - margin, typesetter)
        shown = typesetter.latex(link.expression)
        # 1/B*(2*x) and 2/B*x look the same once they are fractions: only the reason is new.
        if shown != before:
            rows.append(Row(f"{start} {equals}{lines[0][0]}".strip(), stays=bool(rows) and not left_width))
            rows.extend(Row(f"&{line}") for line, _ in lines[1:])
            last, left_width = len(rows) - 1, 1.0
        before, start = shown, ""
        _append_reason(rows, link.reason, margin, lines[-1][1], typesetter)
    rows[last] = replace(rows[last], is_result=True)
    return rows


def equations_rows(equations: Equations, typesetter: Typesetter = PLAIN) -> list[Row]:
    """One equation after another, aligned at the equals signs."""
    margin = max((_left_width(left, typesetter) for left, _ in equations.lines), default=0.0)
    chains = [Chain(left, (Link(right),)) for left, right in equations.lines]
    return [row for chain in chains for row in chain_rows(chain, typesetter, margin)]


def _left_width(left: Expression, typesetter: Typesetter) -> float:
    """What a left-hand side adds to the column of left-hand sides; 0 where it is too long to stand there."""
    width = typesetter.box(left).width
    return width if width <= _LONGEST_LEFT else 0.0


def column_latex(
    column: Column, typesetter: Typesetter = PLAIN, language: Language = Language.ENGLISH
) -> str:
    """The column with its one entry, and an arrow to its row; an entry that is too wide is told apart."""
    name, entry = typesetter.box(column.derivative), typesetter.box(column.entry)
    fits = name.width + entry.width + _BESIDE_COLUMN <= LINE_WIDTH
    shown = row_latex(signed(entry)) if fits else r"\ast"
    entries = rf"0 \\ \vdots \\ {shown} \\ \vdots \\ 0"
    told = rf" \quad \text{{{translated(_THIS_ENTRY, language)}}}"
    arrow = rf"\leftarrow {typesetter.latex(column.row)}" + ("" if fits else told)
    return rf"{name.latex} = \begin{{pmatrix}} {entries} \end{{pmatrix}} {arrow}"


def sentence_latex(sentence: Sentence, typesetter: Typesetter = PLAIN) -> str:
    """Words with formulas in dollar signs."""
    return "".join(
        escaped(part) if isinstance(part, str) else f"${part_latex(part, typesetter)}$" for part in sentence
    )


def part_latex(part: Expression | Equation | Fact, typesetter: Typesetter = PLAIN) -> str:
    """A formula within a sentence, in math mode."""
    match part:
        case Equation():
            return f"{typesetter.latex(part.element)} = {typesetter.latex(part.expression)}"
        case Fact(left, right):
            return f"{typesetter.latex(left)} = {typesetter.latex(right)}"
    return typesetter.inline(part)


def joined_rows(rows: Sequence[Row]) -> str:
    r"""Rows with \\ between them, one a line."""
    return " \\\\\n".join(row.latex for row in rows)


def numbered_rows(rows: Sequence[Row], labels: Sequence[str] = ()) -> str:
    r"""Rows for `align`: results have a number, and \\* keeps together what has to stay on one page.

    `labels` are those of the results, in order; "" is none.
    """
    following = iter(labels)
    shown = [row.latex + (_labelled(next(following, "")) if row.is_result else r" \notag") for row in rows]
    ends = [" \\\\*\n" if row.stays else " \\\\\n" for row in rows[1:]]
    return "".join(part for pair in zip(shown, [*ends, ""], strict=True) for part in pair)


def _labelled(label: str) -> str:
    return rf" \label{{{label}}}" if label else ""


def _equation_lines(expression: Expression, width: float, typesetter: Typesetter) -> list[tuple[str, float]]:
    """The lines of a right-hand side with their widths; what goes on is set in by its depth."""
    lines = break_row(signed(typesetter.box(expression)), width, width - 4 * _QUAD)
    shown = [(row_latex(lines[0]), _width(lines[0]))]
    for line in lines[1:]:
        quads = 1 + min((line[0].penalty + 1) // 2, 3)
        shown.append((r"\quad " * quads + row_latex(line, starts_line=True), quads * _QUAD + _width(line)))
    return shown


def _width(line: Sequence[Piece]) -> float:
    return sum(piece.width for piece in line)


def _append_reason(
    rows: list[Row], reason: Reason | None, margin: float, used: float, typesetter: Typesetter
) -> None:
    if reason is None:
        return
    name_width = _NOTE_LETTER * (columns(reason.rule) + 2) + 2 * _QUAD
    if not reason.statements and margin + used + name_width <= LINE_WIDTH:
        rows[-1] = replace(
            rows[-1], latex=rows[-1].latex + rf" \qquad {_note('(' + escaped(reason.rule) + ')')}"
        )
        return
    notes = _notes(reason, LINE_WIDTH - margin - 2 * _QUAD, typesetter)
    rows.extend(Row(rf"&\quad {note}", stays=True) for note in notes)


def _notes(reason: Reason, width: float, typesetter: Typesetter) -> Iterator[str]:
    """The rule's name, then its statements, in lines of small print."""
    statements = [tuple(statement_atoms(each, typesetter)) for each in reason.statements]
    name = [Atom(escaped(word), 0.5 * columns(word)) for word in reason.rule.split(" ")]
    if statements:
        name[-1] = replace(name[-1], latex=name[-1].latex + ":")
    if len(statements) == 1 and sum(map(_atom_width, (*name, *statements[0]))) <= width:
        yield _note(_joined([*name, *statements[0]]))
        return
    for line in _wrapped(name, width):
        yield _note(_joined(line))
    for statement in statements:
        for place, line in enumerate(_without_widow(list(_wrapped(statement, width - 2 * _QUAD)))):
            yield r"\quad " * (1 + (place > 0)) + _note(_joined(line))


def _wrapped(atoms: Sequence[Atom], width: float) -> Iterator[list[Atom]]:
    """Lines no wider than asked for; what stands without a space stays with what is before it."""
    line: list[Atom] = []
    used = 0.0
    for place, atom in enumerate(atoms):
        needed = _atom_width(atom)
        for following in atoms[place + 1 :]:
            if following.begins:
                break
            needed += _atom_width(following)
        if line and atom.begins and used + needed > width:
            yield line
            line, used = [], 0.0
        line.append(atom)
        used += _atom_width(atom)
    if line:
        yield line


def _without_widow(lines: list[list[Atom]]) -> list[list[Atom]]:
    """The lines, words moved down to a last one that would be a letter or two by itself."""
    while len(lines) > 1 and sum(map(_atom_width, lines[-1])) < _SHORTEST_LAST:
        above = lines[-2]
        starts = [place for place in range(_FEWEST_LEFT, len(above)) if above[place].begins]
        if not starts:
            break
        lines[-2:] = [above[: starts[-1]], [*above[starts[-1] :], *lines[-1]]]
    return lines


def _atom_width(atom: Atom) -> float:
    return _SMALL * (atom.width + 0.33 * atom.spaced)


def _joined(atoms: Sequence[Atom]) -> str:
    return "".join(" " * (atom.spaced and place > 0) + atom.latex for place, atom in enumerate(atoms))


def _note(shown: str) -> str:
    return rf"\text{{\footnotesize {shown}}}"
