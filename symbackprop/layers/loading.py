"""Models from files: the model language, or a layered network as TOML."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from symbackprop.errors import LanguageError
from symbackprop.language.model import parse_system
from symbackprop.languages.phrases import worded
from symbackprop.syntax.source import STANDARD_INPUT, model_name, read_source
from symbackprop.systems.system import System

# After comments and empty lines: [input], [[layer]], or name = "...".
_BEGINS_AS_TOML = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*(?:\[|name[ \t]*=[ \t]*[\"'])")


def load_system(path: str | Path) -> System:
    """The system that a file states: `.toml` is a layered network, `.model` or no suffix the model language.

    "-" reads standard input, which is TOML where it begins with a table or a quoted name. Raises
    LanguageError where the file cannot be read or is not a model, and NotationError as
    `language.model.parse_system` does.
    """
    source = read_source(path)
    suffix = _suffix_of(source.text) if str(path) == STANDARD_INPUT else Path(path).suffix.lower()
    if suffix == ".toml":
        # Loaded at first use: pydantic costs 100 ms, which a model in the model language should not pay.
        tables = importlib.import_module("symbackprop.layers.toml_file")
        system: System = tables.parse_toml(source.text, model_name(path), source.name)
        return system
    if suffix not in ("", ".model"):
        raise LanguageError(
            worded("'{path}' is neither a .model nor a .toml file", path=path),
            remedy=worded("a model ends in .model, a layered network in .toml; '-' reads standard input"),
        )
    return parse_system(source.text, model_name(path), source.name)


def _suffix_of(text: str) -> str:
    """The suffix of a file with this text; no statement of the model language begins as TOML does."""
    return ".toml" if _BEGINS_AS_TOML.match(text) else ".model"
