"""The catalogue: every layer and loss, read from the files in `formulas/`.

To add a layer, write a file there; `layer_file` says how. Nothing else has to know of it: TOML, the Python
names, the JSON schema and the catalogue's page follow from the file.
"""

from __future__ import annotations

import difflib
import importlib.resources
from collections.abc import Iterable, Mapping

from symbackprop.errors import RecordError
from symbackprop.language.familiar import did_you_mean
from symbackprop.languages.phrases import Message, worded
from symbackprop.layers.layer_file import LayerFormula, read_layer


def _formulas() -> Mapping[str, LayerFormula]:
    """A kind to its formula, in alphabetical order of the files."""
    folder = importlib.resources.files("symbackprop.layers").joinpath("formulas")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return formulas_of(
        {file.name: file.read_text(encoding="utf-8") for file in files if file.name.endswith(".layer")}
    )


def formulas_of(files: Mapping[str, str]) -> Mapping[str, LayerFormula]:
    """A kind to its formula, of files with these names and texts; RecordError where two give one name."""
    found: dict[str, LayerFormula] = {}
    given_by: dict[str, str] = {}
    for name, text in files.items():
        for formula in read_layer(name.removesuffix(".layer"), text):
            origin = name if formula.kind == name.removesuffix(".layer") else f"another name in {name}"
            if formula.kind in found:
                raise RecordError(
                    worded(
                        "two layers are called '{formula}': by {given_by} and by {origin}",
                        formula=formula.kind,
                        given_by=given_by[formula.kind],
                        origin=origin,
                    ),
                    remedy=worded("rename one; a function whose record has a title is a layer of its name"),
                )
            found[formula.kind], given_by[formula.kind] = formula, origin
    return found


CATALOGUE: Mapping[str, LayerFormula] = _formulas()
"""A kind of layer or loss to its formula."""

LAYERS: Mapping[str, LayerFormula] = {
    kind: formula for kind, formula in CATALOGUE.items() if not formula.is_loss
}
LOSSES: Mapping[str, LayerFormula] = {kind: formula for kind, formula in CATALOGUE.items() if formula.is_loss}

ACTIVATIONS: Mapping[str, LayerFormula] = {
    kind: formula for kind, formula in LAYERS.items() if formula.is_activation
}
"""The layers that can follow another as its `activation`."""

PYTHON_NAMES: Mapping[str, LayerFormula] = {formula.python: formula for formula in CATALOGUE.values()}
"""The names of the Python face: `Conv2d` for the kind `conv2d`."""


def closest(name: str, known: Iterable[str]) -> Message:
    """Advice where a name is not among the known ones: the one most like it, else all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return did_you_mean(close[0]) if close else worded("there are {names}", names=", ".join(names))


def unknown_name(module: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that a module does not have, with the known one that is most like it."""
    by_letters = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(name.casefold(), by_letters, n=1, cutoff=0.7)
    advice = f"; did you mean '{by_letters[close[0]]}'?" if close else f"; dir({module}) lists what it has"
    # With its name set, Python adds no advice of its own.
    return AttributeError(f"module '{module}' has no attribute '{name}'{advice}", name=name)
