"""Models from files: the model language, or a layered network as TOML."""

from __future__ import annotations

import importlib
from pathlib import Path

from symbackprop.errors import LanguageError
from symbackprop.language.model import parse_system
from symbackprop.languages.phrases import worded
from symbackprop.syntax.source import STANDARD_INPUT, model_name, read_source
from symbackprop.systems.system import System


def load_system(path: str | Path) -> System:
    """The system that a file states: `.toml` is a layered network, `.model` or no suffix the model language.

    "-" reads the model language from standard input. Raises LanguageError where the file cannot be read or
    is not a model, and NotationError as `language.model.parse_system` does.
    """
    suffix = "" if str(path) == STANDARD_INPUT else Path(path).suffix.lower()
    source = read_source(path)
    if suffix == ".toml":
        # Loaded at first use: pydantic costs 100 ms, which a model in the model language should not pay.
        tables = importlib.import_module("symbackprop.layers.tables")
        system: System = tables.parse_toml(source.text, model_name(path), source.name)
        return system
    if suffix not in ("", ".model"):
        raise LanguageError(
            worded("'{path}' is neither a .model nor a .toml file", path=path),
            remedy=worded("a model ends in .model, a layered network in .toml; '-' reads standard input"),
        )
    return parse_system(source.text, model_name(path), source.name)
