"""What a layered network is made of, before it becomes equations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.errors import LanguageError, Place

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer of the catalogue.

    `units` is the size of its new axis, or that axis's name where the arrays decide the size; `layout` says
    how its weights lie; `activation` is an element-wise function that follows it.
    """

    kind: str
    units: int | str | None = None
    layout: str | None = None
    activation: str | None = None


@dataclass(frozen=True)
class Network:
    """Layers one after another, the names at both ends, and the loss, if it has one."""

    layers: tuple[Layer, ...]
    loss: str | None = None
    name: str = "model"
    input_name: str = "x"
    input_axis: str = "I"
    input_size: int | None = None
    batch_axis: str = "B"
    output_name: str = "y"
    target_name: str = "d"
    loss_name: str = "E"


class NetworkError(LanguageError):
    """A layered network that cannot become equations; `path` leads to the part, as in a TOML file."""

    def __init__(self, cause: str, path: Path, *, remedy: str = "", place: Place | None = None) -> None:
        super().__init__(cause, place=place, remedy=remedy)
        self.path = path
