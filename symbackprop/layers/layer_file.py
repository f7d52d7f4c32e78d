"""How a layer is written down: one file, which says what it is, what it can be told and what it computes.

    # Title
    #
    # What it does.
    #
    # Shapes: x: (N, I), W: (J, I), y: (N, J).
    #
    # Source: paper, year, section.
    option units: axis             # the number of units
    option bias: switch = true     # whether a constant is added
    also twin: bias = false        # the layer under another name, with options chosen: what that is
    also each: gate                # it under the name of each function that the option can be
    python twin TWIN               # the name in Python, where it is not the name in capitalised words
    is loss                        # what it can stand for: a loss, or an activation behind any layer
    rest n
    index i : I
    index j : J = units
    input x[n,i]
    param W[j,i]{, b[j] when bias}
    y[n,j] = sum(i, W[j,i]*x[n,i]) {+ b[j] when bias}

Below the options stands a model in the model language with names of its own, and two additions: an option's
name stands for its value, and `{text when condition}`, perhaps `{text when condition else text}`, is there
only where the options say so. Such texts may be nested, and each has its brackets in pairs; what is a call or
only its argument is written `{pad when padding > 0}(x[n,i + 1])` (`syntax/layer.lark` has the grammar).

The first `input` is what comes before; `rest n` makes n any number of axes in front, such as batch and time,
or none, and `batch n` just one. An axis that the input does not have is a new one, whose size is arithmetic
over options and the sizes of other axes. The last equation is the layer's output; one that is called y is
the network's where the layer is the last. A loss has a `target` and marks its `loss`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from symbackprop.errors import LanguageError, Place
from symbackprop.functions.table import FUNCTIONS
from symbackprop.languages.phrases import worded
from symbackprop.layers.naming import python_name
from symbackprop.layers.network import OptionValue
from symbackprop.layers.options import ELEMENTWISE, OPTION_TYPES, Option, one_of, value_of
from symbackprop.syntax.alternatives import Body
from symbackprop.syntax.parsing import read_body
from symbackprop.syntax.source import Source

_HEADER = re.compile(
    r"(?P<word>option|also|python|is|rest|batch)\s+(?P<name>\w+)(?P<more>[^#]*)(?:#\s*(?P<comment>.*))?"
)
ROLES = ("loss", "activation")
_OPTION = re.compile(r":\s*(?P<type>\w+)(?:\s*=\s*(?P<default>\S+))?")
_ONE_OF = re.compile(r":\s*(?P<values>\S+(?:\s*\|\s*\S+)+)")
_EACH = re.compile(r":\s*(?P<option>\w+)")
_PRESET = re.compile(r":\s*(?P<option>\w+)\s*=\s*(?P<value>\S+)")


@dataclass(frozen=True)
class LayerFormula:
    """A layer or loss: what its file says, and its formula as text.

    `file` has the lines of the formula at the places that they have in the layer's file, without comments.
    `role` is "loss" or "activation" where its file says that it is one. `presets` are the options that its
    kind has chosen already.
    """

    kind: str
    python: str
    title: str
    description: str
    shapes: str
    source: str
    options: tuple[Option, ...]
    role: str
    rest: str
    is_batch: bool
    body: str
    file: Source
    presets: Mapping[str, OptionValue]

    @cached_property
    def alternatives(self) -> Body:
        """The formula, with what its options choose apart; LanguageError where that does not pair."""
        text = self.file.text
        return read_body(self.file, len(text) - len(text.lstrip("\n")))

    @property
    def is_loss(self) -> bool:
        """Whether it is a loss, which compares with a target."""
        return self.role == "loss"

    @property
    def is_activation(self) -> bool:
        """Whether it can follow any layer as its activation: values in, as many out, nothing to learn."""
        return self.role == "activation" and not any(option.is_required for option in self.options)


@dataclass
class _Header:
    """What the lines above the formula declare, and the lines of the formula."""

    options: list[Option] = field(default_factory=list)
    others: list[_OtherName] = field(default_factory=list)
    python: dict[str, str] = field(default_factory=dict)
    role: str = ""
    rest: str = ""
    is_batch: bool = False
    body: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _OtherName:
    """The layer as another kind, for which an option is chosen."""

    kind: str
    option: str
    value: OptionValue
    title: str
    class_name: str = ""


def read_layer(kind: str, text: str) -> tuple[LayerFormula, ...]:
    """The layer of a file, and it under its other names; LanguageError where a header line is wrong."""
    lines = text.splitlines()
    opening = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    title, fields = _documentation([line.removeprefix("#").strip() for line in lines[:opening]])
    header = _Header()
    for number, line in enumerate(lines[opening:], start=opening + 1):
        _read_line(line, Place(f"{kind}.layer", number, 1, line), header)
    layer = LayerFormula(
        kind=kind,
        python=header.python.get(kind, python_name(kind)),
        title=title,
        description=fields[""],
        shapes=fields["Shapes"],
        source=fields["Source"],
        options=tuple(header.options),
        role=header.role,
        rest=header.rest,
        is_batch=header.is_batch,
        body="\n".join(header.body).strip("\n"),
        file=Source(f"{kind}.layer", _formula_in_place(lines)),
        presets={},
    )
    return layer, *(_under_other_name(layer, other, header) for other in header.others)


def _formula_in_place(lines: list[str]) -> str:
    formula = ["" if _HEADER.fullmatch(line) else line.partition("#")[0].rstrip() for line in lines]
    return "\n".join(formula).rstrip("\n")


def _under_other_name(layer: LayerFormula, other: _OtherName, header: _Header) -> LayerFormula:
    return replace(
        layer,
        kind=other.kind,
        python=header.python.get(other.kind, other.class_name or python_name(other.kind)),
        title=other.title,
        options=tuple(option for option in layer.options if option.name != other.option),
        presets={other.option: other.value},
    )


def _read_line(line: str, place: Place, header: _Header) -> None:
    match = _HEADER.fullmatch(line)
    if match is None:
        header.body.append(line)
        return
    match match["word"]:
        case "option":
            header.options.append(_option(match, place))
        case "also":
            header.others.extend(_also(match, place))
        case "python":
            header.python[match["name"]] = match["more"].strip()
        case "is" if match["name"] in ROLES:
            header.role = match["name"]
        case "is":
            raise LanguageError(
                worded("'{name}' is nothing that a layer can be", name=match["name"]),
                place=place,
                remedy=worded("write one of: {forms}", forms=", ".join(f"is {role}" for role in ROLES)),
            )
        case word:
            header.rest, header.is_batch = match["name"], word == "batch"


def _documentation(lines: list[str]) -> tuple[str, dict[str, str]]:
    """The title, and the paragraphs below it: what has no label, `Shapes:` and `Source:`."""
    fields = {"": "", "Shapes": "", "Source": ""}
    for paragraph in "\n".join(lines[1:]).split("\n\n"):
        label, colon, content = paragraph.strip().partition(":")
        if colon and label in fields:
            fields[label] = " ".join(content.split())
        else:
            fields[""] = f"{fields['']}\n\n{' '.join(paragraph.split())}".strip()
    return lines[0], fields


def _option(header: re.Match[str], place: Place) -> Option:
    description = header["comment"] or ""
    listed = _ONE_OF.fullmatch(header["more"].strip())
    if listed:
        values = tuple(value_of(each.strip()) for each in listed["values"].split("|"))
        return Option(header["name"], one_of(values), description, values[0])
    match = _OPTION.fullmatch(header["more"].strip())
    if match is None or match["type"] not in OPTION_TYPES:
        raise LanguageError(
            worded("this line declares no option"),
            place=place,
            remedy=worded(
                "write option name: type = default, with a type of {types}, or a | b",
                types=", ".join(OPTION_TYPES),
            ),
        )
    default = None if match["default"] is None else value_of(match["default"])
    return Option(header["name"], OPTION_TYPES[match["type"]], description, default)


def _also(header: re.Match[str], place: Place) -> list[_OtherName]:
    of_functions = _EACH.fullmatch(header["more"].strip())
    if header["name"] == "each" and of_functions:
        functions = (FUNCTIONS[name] for name in ELEMENTWISE)
        return [
            _OtherName(each.name, of_functions["option"], each.name, each.title, each.class_name)
            for each in functions
        ]
    match = _PRESET.fullmatch(header["more"].strip())
    if match is None:
        raise LanguageError(
            worded("this line gives the layer no other name"),
            place=place,
            remedy=worded("write also name: option = value"),
        )
    return [_OtherName(header["name"], match["option"], value_of(match["value"]), header["comment"] or "")]
