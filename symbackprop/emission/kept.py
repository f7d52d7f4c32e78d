"""Modules that an earlier run has written: of the same text, by the same options and state of the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from symbackprop.emission.seal import is_as_written
from symbackprop.storage.folder import store, stored
from symbackprop.syntax.source import model_name


class KeptModule(NamedTuple):
    """The model's name, and the module's text as it was written."""

    model: str
    text: str


def question_of(path: str, options: Mapping[str, Any]) -> str | None:
    """What a module follows from; None where the model is in no file that can be read again."""
    file = Path(path)
    try:
        digits = sha256(file.read_bytes()).hexdigest() if file.is_file() else None
    except OSError:  # for who reads the model to say
        return None
    return digits and json.dumps(["module", model_name(path), file.suffix, digits, options], sort_keys=True)


def kept(question: str) -> KeptModule | None:
    """The module, as long as it bears its seal."""
    match stored(question):
        case [str(model), str(text)] if is_as_written(text):
            return KeptModule(model, text)
    return None


def keep(question: str, module: KeptModule) -> None:
    """Leave a module for later runs."""
    store(question, [*module])
