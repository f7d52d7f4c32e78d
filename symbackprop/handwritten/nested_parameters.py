"""Parameters that an object keeps in lists or in layers: network.weights[0], network.layers[2].W."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.handwritten.plain_names import plain

Array: TypeAlias = NDArray[Any]

DEEPEST = 4
_OF_A_GRADIENT = re.compile(r"(d|grad|delta|nabla|g)_?(?P<of>\w+)|(?P<other>\w+?)_?grad")


@dataclass(frozen=True)
class Place:
    """An array in `holder`, an object, list or dictionary, under `key`; `leaf` is the name it goes by."""

    path: str
    holder: Any
    key: Any
    leaf: str
    array: Array

    @property
    def stem(self) -> str:
        """W for W, weights[0] and W1."""
        return plain(self.leaf).rstrip("0123456789")

    def fill(self, array: Array) -> None:
        """Put another array there."""
        if isinstance(self.holder, list | dict):
            self.holder[self.key] = np.array(array)
        else:
            setattr(self.holder, self.key, np.array(array))


def places_in(value: Any, path: str, leaf: str = "", seen: frozenset[int] = frozenset()) -> Iterator[Place]:
    """The arrays that an object holds, in lists, dictionaries and objects in it; each object once."""
    if id(value) in seen or len(seen) > DEEPEST:
        return
    items: list[tuple[Any, str, str, Any]] = []
    if isinstance(value, dict):
        items = [(key, f"{path}[{key!r}]", str(key), each) for key, each in value.items()]
    elif isinstance(value, list):
        items = [(key, f"{path}[{key}]", leaf, each) for key, each in enumerate(value)]
    elif hasattr(value, "__dict__") and not isinstance(value, type | FunctionType | ModuleType):
        items = [(key, f"{path}.{key}", key, each) for key, each in vars(value).items()]
    for key, where, name, each in items:
        if isinstance(each, np.ndarray):
            yield Place(where, value, key, name, each)
        else:
            yield from places_in(each, where, name, seen | {id(value)})


def parameter_places(made: Any, tensors: Sequence[str]) -> dict[str, Place]:
    """The place of each tensor: those of one stem in their order, where these are as many as the tensors."""
    by_stem: dict[str, list[Place]] = {}
    for place in places_in(made, "self"):
        by_stem.setdefault(place.stem, []).append(place)
    found: dict[str, Place] = {}
    for tensor in tensors:
        stem = plain(tensor).rstrip("0123456789")
        alike = [each for each in tensors if plain(each).rstrip("0123456789") == stem]
        places = by_stem.get(stem, [])
        if len(places) == len(alike):
            found[tensor] = places[alike.index(tensor)]
    return found


def gradients_beside(results: Mapping[str, Array], places: Mapping[str, Place]) -> dict[str, Array]:
    """Results that lie beside a parameter, self.layers[0].grad_W beside W, by the tensor: self.grad_W1."""
    found: dict[str, Array] = {}
    for tensor, place in places.items():
        beside = place.path.removesuffix(f".{place.key}")
        for path, array in results.items():
            name = path.removeprefix(f"{beside}.") if path.startswith(f"{beside}.") else ""
            match = _OF_A_GRADIENT.fullmatch(name)
            if match and plain(match["of"] or match["other"]) == plain(place.leaf):
                found[f"self.grad_{tensor}"] = array
    return found
