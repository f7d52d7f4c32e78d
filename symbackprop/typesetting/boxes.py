r"""Formulas as rows of pieces: what a LaTeX line is made of before it is known where it must break.

TeX does not break a displayed formula, and `\left( ... \right)` cannot be broken at all. So the printer
keeps a formula as a row of unbreakable pieces, chooses the size of delimiters itself, and breaks the row in
front of the outermost operator that fits. Widths are estimates, in ems of the text's font.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

OR, AND, NOT, COMPARISON, SUM, PRODUCT, POWER, ATOM, BASE = range(9)

# Delimiters that hold content of height 0 (a letter), 1 (with scripts), 2 (a sum or fraction), 3, 4.
_SIZES = ("", "big", "Big", "bigg", "Bigg")
_DELIMITER_WIDTHS = (0.4, 0.5, 0.6, 0.75, 0.85)


@dataclass(frozen=True)
class Piece:
    r"""A stretch of LaTeX that stays on one line.

    A line may begin with it; then `lead` stands in front (the `\cdot` of a product, or `{}` so that a sign
    keeps its spacing). `penalty` is 2 for each delimiter around it, and 1 more inside a product.
    """

    latex: str
    width: float
    penalty: int = 0
    lead: str = ""


class Begins(enum.Enum):
    """What a formula begins with, as far as a neighbour in a product has to know."""

    NUMBER = "a number"
    PARENTHESIS = "a parenthesis"
    OTHER = "anything else"


@dataclass(frozen=True)
class Box:
    """A formula: its pieces, how tightly it binds, how high it stands.

    `negative`: a minus sign in front is still to be written. `open_right`: whatever is written behind it
    would be read as part of it, as behind a sum. `is_name`: parentheses behind it would make it a function.
    """

    pieces: tuple[Piece, ...]
    level: int = BASE
    height: int = 0
    negative: bool = False
    open_right: bool = False
    is_name: bool = False
    begins: Begins = Begins.OTHER

    @property
    def width(self) -> float:
        """The width in ems on one line."""
        return sum(piece.width for piece in self.pieces)

    @property
    def latex(self) -> str:
        """The formula on one line, without a pending minus sign."""
        return "".join(piece.latex for piece in self.pieces)


def leaf(latex: str, width: float, level: int = BASE, height: int = 0) -> Box:
    """A formula that is one piece."""
    return Box((Piece(latex, width),), level, height)


def glue(*rows: Sequence[Piece]) -> tuple[Piece, ...]:
    """Rows side by side, with no place to break between one and the next."""
    joined: list[Piece] = []
    for row in rows:
        if joined and row:
            last, first = joined.pop(), row[0]
            joined.append(replace(last, latex=last.latex + first.latex, width=last.width + first.width))
            joined.extend(row[1:])
        else:
            joined.extend(row)
    return tuple(joined)


def deeper(row: Sequence[Piece], penalty: int) -> tuple[Piece, ...]:
    """The same row, less welcome as a place to break."""
    return tuple(replace(piece, penalty=piece.penalty + penalty) for piece in row)


def mark(latex: str, width: float = 0.0) -> tuple[Piece, ...]:
    """A row of one piece: punctuation, an operator, a delimiter."""
    return (Piece(latex, width),)


def signed(box: Box) -> tuple[Piece, ...]:
    """The pieces with the minus sign, where there is one."""
    return glue(mark("-", 0.8), box.pieces) if box.negative else box.pieces


def row_latex(row: Sequence[Piece], starts_line: bool = False) -> str:
    """The text of a row of pieces; where it starts a line, its first operator keeps its spacing."""
    lead = row[0].lead if starts_line and row else ""
    return lead + "".join(piece.latex for piece in row)


def delimiter(symbol: str, height: int, opening: bool) -> tuple[Piece, ...]:
    """A parenthesis, bracket or bar that fits around content of that height."""
    size = min(height, len(_SIZES) - 1)
    if symbol == "|" and size == 0:
        latex = r"\lvert " if opening else r"\rvert "
    elif size == 0:
        latex = symbol
    else:
        latex = f"\\{_SIZES[size]}{'l' if opening else 'r'}{symbol}"
    return mark(latex, _DELIMITER_WIDTHS[size])


def enclosed(box: Box, left: str = "(", right: str = ")") -> Box:
    """The formula in parentheses; it may still break inside them."""
    row = glue(delimiter(left, box.height, True), deeper(signed(box), 2), delimiter(right, box.height, False))
    return Box(row, BASE, box.height, begins=Begins.PARENTHESIS if left == "(" else Begins.OTHER)


def at_level(box: Box, level: int) -> Box:
    """The formula, in parentheses where it binds less tightly than its place asks for."""
    return box if (SUM if box.negative else box.level) >= level else enclosed(box)


def break_row(row: Sequence[Piece], first_width: float, width: float) -> list[tuple[Piece, ...]]:
    """Cut a row into lines no wider than asked for, wherever that is possible.

    Each cut is at the least penalty among the places that fit, and at the last of these.
    """
    lines: list[tuple[Piece, ...]] = []
    start, room = 0, first_width
    while sum(piece.width for piece in row[start:]) > room:
        cut = _best_cut(row, start, room)
        if cut is None:
            break
        lines.append(tuple(row[start:cut]))
        start, room = cut, width
    lines.append(tuple(row[start:]))
    return lines


def _best_cut(row: Sequence[Piece], start: int, room: float) -> int | None:
    used, best = 0.0, None
    for place in range(start + 1, len(row)):
        used += row[place - 1].width
        if used > room and best is not None:
            break
        if best is None or row[place].penalty <= row[best].penalty:
            best = place
    return best
