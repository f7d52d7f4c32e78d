"""The languages that symbackprop speaks, and which of them an environment asks for."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

# In the order of GNU gettext. LANGUAGE, a list, goes before them where they name no plain locale.
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_PLAIN_LOCALES = ("", "C", "POSIX")


class Language(enum.Enum):
    """A language by its ISO 639 code. English is that of the phrases themselves."""

    ENGLISH = "en"
    JAPANESE = "ja"


def language_asked(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """The language of `--lang ja` or `--lang=ja` among a command's arguments, or else of the environment."""
    known = {language.value: language for language in Language}
    for before, argument in zip(("", *arguments), arguments, strict=False):
        code = argument.removeprefix("--lang=") if argument.startswith("--lang=") else argument
        if (before == "--lang" or code != argument) and code in known:
            return known[code]
    return language_of(environment)


def language_of(environment: Mapping[str, str]) -> Language:
    """The language of an environment such as LANG=ja_JP.UTF-8; English where it asks for none or another."""
    locale = next((environment[name] for name in _LOCALE_VARIABLES if environment.get(name)), "")
    if locale.partition(".")[0] in _PLAIN_LOCALES:
        return Language.ENGLISH
    wanted = [*environment.get("LANGUAGE", "").split(":"), locale]
    codes = [each.replace("-", "_").partition("_")[0].partition(".")[0] for each in wanted]
    known = {language.value: language for language in Language}
    return next((known[code] for code in codes if code in known), Language.ENGLISH)
