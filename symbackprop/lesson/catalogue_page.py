"""The catalogue as a page in Markdown: each layer and loss with its formula and its derived gradient."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass

from symbackprop.derivation.driver import derive
from symbackprop.emission.environment import render
from symbackprop.errors import NotationError
from symbackprop.languages.phrases import worded
from symbackprop.layers.catalogue import ACTIVATIONS, CATALOGUE, LAYERS, LOSSES, closest
from symbackprop.layers.layer_file import LayerFormula
from symbackprop.layers.options import Option, value_text
from symbackprop.layers.sequential import layer_class
from symbackprop.layers.specimen import specimen, specimen_gradients, specimen_options
from symbackprop.lesson.document import Document, Equations
from symbackprop.lesson.lesson import result_document
from symbackprop.lesson.markdown import markdown_fragment
from symbackprop.systems.system import System
from symbackprop.typesetting.formulas import Typesetter
from symbackprop.typesetting.symbols import symbols_in


@dataclass(frozen=True)
class Row:
    """A line of the table of contents."""

    link: str
    python: str
    title: str


@dataclass(frozen=True)
class OptionRow:
    """A line of the table of options."""

    name: str
    default: str
    description: str


@dataclass(frozen=True)
class Entry:
    """The strings of one layer's section; `rows` are those of the layer and of its other names."""

    kind: str
    title: str
    description: str
    shapes: str
    source: str
    signature: str
    options: tuple[OptionRow, ...]
    body: str
    chosen: str
    equations: str
    gradients: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Part:
    """Layers, or losses."""

    title: str
    entries: tuple[Entry, ...]


def catalogue_page() -> str:
    """The whole page."""
    parts = (Part("Layers", _entries(LAYERS.values())), Part("Losses", _entries(LOSSES.values())))
    activations = ", ".join(f"`{kind}`" for kind in sorted(ACTIVATIONS))
    return render("catalogue/page.md.j2", parts=parts, activations=activations).rstrip("\n") + "\n"


def catalogue_entry(kind: str) -> str:
    """The section on one layer or loss, under the name of its file; NotationError for no such kind."""
    if kind not in CATALOGUE:
        raise NotationError(
            worded("the catalogue has no '{kind}'", kind=kind), remedy=closest(kind, CATALOGUE)
        )
    family = [each for each in CATALOGUE.values() if each.body == CATALOGUE[kind].body]
    return render("catalogue/entry.md.j2", entry=_entry(family)).strip("\n") + "\n"


def _entries(formulas: Iterable[LayerFormula]) -> tuple[Entry, ...]:
    """A section for each file, which tells of its other names too."""
    families: dict[str, list[LayerFormula]] = {}
    for formula in formulas:
        families.setdefault(formula.body, []).append(formula)
    return tuple(_entry(family) for family in families.values())


def _entry(family: list[LayerFormula]) -> Entry:
    formula = family[0]
    system = specimen(formula)
    derivation = derive(system, specimen_gradients(system))
    typesetter = Typesetter(symbols_in(derivation))
    return Entry(
        kind=formula.kind,
        title=formula.title,
        description=_in_table(formula.description),
        shapes=_in_text(formula.shapes),
        source=formula.source,
        signature=f"{formula.python}{inspect.signature(layer_class(formula.python))}",
        options=tuple(_option_row(option) for option in formula.options),
        body=formula.body.strip("\n"),
        chosen=_chosen(formula),
        equations=_equations(system, typesetter),
        gradients=markdown_fragment(result_document(derivation), typesetter).strip("\n"),
        rows=tuple(_row(each, formula.kind) for each in family),
    )


def _row(formula: LayerFormula, section: str) -> Row:
    return Row(f"[`{formula.kind}`](#{section})", formula.python, _in_table(formula.title))


def _option_row(option: Option) -> OptionRow:
    shown = "" if option.default is None else f"`{value_text(option.default).lower()}`"
    return OptionRow(
        option.name, shown or "has to be given", _in_table(f"{option.description}: {option.type.words}")
    )


def _chosen(formula: LayerFormula) -> str:
    """Which options the equations are written with."""
    options = specimen_options(formula)
    if not options:
        return "As equations:" if not formula.options else "With the default options:"
    shown = [f"`{name}` = {value_text(value)}" for name, value in options.items()]
    return f"With {', '.join(shown)}:"


def _equations(system: System, typesetter: Typesetter) -> str:
    lines = tuple((equation.element, equation.expression) for equation in system.equations)
    shown = [line for line in lines if line[0].tensor != system.loss or not _is_probe(system)]
    document = Document(system.name, (Equations(tuple(shown)),))
    return markdown_fragment(document, typesetter).strip("\n")


def _is_probe(system: System) -> bool:
    """Whether the loss is only there to have something come back to the layer's output."""
    return system.definitions[system.loss or ""].reads[0].endswith("bar")


def _in_table(words: str) -> str:
    return words.replace("|", r"\|")


def _in_text(words: str) -> str:
    return words.replace("*", r"\*").replace("_", r"\_")
