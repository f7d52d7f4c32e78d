"""Text that knows where it may go on in another line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.languages.columns import NO_BREAK

PER_DEPTH = 4
SHORT, LONG = 32, 52  # columns of a formula, and of its terms, that stay on one line of a sentence


@dataclass(frozen=True, slots=True)
class Break:
    """A place in front of which a line may end: the higher its penalty, the rather elsewhere.

    A sum breaks at 0, a product and `and` at 1, a fraction and a compared sum at 2, behind a comma at 3; each
    pair of parentheses around it adds PER_DEPTH. Numbers, elements and derivatives stay whole.
    """

    penalty: int


Row: TypeAlias = tuple[str | Break, ...]


def row_text(row: Row) -> str:
    """A row on one line."""
    return "".join([part for part in row if isinstance(part, str)])


def row_in_sentence(row: Row) -> str:
    """A row as a part of a sentence: the spaces at which no line should end do not break.

    A short formula stays whole; within a longer one a line ends between the terms of a sum, where there are
    some, and elsewhere in what is long still.
    """
    kinds = [part.penalty % PER_DEPTH for part in row if isinstance(part, Break)]
    pieces: list[list[str]] = [[""]]
    for before, part in zip(("", *row), row, strict=False):
        if isinstance(part, str):
            glued = part.replace(" ", NO_BREAK)
            if isinstance(before, Break) and part.startswith(" "):
                glued = f" {glued[1:]}"
                if before.penalty % PER_DEPTH == min(kinds):
                    pieces.append([])
            pieces[-1].append(glued)
    whole = "".join(map(_piece_in_sentence, pieces))
    return whole if len(whole) > SHORT else whole.replace(" ", NO_BREAK)


def _piece_in_sentence(parts: Sequence[str]) -> str:
    first, *others = parts
    whole = "".join(others)
    return first + (whole if len(first + whole) > LONG else whole.replace(" ", NO_BREAK))


def enclosed(opening: str, inside: Row) -> Row:
    """A row in parentheses."""
    deeper = [part if isinstance(part, str) else Break(part.penalty + PER_DEPTH) for part in inside]
    return (opening, *deeper, ")")


def joined_rows(separator: Row, rows: Iterable[Row]) -> Row:
    """The rows one behind another, with a separator between them."""
    found: list[str | Break] = []
    for row in rows:
        if found:
            found += separator
        found += row
    return tuple(found)
