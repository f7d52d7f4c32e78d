"""The axes of a layered network and the indices over them."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from symbackprop.errors import SymbackpropError
from symbackprop.languages.phrases import worded
from symbackprop.layers.naming import Names
from symbackprop.layers.network import NetworkError
from symbackprop.layers.options import plain
from symbackprop.syntax.limits import LARGEST_AXIS

# Whole numbers, names of axes, + - * / ^ and floor(...): nothing that ends a statement.
SIZE_PATTERN = r"^[A-Za-z0-9_+\-*/^(), ]+$"
LONGEST_SIZE = 200
SIZE_WORDS = worded('a whole number from 1, or the sizes of other axes, such as "2*H + 1"')
FUNCTIONS = ("floor", "ceil")


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


def checked_sizes(sizes: Mapping[str, int | str]) -> dict[str, int | str]:
    """The sizes as Python's own numbers, or as texts; NetworkError for what can be no size."""
    found: dict[str, int | str] = {}
    for name, size in sizes.items():
        given = found[name] = plain(size)
        if isinstance(given, str):
            is_size = len(given) <= LONGEST_SIZE and re.fullmatch(SIZE_PATTERN, given) is not None
        else:
            is_size = isinstance(given, int) and not isinstance(given, bool) and 0 < given <= LARGEST_AXIS
        if not is_size:
            raise NetworkError(
                worded("the size of the axis {axis} cannot be {shown}", axis=name, shown=repr(given)[:40]),
                ("sizes", name),
                remedy=worded("it is {description}", description=SIZE_WORDS),
            )
    return found


def declare_sizes(sizes: Mapping[str, int | str], axes: Axes) -> None:
    """Give the axes of a network their stated sizes, those among them that no layer has included.

    Raises NetworkError where the size of an axis is stated elsewhere, too.
    """
    for name, size in sizes.items():
        if axes.sizes.get(name) is not None:
            raise NetworkError(
                worded("the size of the axis {axis} is stated twice", axis=name),
                ("sizes", name),
                remedy=worded("leave one of them out"),
            )
        axes.named(name)
        if isinstance(size, str):
            axes.related[name] = size
        else:
            axes.sizes[name] = size


def expect_known(sizes: Mapping[str, int | str], axes: Axes) -> None:
    """NetworkError where a size is stated by that of an axis that the network has not."""
    for name, size in sizes.items():
        for word in re.findall(r"[A-Za-z_]\w*", str(size)):
            if word not in (*axes.sizes, *FUNCTIONS):
                raise NetworkError(
                    worded("unknown axis '{name}'", name=word),
                    ("sizes", name),
                    remedy=worded(
                        "give {axis} a size in [sizes], or name an axis of the input or of a layer so",
                        axis=word,
                    ),
                )


def refusal_of(error: SymbackpropError, sizes: Mapping[str, int | str]) -> NetworkError | None:
    """An error that stands where the size of an axis is declared, as one of that size; None for others."""
    found = re.match(r"index [^:]* : (\w+) = ", error.place.text if error.place else "")
    if found is None or found[1] not in sizes:
        return None
    return NetworkError(error.cause, ("sizes", found[1]), remedy=error.remedy)
