"""The options of a layer: which values each kind of option takes, and how a value stands in a formula."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from symbackprop.functions.table import FUNCTIONS
from symbackprop.languages.phrases import Message, joined, marked, worded
from symbackprop.layers.naming import expect_name
from symbackprop.layers.network import NetworkError, OptionValue, Path
from symbackprop.syntax.limits import LARGEST_AXIS, LONGEST_NAME

Schema: TypeAlias = dict[str, Any]

NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_]*$"
ELEMENTWISE = tuple(name for name, record in FUNCTIONS.items() if record.title)


@dataclass(frozen=True)
class OptionType:
    """What an option may be: in words, as a test, as a JSON schema, with an example."""

    words: Message
    accepts: Callable[[OptionValue], bool]
    schema: Schema
    example: str


@dataclass(frozen=True)
class Option:
    """An option of a layer; without a default it has to be given. A default may be another option's name."""

    name: str
    type: OptionType
    description: str
    default: OptionValue | None = None

    @property
    def is_required(self) -> bool:
        """Whether the layer cannot be without it."""
        return self.default is None

    @property
    def has_plain_default(self) -> bool:
        """Whether its default is a value, and not what another option is."""
        return self.default is not None and self.type.accepts(self.default)

    @property
    def schema(self) -> Schema:
        """The JSON schema of its value."""
        default = {"default": self.default} if self.has_plain_default else {}
        return {**self.type.schema, **default, "description": f"{self.description}; {self.type.words}"}

    def checked(self, value: OptionValue, path: Path) -> OptionValue:
        """The value, a number as Python's own; NetworkError where the option cannot be that."""
        value = plain(value)
        if isinstance(value, str) and self.type is OPTION_TYPES["axis"]:
            if set(value) & set("+-*/^("):
                raise NetworkError(
                    worded("'{name}' cannot be {shown}", name=self.name, shown=json.dumps(value[:40])),
                    path,
                    remedy=worded(
                        "name the axis, and state its size: in TOML in [sizes], in Python by sizes="
                    ),
                )
            expect_name(value, path)
        elif not self.type.accepts(value):
            shown = json.dumps(value, default=str)
            shown = shown if len(shown) <= 40 else shown[:40] + "..."
            raise NetworkError(
                worded("'{name}' cannot be {shown}", name=self.name, shown=shown),
                path,
                remedy=worded(
                    "it is {words}: {description}",
                    words=worded(self.type.words),
                    description=worded(self.description),
                ),
            )
        return value


def plain(value: Any) -> Any:
    """A number of an array library, or an array of no axes, as Python's own; anything else as it is."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def _is_whole(value: OptionValue, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST_AXIS


def _is_positive(value: OptionValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


_WHOLE: Schema = {"type": "integer", "minimum": 1, "maximum": LARGEST_AXIS}

OPTION_TYPES: Mapping[str, OptionType] = {
    "axis": OptionType(
        worded("a whole number from 1, or the name of an axis"),
        lambda value: _is_whole(value, 1),
        {"anyOf": [_WHOLE, {"type": "string", "pattern": NAME_PATTERN, "maxLength": LONGEST_NAME}]},
        worded("10, or the name of an axis"),
    ),
    "size": OptionType(worded("a whole number from 1"), lambda value: _is_whole(value, 1), _WHOLE, "3"),
    "count": OptionType(
        worded("a whole number from 0"), lambda value: _is_whole(value, 0), {**_WHOLE, "minimum": 0}, "1"
    ),
    "number": OptionType(
        worded("a number above 0"), _is_positive, {"type": "number", "exclusiveMinimum": 0}, "0.5"
    ),
    "switch": OptionType(
        worded("true or false"), lambda value: isinstance(value, bool), {"type": "boolean"}, "true"
    ),
    "function": OptionType(
        worded("an element-wise function of the language"),
        lambda value: isinstance(value, str) and value in ELEMENTWISE,
        {"enum": sorted(ELEMENTWISE)},
        "tanh",
    ),
}
"""The word that a layer's file uses to the type that it stands for; an enumeration lists its values."""


def one_of(values: tuple[OptionValue, ...]) -> OptionType:
    """The enumeration: an option that is one of these values."""
    shown = [json.dumps(value) for value in values]
    return OptionType(
        joined(marked("{before} or {after}"), shown),
        lambda value: any(value == each and type(value) is type(each) for each in values),
        {"enum": list(values)},
        shown[0],
    )


def value_of(text: str) -> OptionValue:
    """The value that a layer's file writes: true, 3, 1e-5, or a word."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[0-9]+", text):
        return int(text)
    if re.fullmatch(r"[0-9.]+(e-?[0-9]+)?", text):
        return float(text)
    return text


def value_text(value: OptionValue) -> str:
    """The value as a formula shows it: 3, 1e-5, tanh."""
    return re.sub(r"e([+-])0+", r"e\1", repr(value)) if isinstance(value, float) else str(value)
