"""Work on a model: remarks on it first; after a fault of the tool itself, the shortest part that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from symbackprop.cli.console import say
from symbackprop.cli.progress import progress
from symbackprop.errors import is_internal
from symbackprop.languages.phrases import worded
from symbackprop.pipeline import Model
from symbackprop.verification.shrinking import fails_alike, shortest_failing

Result = TypeVar("Result")


def on_model(model: Model, work: Callable[[Model], Result], lang: str | None = None) -> Result:
    """What the work gives, after remarks on the model.

    An internal error leaves with the shortest part of the model that fails alike, as a note.
    """
    for line in model.remarks():
        say(worded("note: {said}", said=line), lang)
    try:
        with progress():
            return work(model)
    except Exception as error:
        if is_internal(error):
            said = worded(
                "an internal error: looking for the shortest part of the model that fails alike ..."
            )
            say(said, lang)
            fails = fails_alike(lambda system: work(Model(system)), error)
            error.add_note(shortest_failing(model.system, fails).source)
        raise
