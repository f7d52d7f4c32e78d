"""Layered networks as TOML: the shape of the file, its JSON schema, and messages that know the line.

name = "digits"

[input]
size = 64

[[layer]]
kind = "dense"
units = 32
activation = "sigmoid"

[[layer]]
kind = "dense"
units = 10

[loss]
kind = "half_squared_error"
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails

from symbackprop.errors import LanguageError, Place
from symbackprop.languages.other_programs import fault_of_toml
from symbackprop.languages.phrases import marked, worded
from symbackprop.layers.catalogue import ACTIVATIONS, LAYERS, LOSSES, closest
from symbackprop.layers.expanding import network_system
from symbackprop.layers.layer_file import LayerFormula
from symbackprop.layers.network import Layer, Network, NetworkError, Path
from symbackprop.layers.options import NAME_PATTERN
from symbackprop.syntax.limits import LARGEST_AXIS, LONGEST_NAME
from symbackprop.syntax.nodes import Span
from symbackprop.syntax.source import Source, source_of
from symbackprop.systems.system import System

MOST_LAYERS = 500
T = TypeVar("T")

Name = Annotated[StrictStr, Field(pattern=NAME_PATTERN, max_length=LONGEST_NAME)]
Size = Annotated[StrictInt, Field(ge=1, le=LARGEST_AXIS)]
Option = StrictBool | StrictInt | StrictFloat | StrictStr


def _one_of(known: Iterable[str]) -> JsonDict:
    """The names that an editor may offer; whether a name is one of them, the expansion says in its words."""
    names: list[JsonValue] = [*sorted(known)]
    return {"enum": names}


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _options_of(catalogue: Mapping[str, LayerFormula]) -> Callable[[JsonDict], None]:
    """The schema of a table whose keys depend on its kind: each kind with the options of its formula."""

    def complete(schema: JsonDict) -> None:
        properties: Any = schema["properties"]
        kinds: list[JsonValue] = []
        for kind, formula in sorted(catalogue.items()):
            options = {option.name: option.schema for option in formula.options}
            kinds.append(
                {
                    "title": formula.title,
                    "properties": {**properties, "kind": {"const": kind}, **options},
                    "required": ["kind", *(option.name for option in formula.options if option.is_required)],
                    "additionalProperties": False,
                }
            )
        schema.pop("additionalProperties", None)
        schema["oneOf"] = kinds

    return complete


class InputTable(_Table):
    """What goes into the network."""

    name: Name = Field(default="x", description="the input tensor's name")
    axis: Name | list[Name] | None = Field(
        default=None, description="the name of the axis of its features, or a list with one name an axis"
    )
    size: Size | list[Size] | None = Field(
        default=None,
        description="the number of features, at least 1, or a list with one size an axis, "
        "where the arrays do not decide it",
    )
    batch: Name | Literal[False] = Field(
        default="B", description="the name of the batch axis, or false where there is none"
    )


class OutputTable(_Table):
    """What comes out."""

    name: Name = Field(default="y", description="the output tensor's name")


class LayerTable(_Table):
    """One layer; its other keys are the options of its kind."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_options_of(LAYERS))
    __pydantic_extra__: dict[str, Option]

    kind: StrictStr = Field(
        description="the layer's name in the catalogue", json_schema_extra=_one_of(LAYERS)
    )
    activation: StrictStr | None = Field(
        default=None,
        description="the name of an element-wise layer that follows it",
        json_schema_extra=_one_of(ACTIVATIONS),
    )

    def layer(self) -> Layer:
        """The layer that the table describes."""
        return Layer(self.kind, dict(self.__pydantic_extra__), self.activation)


class LossTable(_Table):
    """What the training makes small; its other keys are the options of its kind."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_options_of(LOSSES))
    __pydantic_extra__: dict[str, Option]

    kind: StrictStr = Field(description="the loss's name in the catalogue", json_schema_extra=_one_of(LOSSES))
    target: Name = Field(default="d", description="the target tensor's name")
    name: Name = Field(default="E", description="the loss's own name")

    def layer(self) -> Layer:
        """The loss that the table describes."""
        return Layer(self.kind, dict(self.__pydantic_extra__))


class NetworkTable(_Table):
    """A layered network for symbackprop."""

    name: StrictStr | None = Field(
        default=None,
        description="the model's name: letters, digits, '_', '.' and '-'",
        pattern=r"^[A-Za-z0-9_.-]+$",
    )
    input: InputTable = Field(default=InputTable(), description="a table [input]")
    output: OutputTable = Field(default=OutputTable(), description="a table [output]")
    layer: list[LayerTable] = Field(
        description="tables [[layer]], the first one next to the input", min_length=1, max_length=MOST_LAYERS
    )
    loss: LossTable | None = Field(default=None, description="a table [loss]")
    audit: dict[str, Option] = Field(
        default_factory=dict, description="a table [audit]: names of hand-written code, theirs = ours"
    )

    def network(self, name: str) -> Network:
        """The network that the tables describe; `name` where they give it none."""
        table = self.input
        sizes: tuple[int, ...] = () if table.size is None else _listed(table.size)
        network = Network(
            layers=tuple(each.layer() for each in self.layer),
            name=self.name or name,
            input_name=table.name,
            input_axes=() if table.axis is None else _listed(table.axis),
            input_sizes=sizes,
            batch_axis=table.batch or None,
            output_name=self.output.name,
        )
        if self.loss is None:
            return network
        loss = self.loss
        return replace(network, loss=loss.layer(), target_name=loss.target, loss_name=loss.name)


def _listed(value: T | list[T]) -> tuple[T, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


TABLES: Mapping[str, type[_Table]] = {
    "": NetworkTable,
    "input": InputTable,
    "output": OutputTable,
    "layer": LayerTable,
    "loss": LossTable,
}


def toml_schema() -> dict[str, Any]:
    """The JSON schema of the TOML file, for editors and other tools."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **NetworkTable.model_json_schema()}


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
    description = worded(known or marked("a number, a word, or true or false"))
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
