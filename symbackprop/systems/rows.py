"""Text that knows where it may go on in another line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

PER_DEPTH = 4


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
