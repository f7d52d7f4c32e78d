"""The axes of a layered network and the indices over them."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from symbackprop.layers.naming import Names


@dataclass
class Axes:
    """Axes by name, in the order in which they came, with their sizes and their indices.

    `related` has the sizes that follow from those of other axes, as text: `floor((I - 3)/2) + 1`.
    """

    names: Names
    batch: str | None
    sizes: dict[str, int | None] = field(default_factory=dict)
    indices: dict[str, list[str]] = field(default_factory=dict)
    related: dict[str, str] = field(default_factory=dict)

    def named(self, name: str, size: int | None = None) -> str:
        """The axis of a given name, made with its first index where it is not there yet."""
        if name not in self.sizes:
            self._add(name, self.names.index(name[0].lower()), size)
        return name

    def fresh(self, letter: str, size: int | None) -> str:
        """A new axis, of this letter where that is free."""
        index, name = self.names.index_and_axis(letter)
        self._add(name, index, size)
        return name

    def fresh_related(self, letter: str, size: str) -> str:
        """A new axis whose size follows from those of others."""
        name = self.fresh(letter, None)
        self.related[name] = size
        return name

    def index_over(self, axis: str, preferred: str, avoid: Container[str]) -> str:
        """An index over an axis that differs from those to avoid: one that is there, or another."""
        for index in self.indices[axis]:
            if index not in avoid:
                return index
        self.indices[axis].append(self.names.index(preferred))
        return self.indices[axis][-1]

    def declarations(self) -> list[str]:
        """`index i : I = 64`, a line an axis."""
        sizes = {name: str(size) for name, size in self.sizes.items() if size is not None} | self.related
        return [
            f"index {', '.join(self.indices[name])} : {name}" + (f" = {sizes[name]}" if name in sizes else "")
            for name in self.sizes
        ]

    def _add(self, name: str, index: str, size: int | None) -> None:
        self.sizes[name] = size
        self.indices[name] = [index]
