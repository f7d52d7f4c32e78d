"""Whose name is whose, as the user says it: --map theirs=ours, and the table [audit] of a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from symbackprop.errors import LanguageError
from symbackprop.languages.other_programs import fault_of_toml
from symbackprop.languages.phrases import worded
from symbackprop.syntax.source import read_source


def mapping_of(options: Sequence[str], model: str) -> dict[str, str]:
    """Each of their names to ours, or a constant of ours to a number.

    An option is theirs=ours, several with commas, or a .toml file with a table [audit] of such pairs; a model
    in TOML may have that table itself. Raises LanguageError for anything else.
    """
    found: dict[str, str] = {}
    if Path(model).suffix.lower() == ".toml":
        found |= table_of(model)
    for option in options:
        if option.endswith(".toml"):
            found |= table_of(option)
            continue
        for pair in option.split(","):
            left, equals, right = (each.strip() for each in pair.partition("="))
            if not (left and equals and right):
                raise LanguageError(
                    worded("--map {pair} is no pair of names", pair=repr(pair.strip())),
                    remedy=worded("write --map theirs=ours, such as dw=W1"),
                )
            found[left] = right
    return found


def table_of(path: str) -> dict[str, str]:
    """The table [audit] of a TOML file; LanguageError where it is not one of names and numbers."""
    try:
        content = tomllib.loads(read_source(path).text)
    except tomllib.TOMLDecodeError as error:
        cause, line, _ = fault_of_toml(error)
        raise LanguageError(
            worded("line {line} of '{path}' is not TOML: {cause}", line=line, path=path, cause=cause),
            remedy=worded("see https://toml.io"),
        ) from error
    table = content.get("audit", {})
    if not isinstance(table, dict) or not all(isinstance(each, str | int | float) for each in table.values()):
        raise LanguageError(
            worded("the table [audit] of '{path}' does not hold names alone", path=path),
            remedy=worded('write theirs = "ours", such as dw = "W1"'),
        )
    return {theirs: str(ours) for theirs, ours in table.items()}
