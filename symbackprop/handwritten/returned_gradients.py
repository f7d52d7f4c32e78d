"""Which of the things that a stranger's code gives back is whose gradient."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.handwritten.agreement import shaped
from symbackprop.handwritten.naming import Naming
from symbackprop.handwritten.running.watching import LOCAL
from symbackprop.systems.system import Role

Array: TypeAlias = NDArray[Any]

_KEY = re.compile(r"\['(?P<key>[^']*)'\](\[\d+\])?$")
_FIELD = re.compile(r"return(\[\d+\])?\.(?P<name>\w+)")  # of a dataclass
_ITEM = re.compile(r"return\[(?P<place>\d+)\](?P<rest>.*)")
_LOSS = re.compile(r"(loss|cost|e|j|l|error|err|ce|mse|nll|objective|data_?loss|total_?loss)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"self(\.[A-Za-z_]\w*)*\.(?P<name>(d|grad|g_|delta)\w*)$")
_TABLE = re.compile(r"self(\.[A-Za-z_]\w*)*\.(d|grad)\w*\['(?P<name>[^']*)'\]$")
_OF_A_GRADIENT = re.compile(r"d[A-Za-z_]|grad|g_|delta", re.IGNORECASE)
_TABLED = re.compile(r"\['(d|grad|g')\w*'?\]\['\w+'\]$")  # grads['W1'] among a function's variables


@dataclass(frozen=True)
class Labelled:
    """Each tensor's gradient by the path of the result, and the path of the loss where it is given back.

    `unnamed` are the results of the `return` whose names say nothing, the loss left out; `is_by_value` says
    that whose gradients these are was told by their values alone.
    """

    paths: Mapping[str, str]
    loss: str | None = None
    unnamed: tuple[str, ...] = ()
    is_by_value: bool = False

    @property
    def taken_by_place(self) -> list[str]:
        """The tensors whose gradients have no name, in the order of the results."""
        names = {path: name for name, path in self.paths.items()}
        return [names[path] for path in self.unnamed if path in names]


@dataclass(frozen=True)
class GivenBack:
    """What a call gives back, what the `return` calls it, and what is asked for.

    `expected` are the gradients as they should be; `order` is that in which the code takes the tensors.
    """

    results: Mapping[str, Array]
    returned: Sequence[str]
    naming: Naming
    expected: Mapping[str, Array]
    order: Sequence[str]

    @property
    def labellings(self) -> list[Labelled]:
        """By name first; what has none by its place, where as many are asked for as come, or by shape.

        A number in the first place is a gradient like the others or, in the second of these, the loss.
        """
        named = self._named()
        unnamed = [path for path in self.results if path.startswith("return")]
        unnamed = [path for path in unnamed if path not in named.values()]
        numbers = [path for path in unnamed if self.results[path].ndim == 0]
        called = [path for path in numbers if _LOSS.fullmatch(_label(path, self.returned))]
        first = [path for path in numbers if path == "return[0]"]
        losses: list[str | None] = [*called[:1]] or [None, *first]
        found = [each for loss in losses for each in self._labelled(named, unnamed, loss)]
        return [each for each in found if each.paths]

    def _named(self) -> dict[str, str]:
        paths: dict[str, str] = {}
        keeps_locals = any(path.startswith(LOCAL) for path in self.results)
        first = sorted(self.results, key=lambda each: (not each.startswith(LOCAL), each.startswith("self")))
        for path in first:
            label = _label(path, self.returned)
            of = self.naming.gradient_of(label, list(self.expected)) if label else None
            # Beside gradients that stay in variables, what is called as a parameter is that, updated.
            may_be_itself = keeps_locals and not _TABLED.search(path)
            if (
                of is not None
                and of not in paths
                and not (may_be_itself and self.naming.is_called(label, of))
            ):
                paths[of] = path
        return paths

    def _labelled(self, named: Mapping[str, str], unnamed: Sequence[str], loss: str | None) -> list[Labelled]:
        left = tuple([path for path in unnamed if path != loss])
        if not named:
            first, *others = self._by_place(left) or [_by_shape(left, self.results, self.expected)]
            return [Labelled(first, loss, left), *(Labelled(each, loss, left, True) for each in others)]
        every = [path for path in self.results if path.startswith("return") and path != loss]
        paths = {**named, **self._beside(named, every)}
        lacking = {name: array for name, array in self.expected.items() if name not in paths}
        parameters = _only(lacking, _parameters(self.naming))
        for path in [each for each in left if each not in paths.values()]:
            label = _label(path, self.returned)
            may_be_any = _OF_A_GRADIENT.match(label) or (not label and path == "return")
            may_be_any = may_be_any and _KEY.search(path) is None
            among = lacking if may_be_any else {} if label else parameters
            paths = {**_by_shape([path], self.results, among), **paths}
        return [Labelled(paths, loss, left)]

    def _beside(self, paths: Mapping[str, str], every: Sequence[str]) -> dict[str, str]:
        """The results without a name by their place, where those that have one stand in theirs."""
        named = {path: name for name, path in paths.items()}
        for names in self._orders():
            pairs = list(zip(names, every, strict=False))
            if len(names) == len(every) and all(
                named.get(path, name) == name and self._fits(path, name) for name, path in pairs
            ):
                return dict(pairs)
        return {}

    def _by_place(self, paths: Sequence[str]) -> list[dict[str, str]]:
        """In each order of as many tensors of these shapes, the code's own first."""
        found: list[dict[str, str]] = []
        for names in self._orders():
            pairs = dict(zip(names, paths, strict=False))
            is_whole = len(names) == len(paths) and all(
                self._fits(path, name) for name, path in pairs.items()
            )
            found += [pairs] if is_whole and pairs not in found else []
        return found

    def _orders(self) -> list[list[str]]:
        """The orders in which gradients may be given back."""
        parameters, order = _parameters(self.naming), list(self.order)
        ours = [name for name in order if name in parameters]
        declared = [name for name in self.expected if name in parameters]
        return [order, ours, [name for name in order if name not in ours], list(self.expected), declared]

    def _fits(self, path: str, name: str) -> bool:
        return _fits(self.results[path], self.expected[name])


def labelled_by_value(
    given: Labelled,
    agreeing: Callable[[str, str], bool],
    results: Mapping[str, Array],
    expected: Mapping[str, Array],
) -> Labelled:
    """What has no name as the gradients that it is equal to; the rest as it was, where that is still free.

    `agreeing` says whether the result of a path is a tensor's gradient on all data.
    """
    named = {name: path for name, path in given.paths.items() if path not in given.unnamed}
    found: dict[str, str] = {}
    for path in given.unnamed:
        fitting = (name for name in expected if name not in named and name not in found)
        of = next((name for name in fitting if agreeing(name, path)), None)
        if of is not None:
            found[of] = path
    rest = [path for path in given.unnamed if path not in found.values()]
    kept = {name: path for name, path in given.paths.items() if path in rest and name not in found}
    open_names = {name: each for name, each in expected.items() if name not in {*named, *found, *kept}}
    by_shape = _by_shape([path for path in rest if path not in kept.values()], results, open_names)
    return replace(given, paths={**named, **found, **kept, **by_shape}, is_by_value=True)


def _label(path: str, returned: Sequence[str]) -> str:
    """What a result is called: its key, its name in the `return`, the attribute that holds it."""
    key = _KEY.search(path)
    if path.startswith("self"):
        found = _ATTRIBUTE.match(path) or _TABLE.match(path)
        return found["name"] if found is not None else ""
    if key is not None:
        return key["key"]
    field = _FIELD.fullmatch(path)
    if field is not None:
        return field["name"]
    if path == "return":
        return returned[0] if len(returned) == 1 else ""
    item = _ITEM.fullmatch(path)
    if item is None or int(item["place"]) >= len(returned):
        return ""
    label = returned[int(item["place"])]
    listed = re.fullmatch(r"\[(\d+)\]", item["rest"])
    return f"{label}{int(listed[1]) + 1}" if listed and label else ("" if item["rest"] else label)


def _only(arrays: Mapping[str, Array], names: Sequence[str]) -> dict[str, Array]:
    return {name: array for name, array in arrays.items() if name in names}


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
