"""Mappings that grow by one entry at a time, while those that they grew from stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

FEWEST_ABOVE = 16  # a small mapping has one layer
GONE: Any = object()  # in the upper layer: the mapping does not have this key of the lower one


class Layered(Mapping[K, V]):
    """A mapping of two layers, of which the lower one is shared with the mappings that grow from it.

    The upper layer has about as many entries as the square root of the lower one, and is copied with each
    change: n changes take n^(3/2) steps, where copies of one dictionary take n^2.
    """

    __slots__ = ("_above", "_below")

    def __init__(self, below: Mapping[K, V] | None = None) -> None:
        self._below: dict[K, V] = dict(below or {})
        self._above: dict[K, V] = {}

    def having(self, key: K, value: V) -> Layered[K, V]:
        """The mapping with one entry more, or another one for its key."""
        return self._with_layers(self._below, {**self._above, key: value})

    def without(self, key: K) -> Layered[K, V]:
        """The mapping without a key, which need not be in it."""
        if key in self._below:
            return self.having(key, GONE)
        above = {each: value for each, value in self._above.items() if each != key}
        return self._with_layers(self._below, above)

    def _with_layers(self, below: dict[K, V], above: dict[K, V]) -> Layered[K, V]:
        found: Layered[K, V] = Layered.__new__(type(self))
        if len(above) > FEWEST_ABOVE and len(above) ** 2 > len(below):
            gone = [key for key, value in above.items() if value is GONE]
            below, above = {**below, **above}, {}
            for key in gone:
                del below[key]
        found._below, found._above = below, above
        return found

    def __getitem__(self, key: K) -> V:
        value = self._above[key] if key in self._above else self._below[key]
        if value is GONE:
            raise KeyError(key)
        return value

    @overload
    def get(self, key: K, /) -> V | None: ...

    @overload
    def get(self, key: K, /, default: V | D) -> V | D: ...

    def get(self, key: K, /, default: Any = None) -> Any:
        """The value, or the default: without an exception, as a miss is no error."""
        value = self._above[key] if key in self._above else self._below.get(key, default)
        return default if value is GONE else value

    def __contains__(self, key: object) -> bool:
        return self.get(key, GONE) is not GONE  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[K]:
        yield from (key for key in self._below if self._above.get(key) is not GONE)
        yield from (key for key in self._above if key not in self._below)

    def __len__(self) -> int:
        added = sum(key not in self._below for key in self._above)
        return len(self._below) + added - sum(value is GONE for value in self._above.values())
