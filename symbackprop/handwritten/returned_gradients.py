"""Which of the things that a stranger's code gives back is whose gradient."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.handwritten.agreement import shaped
from symbackprop.handwritten.naming import Naming
from symbackprop.handwritten.watching import LOCAL
from symbackprop.systems.system import Role

Array: TypeAlias = NDArray[Any]

_KEY = re.compile(r"\['(?P<key>[^']*)'\](\[\d+\])?$")
_ITEM = re.compile(r"return\[(?P<place>\d+)\](?P<rest>.*)")
_LOSS = re.compile(r"(loss|cost|e|j|l|error|err|ce|mse|nll|objective|data_?loss|total_?loss)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"self(\.[A-Za-z_]\w*)*\.(?P<name>(d|grad|g_|delta)\w*)$")
_TABLE = re.compile(r"self(\.[A-Za-z_]\w*)*\.(d|grad)\w*\['(?P<name>[^']*)'\]$")
_OF_A_GRADIENT = re.compile(r"d[A-Za-z_]|grad|g_|delta", re.IGNORECASE)
_TABLED = re.compile(r"\['(d|grad|g')\w*'?\]\['\w+'\]$")  # grads['W1'] among a function's variables


@dataclass(frozen=True)
class Labelled:
    """Each tensor's gradient by the path of the result, and the path of the loss where it is given back."""

    paths: Mapping[str, str]
    loss: str | None = None


def labelled(
    results: Mapping[str, Array],
    returned: Sequence[str],
    naming: Naming,
    expected: Mapping[str, Array],
    order: Sequence[str],
) -> Labelled:
    """By name first; what has none by its place, where as many are given back as are asked for, or by shape.

    `expected` are the gradients as they should be; `order` is that in which the code takes the tensors.
    """
    asked = list(expected)
    paths: dict[str, str] = {}
    keeps_locals = any(path.startswith(LOCAL) for path in results)
    for path in sorted(results, key=lambda each: (not each.startswith(LOCAL), each.startswith("self"))):
        label = _label(path, returned)
        of = naming.gradient_of(label, asked) if label else None
        # Beside gradients that stay in variables, what is called as a parameter is the parameter, updated.
        may_be_itself = keeps_locals and not _TABLED.search(path)
        if of is not None and of not in paths and not (may_be_itself and naming.is_called(label, of)):
            paths[of] = path
    unnamed = [path for path in results if path.startswith("return") and path not in paths.values()]
    loss = next((path for path in unnamed if _is_loss(path, results[path], returned)), None)
    left = [path for path in unnamed if path != loss]
    if not paths:
        paths = _by_place(left, results, expected, order, naming)
    else:
        every = [path for path in results if path.startswith("return") and path != loss]
        paths |= _beside_named(every, paths, results, expected, order, naming)
        parameters = _parameters(naming)
        lacking = {name: array for name, array in expected.items() if name not in paths}
        for path in [each for each in left if each not in paths.values()]:
            label = _label(path, returned)
            may_be_any = _OF_A_GRADIENT.match(label) or (not label and path == "return")
            may_be_any = may_be_any and _KEY.search(path) is None
            among = lacking if may_be_any else {} if label else _only(lacking, parameters)
            paths = {**_by_shape([path], results, among), **paths}
    return Labelled(paths, loss)


def _label(path: str, returned: Sequence[str]) -> str:
    """What a result is called: its key, its name in the `return`, the attribute that holds it."""
    key = _KEY.search(path)
    if path.startswith("self"):
        found = _ATTRIBUTE.match(path) or _TABLE.match(path)
        return found["name"] if found is not None else ""
    if key is not None:
        return key["key"]
    if path == "return":
        return returned[0] if len(returned) == 1 else ""
    item = _ITEM.fullmatch(path)
    if item is None or int(item["place"]) >= len(returned):
        return ""
    label = returned[int(item["place"])]
    listed = re.fullmatch(r"\[(\d+)\]", item["rest"])
    return f"{label}{int(listed[1]) + 1}" if listed and label else ("" if item["rest"] else label)


def _is_loss(path: str, array: Array, returned: Sequence[str]) -> bool:
    return array.ndim == 0 and (path == "return[0]" or _LOSS.fullmatch(_label(path, returned)) is not None)


def _only(arrays: Mapping[str, Array], names: Sequence[str]) -> dict[str, Array]:
    return {name: array for name, array in arrays.items() if name in names}


def _beside_named(
    every: Sequence[str],
    paths: Mapping[str, str],
    results: Mapping[str, Array],
    expected: Mapping[str, Array],
    order: Sequence[str],
    naming: Naming,
) -> dict[str, str]:
    """The results without a name by their place, where those that have one stand in theirs."""
    named = {path: name for name, path in paths.items()}
    for names in _orders(order, expected, naming):
        pairs = list(zip(names, every, strict=False))
        if len(names) == len(every) and all(
            named.get(path, name) == name and _fits(results[path], expected[name]) for name, path in pairs
        ):
            return dict(pairs)
    return {}


def _orders(order: Sequence[str], expected: Mapping[str, Array], naming: Naming) -> list[list[str]]:
    """The orders in which gradients may be given back."""
    ours = [name for name in order if name in _parameters(naming)]
    return [list(order), ours, [name for name in order if name not in ours], list(expected)]


def _by_place(
    paths: Sequence[str],
    results: Mapping[str, Array],
    expected: Mapping[str, Array],
    order: Sequence[str],
    naming: Naming,
) -> dict[str, str]:
    """In the code's own order of tensors where shapes fit; else each by a shape that no other has."""
    for names in _orders(order, expected, naming):
        pairs = list(zip(names, paths, strict=False))
        if len(names) == len(paths) and all(_fits(results[path], expected[name]) for name, path in pairs):
            return dict(pairs)
    return _by_shape(paths, results, expected)


def _by_shape(
    paths: Sequence[str], results: Mapping[str, Array], expected: Mapping[str, Array]
) -> dict[str, str]:
    """Each by a shape that no other tensor has."""
    found: dict[str, str] = {}
    for path in paths:
        fitting = [name for name, array in expected.items() if _fits(results[path], array)]
        if len(fitting) == 1:
            found.setdefault(fitting[0], path)
    return found


def _parameters(naming: Naming) -> list[str]:
    return [each.name for each in naming.system.with_role(Role.PARAMETER)]


def _fits(found: Array, expected: Array) -> bool:
    return bool(np.shape(shaped(found, expected.shape)) == expected.shape)
