"""Layered networks as TOML: the shape of the file, and its JSON schema.

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
)
from pydantic.config import JsonDict

from symbackprop.layers.axes import LONGEST_SIZE, SIZE_PATTERN
from symbackprop.layers.catalogue import ACTIVATIONS, LAYERS, LOSSES
from symbackprop.layers.layer_file import LayerFormula
from symbackprop.layers.network import Layer, Network
from symbackprop.layers.options import NAME_PATTERN
from symbackprop.syntax.limits import LARGEST_AXIS, LONGEST_NAME

MOST_LAYERS = 500
T = TypeVar("T")

Name = Annotated[StrictStr, Field(pattern=NAME_PATTERN, max_length=LONGEST_NAME)]
Size = Annotated[StrictInt, Field(ge=1, le=LARGEST_AXIS)]
SizeText = Annotated[StrictStr, Field(pattern=SIZE_PATTERN, max_length=LONGEST_SIZE)]
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
        "where neither the arrays nor [sizes] decide it",
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
    sizes: dict[Name, Size | SizeText] = Field(
        default_factory=dict,
        description="a table [sizes]: sizes of axes by their names, as numbers or by the sizes of others",
    )
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
            sizes=self.sizes,
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
