"""The languages that symbackprop speaks, and which of them an environment asks for."""

from __future__ import annotations

import enum
from collections.abc import Mapping

# In the order of GNU gettext. LANGUAGE, a list, goes before them where they name no plain locale.
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_PLAIN_LOCALES = ("", "C", "POSIX")


class Language(enum.Enum):
    """A language by its ISO 639 code. English is that of the phrases themselves."""

    ENGLISH = "en"
    JAPANESE = "ja"


def language_of(environment: Mapping[str, str]) -> Language:
    """The language of an environment such as LANG=ja_JP.UTF-8; English where it asks for none or another."""
    locale = next((environment[name] for name in _LOCALE_VARIABLES if environment.get(name)), "")
    if locale.partition(".")[0] in _PLAIN_LOCALES:
        return Language.ENGLISH
    wanted = [*environment.get("LANGUAGE", "").split(":"), locale]
    codes = [each.replace("-", "_").partition("_")[0].partition(".")[0] for each in wanted]
    known = {language.value: language for language in Language}
    return next((known[code] for code in codes if code in known), Language.ENGLISH)
