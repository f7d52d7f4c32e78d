"""What a layered network is made of, before it becomes equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from symbackprop.errors import LanguageError, Place
from symbackprop.languages.phrases import NO_MESSAGE, Message

Path: TypeAlias = tuple[str | int, ...]
OptionValue: TypeAlias = bool | int | float | str


@dataclass(frozen=True, repr=False)
class Layer:
    """A layer or loss of the catalogue with its options.

    `activation` is an element-wise layer that follows it.
    """

    kind: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    activation: str | None = None

    def __repr__(self) -> str:
        return self.written(repr(self.kind))

    def written(self, *first: str) -> str:
        """As Python: its class, and what that is given."""
        given = self.options if self.activation is None else {**self.options, "activation": self.activation}
        shown = [*first, *(f"{option}={value!r}" for option, value in given.items())]
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True)
class Network:
    """Layers one after another, the names at both ends, and the loss, if it has one.

    The input's axes are those that the first layer reads where `input_axes` and `input_sizes` are empty; a
    size that is None is the arrays' to decide. Without a `batch_axis` the network sees one example.
    """

    layers: tuple[Layer, ...]
    loss: Layer | None = None
    name: str = "model"
    input_name: str = "x"
    input_axes: tuple[str, ...] = ()
    input_sizes: tuple[int | None, ...] = ()
    batch_axis: str | None = "B"
    output_name: str = "y"
    target_name: str = "d"
    loss_name: str = "E"
    sizes: Mapping[str, int | str] = field(default_factory=dict)


class NetworkError(LanguageError):
    """A layered network that cannot become equations; `path` leads to the part, as in a TOML file."""

    def __init__(
        self, cause: Message, path: Path, *, remedy: Message = NO_MESSAGE, place: Place | None = None
    ) -> None:
        super().__init__(cause, place=place, remedy=remedy)
        self.path = path
