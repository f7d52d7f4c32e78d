r"""Statements of rules as mathematics between words.

    sum(i, f*g) = f*sum(i, g), where f is independent of i
    $\sum_{i} f\,g$ $= f\,\sum_{i} g$, where $f$ is independent of $i$

A statement is a text of formulas in the model language and of words, in which f, g and h stand for any
expression, f' for its derivative and da[p]/da[q] for a derivative by an element. Words are told from names by
what stands beside them: `where c` begins with a word, `where(c, f, g)` with the language's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.languages.columns import is_wide, may_break
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Comparison, Expression, Logic
from symbackprop.typesetting.boxes import Piece, enclosed, glue, mark, row_latex, signed
from symbackprop.typesetting.formulas import Typesetter
from symbackprop.typesetting.names import escaped
from symbackprop.typesetting.statement_formulas import FormulaParser, NotAFormulaError
from symbackprop.typesetting.statement_tokens import Token, is_word, tokens_of

_LETTER_WIDTH, _WIDE_LETTER_WIDTH = 0.46, 1.0
# What may stand wider than this, in ems, is broken where a line may begin.
_WIDEST_ATOM = 20.0


@dataclass(frozen=True)
class Atom:
    """What stays on one line: LaTeX for text mode, its width in ems, and whether a space stands before it.

    `breaks` says that a line may begin with it though none does: in front of a Japanese letter.
    """

    latex: str
    width: float
    spaced: bool = True
    breaks: bool = False

    @property
    def begins(self) -> bool:
        """Whether a line may begin with it."""
        return self.spaced or self.breaks


def statement_atoms(sentence: Sequence[object], typesetter: Typesetter) -> Iterator[Atom]:
    """The words and formulas of a statement, in order; formulas cut at their relations."""
    tokens = _tokens(sentence)
    place = 0
    while place < len(tokens):
        token = tokens[place]
        opens_words = token.text == "(" and is_word(tokens, place + 1)
        if token.text.isascii() and not (is_word(tokens, place) or opens_words):
            parser = FormulaParser(tokens, place)
            try:
                first, *others = _formula(parser, typesetter)
                yield replace(first, breaks=_may_break(tokens, place))
                yield from others
                place = parser.place
                continue
            except NotAFormulaError:
                pass
        shown = token.text.strip("`")
        width = _WIDE_LETTER_WIDTH if is_wide(shown[:1] or " ") else _LETTER_WIDTH
        yield Atom(escaped(shown), width * len(shown), token.spaced, _may_break(tokens, place))
        place += 1


def _may_break(tokens: Sequence[Token], place: int) -> bool:
    """Whether a line may begin with a token by the letters on its sides."""
    before, after = tokens[place - 1].text[-1:] if place else "", tokens[place].text[:1] or "f"
    return may_break(before or " ", after)


def _tokens(sentence: Sequence[object]) -> list[Token]:
    """The tokens of a sentence's strings, and its formulas as one token each."""
    found: list[Token] = []
    spaced = True
    for part in sentence:
        if isinstance(part, str):
            found.extend(tokens_of(part, spaced))
            spaced = part[-1:].isspace()
        elif isinstance(part, Expression):
            found.append(Token("expression", "", spaced, part))
            spaced = False
    return found


def _formula(parser: FormulaParser, typesetter: Typesetter) -> Iterator[Atom]:
    """Sides, with an equals sign before all but the first; the whole is read before anything is set."""
    spaced = parser.token.spaced
    sides = parser.sides()
    if len(sides) == 1 and isinstance(sides[0], Derivative):
        yield Atom(f"${typesetter.inline(sides[0])}$", typesetter.box(sides[0]).width + 1.0, spaced)
        return
    rows: list[tuple[Piece, ...]] = []
    for side in sides:
        box = typesetter.box(side)
        row = signed(enclosed(box) if len(sides) > 1 and isinstance(side, Comparison | Logic) else box)
        equals = glue(mark("{} = ", 1.5), row)
        # What is short stands on one line with what it is equal to.
        if rows and _width((*rows[-1], *equals)) <= _WIDEST_ATOM:
            rows[-1] = (*rows[-1], *equals)
        else:
            rows.append(equals if rows else row)
    for row in rows:
        for latex, width in _lines(row):
            yield Atom(f"${latex}$", width, spaced)
            spaced = True


def _lines(row: Sequence[Piece]) -> Iterator[tuple[str, float]]:
    """The row as one, or piece by piece where that is too wide to stand on a line."""
    if _width(row) <= _WIDEST_ATOM:
        yield row_latex(row, starts_line=True), _width(row)
        return
    for piece in row:
        yield row_latex((piece,), starts_line=True), piece.width


def _width(row: Sequence[Piece]) -> float:
    return sum(piece.width for piece in row)
