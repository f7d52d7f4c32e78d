"""Catalogues of translations: GNU gettext's .po files, read as they are.

They are text that a person edits and a diff shows; no compiled copy beside them can be out of date. What a
catalogue does not have stays English.
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Protocol

from symbackprop.languages.language import Language

_FIELD = re.compile(r'(?:(?P<field>msgid|msgstr)\s+)?(?P<quoted>"(?:[^"\\]|\\.)*")\s*')


class _Binary(Protocol):
    def read(self) -> bytes: ...


class PortableCatalogue(gettext.NullTranslations):
    """The translations of a .po file; those marked fuzzy are not used. ValueError for what is no .po file."""

    def _parse(self, fp: _Binary) -> None:
        self.messages: Mapping[str, str] = dict(_entries(fp.read().decode("utf-8")))

    def gettext(self, message: str) -> str:
        """The message's translation, or itself."""
        return self.messages.get(message) or message


@cache
def catalogue(language: Language) -> gettext.NullTranslations:
    """The translations into a language; English has none."""
    if language is Language.ENGLISH:
        return gettext.NullTranslations()
    return PortableCatalogue(BytesIO(catalogue_file(language).read_bytes()))


def catalogue_file(language: Language) -> Path:
    """Where a language's catalogue stands: where Babel and GNU gettext look for it."""
    return Path(__file__).parent / language.value / "LC_MESSAGES" / "symbackprop.po"


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Message and translation of each entry; the head, whose message is empty, is left out."""
    for entry in re.split(r"\n\s*\n", text):
        lines = entry.splitlines()
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            continue
        found = {"msgid": "", "msgstr": ""}
        field = ""
        for line in lines:
            if not line.strip() or line.startswith("#"):
                continue
            match = _FIELD.fullmatch(line)
            if match is None or not (field or match["field"]):
                raise ValueError(f"this is no line of a catalogue: {line[:80]}")
            field = match["field"] or field
            found[field] += ast.literal_eval(match["quoted"])
        if found["msgid"]:
            yield found["msgid"], found["msgstr"]
