"""Reading a network from TOML: the tables' content, and messages that know the line."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from symbackprop.errors import LanguageError, Place
from symbackprop.languages.other_programs import fault_of_toml
from symbackprop.languages.phrases import marked, worded
from symbackprop.layers.axes import SIZE_WORDS
from symbackprop.layers.catalogue import closest
from symbackprop.layers.expanding import network_system
from symbackprop.layers.network import NetworkError, Path
from symbackprop.layers.tables import TABLES, NetworkTable
from symbackprop.syntax.nodes import Span
from symbackprop.syntax.source import Source, source_of
from symbackprop.systems.system import System


def parse_toml(text: str, name: str = "model", source_name: str | None = None) -> System:
    """The system of equations of a layered network that a TOML text describes.

    Raises LanguageError, with the line, where the text is not TOML, where a table does not have the shape of
    `toml_schema`, or where the layers do not fit together.
    """
    source = source_of(text, source_name or name)
    try:
        table = NetworkTable.model_validate(_content(source))
        return network_system(table.network(name))
    except ValidationError as error:
        raise _explained(error.errors()[0], source) from None
    except NetworkError as error:
        raise LanguageError(error.cause, place=_place(error.path, source), remedy=error.remedy) from None


def _content(source: Source) -> dict[str, Any]:
    try:
        return tomllib.loads(source.text)
    except RecursionError:
        raise LanguageError(
            worded("the TOML is nested too deeply"),
            place=Place(source.name, 1, 1, ""),
            remedy=worded("see the schema"),
        ) from None
    except ValueError as error:
        cause, line, column = fault_of_toml(error)
        raise LanguageError(
            worded("the file is not TOML: {cause}", cause=cause),
            place=source.place(Span(line, column, line, column + 1)),
            remedy=worded("a line is a key = value, a [table], a [[layer]] or a # comment"),
        ) from None


def _explained(error: ErrorDetails, source: Source) -> LanguageError:
    """What does not fit the tables, in words: the key, its value and what it should be."""
    path = error["loc"]
    keys, place = [part for part in path if isinstance(part, str)], _place(path, source)
    fields = TABLES.get(keys[0] if len(keys) > 1 else "", NetworkTable).model_fields
    key = keys[-1] if len(keys) < 3 else keys[1]
    if error["type"] == "extra_forbidden":
        return LanguageError(worded("unknown key '{key}'", key=key), place=place, remedy=closest(key, fields))
    known = fields[key].description if key in fields else None
    description = (
        SIZE_WORDS if keys[0] == "sizes" else worded(known or marked("a number, a word, or true or false"))
    )
    if error["type"] == "missing":
        remedy = worded("give {description}", description=description)
        return LanguageError(worded("the key '{key}' is missing", key=key), place=place, remedy=remedy)
    shown = json.dumps(error["input"], default=str)
    shown = shown if len(shown) <= 40 else shown[:40] + "..."
    remedy = worded("it is {description}", description=description)
    return LanguageError(
        worded("'{key}' cannot be {shown}", key=key, shown=shown), place=place, remedy=remedy
    )


def _place(path: Path, source: Source) -> Place:
    """The line that a path leads to: the key's, else its table's; without a line where neither is written."""
    table, *rest = path
    keys = [part for part in rest if isinstance(part, str)]
    number = next((part for part in rest if isinstance(part, int)), 0)
    headers = [line for line, name in _headers(source) if name == table]
    if number < len(headers):
        start = headers[number]
        line = _line_of_key(keys[0], source, start) if keys else None
        return _whole_line(line or start, source)
    line = _line_of_key(str(table), source, 0)
    return _whole_line(line, source) if line else Place(source.name, 1, 1, "")


def _headers(source: Source) -> list[tuple[int, str]]:
    """The lines that open a table, counted from 1, and the tables' names."""
    found = [
        (line, re.match(r"\s*\[\[?\s*(\w+)\s*\]", text)) for line, text in enumerate(source.lines, start=1)
    ]
    return [(line, match[1]) for line, match in found if match]


def _line_of_key(key: str, source: Source, start: int) -> int | None:
    """The line that sets a key of the table that opens at line `start`; 0 is the top of the file."""
    after = [line for line, _ in _headers(source) if line > start]
    for line in range(start + 1, after[0] if after else len(source.lines) + 1):
        if re.match(rf"\s*{re.escape(key)}\s*=", source.lines[line - 1]):
            return line
    return None


def _whole_line(line: int, source: Source) -> Place:
    text = source.lines[line - 1]
    indent = len(text) - len(text.lstrip())
    return source.place(Span(line, indent + 1, line, len(text.rstrip()) + 1))
