"""What a standard stream's encoding can carry: a page has signs, and Japanese letters, that ASCII has not."""

from __future__ import annotations

import io
from typing import TextIO

from symbackprop.languages.language import Language

_LETTER = "\u8aa4"  # the first of the Japanese for back-propagation
_SIGNS = "\u2202\u2062\u2212"  # of pages: a partial derivative, a product without a sign, a minus


def carry_signs(stream: TextIO | None) -> None:
    """Have a stream that cannot hold every sign of a result write UTF-8, as files; a terminal, escapes."""
    if not isinstance(stream, io.TextIOWrapper):
        return
    if stream.isatty():
        stream.reconfigure(errors="backslashreplace")
    elif not _holds(stream, _LETTER + _SIGNS):
        stream.reconfigure(encoding="utf-8")


def language_on(stream: TextIO | None, language: Language) -> Language:
    """The language, or English where the stream has no letters for it."""
    return language if language is Language.ENGLISH or _holds(stream, _LETTER) else Language.ENGLISH


def _holds(stream: TextIO | None, signs: str) -> bool:
    try:
        signs.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
