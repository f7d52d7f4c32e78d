"""Pieces of Python expressions, and how tightly each binds."""

from __future__ import annotations

from dataclasses import dataclass

# From loosest to tightest.
CHOICE, COMPARISON, EITHER, BOTH, SUM, PRODUCT, SIGN, POWER, ATOM = range(9)


@dataclass(frozen=True)
class Piece:
    """Source text and how tightly its outermost operator binds."""

    text: str
    level: int = ATOM

    def at(self, level: int) -> str:
        """The text, in parentheses where it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


def slice_text(start: str, stop: str, step: str = "") -> str:
    """`1:`, `r : r + 2 * A : 2`: with spaces round the colons where a part is no plain name or number."""
    parts = [start, stop, *([step] if step else [])]
    if all(_is_plain(part) for part in parts):
        return ":".join(parts)
    return " : ".join(parts).strip().replace(" :  : ", " :: ")


def _is_plain(part: str) -> bool:
    bare = part.removeprefix("-")
    return not bare or bare.isidentifier() or bare.isdigit()
