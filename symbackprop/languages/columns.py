"""Text in columns of a terminal, where a Japanese letter is as wide as two Latin ones.

A line may break at a space and beside a letter that is wide; not in front of what closes (a full stop, a
bracket) nor behind what opens, nor at a no-break space, which is printed as a space.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

NO_BREAK = "\u00a0"
DEFAULT_WIDTH = 100  # of a page of text
_GLUE = "\0"  # what no splitting at white space takes for a space


def is_wide(letter: str) -> bool:
    """Whether a letter has two columns."""
    return unicodedata.east_asian_width(letter) in "WF"


def columns(text: str) -> int:
    """How many columns a text has."""
    return len(text) if text.isascii() else sum(1 + is_wide(letter) for letter in text)


def padded(text: str, width: int, to_the_right: bool = False) -> str:
    """The text with spaces up to a width, behind it or in front of it."""
    spaces = " " * (width - columns(text))
    return spaces + text if to_the_right else text + spaces


def may_break(before: str, after: str) -> bool:
    """Whether a line may end between two letters that have no space between them."""
    closes = unicodedata.category(after) in ("Pe", "Pf", "Po") or "SMALL LETTER" in _kana(after)
    opens = unicodedata.category(before) in ("Ps", "Pi")
    return (is_wide(before) or is_wide(after)) and not closes and not opens


def wrapped(text: str, width: int, indent: str = "", hang: str = "") -> list[str]:
    """Lines of at most `width` columns, the first behind `indent`, others behind `hang`; words stay whole."""
    return [line.replace(_GLUE, " ") for line in _lines(text.replace(NO_BREAK, _GLUE), width, indent, hang)]


def _lines(text: str, width: int, indent: str, hang: str) -> list[str]:
    if text.isascii():
        return textwrap.wrap(
            text,
            width,
            initial_indent=indent,
            subsequent_indent=hang,
            break_long_words=False,
            break_on_hyphens=False,
        )
    lines, is_empty = [indent], True
    for chunk in _chunks(text):
        if not is_empty and columns(lines[-1] + chunk) > width:
            lines.append(hang)
            is_empty = True
        lines[-1] += chunk.lstrip() if is_empty else chunk
        is_empty = False
    return lines


def _chunks(text: str) -> Iterator[str]:
    """What stays together, each with the space before it."""
    for place, word in enumerate(text.split()):
        chunk = " " * (place > 0)
        for before, letter in zip(" " + word, word, strict=False):
            if before != " " and may_break(before, letter):
                yield chunk
                chunk = ""
            chunk += letter
        yield chunk


def _kana(letter: str) -> str:
    """The name of a small kana or of the mark that lengthens a vowel, which begin no line."""
    name = unicodedata.name(letter, "")
    is_mark = name == "KATAKANA-HIRAGANA PROLONGED SOUND MARK"
    return "SMALL LETTER" if is_mark else name if "KANA" in name else ""
