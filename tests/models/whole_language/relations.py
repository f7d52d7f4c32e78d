"""Random models whose axes have related sizes, read across one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tests.models.whole_language.generator import SHORT, Writer, length
from tests.models.whole_language.names import INDICES, Scope, drawn_features, inside


@dataclass(frozen=True)
class Kind:
    """How the size of Z is stated by those of X and Y, and what may be read across.

    `reads` maps an axis to positions on it, with the guard that each needs; x, y and z stand for indices,
    X, Y and Z for axes.
    """

    stated: str
    size: Callable[[int, int], int | None]
    reads: Mapping[str, tuple[tuple[str, str], ...]]


_NEXT = {
    "Z": (("x", ""), ("x+1", ""), ("size(X) - x", "")),
    "X": (("z-1", "z > 0"), ("z-1", "z != 0"), ("z", "z < size(X)"), ("z", "pad"), ("mod(z, size(X))", "")),
}
_BLOCKS = {
    "Z": (("x", ""), ("x+size(X)", ""), ("size(X)+size(X)-1-x", "")),
    "X": (("mod(z, size(X))", ""), ("z-size(X)", "z >= size(X) and z < 2*size(X)"), ("z", "pad")),
}
_MERGED = {
    "Z": (("size(Y)*x+y", ""), ("size(X)*y+x", ""), ("y+x*size(Y)", "")),
    "X": (("floor(z/size(Y))", ""), ("mod(z, size(X))", "")),
    "Y": (("mod(z, size(Y))", ""), ("floor(z/size(X))", "")),
}
KINDS = (
    Kind("Z = X + 1", lambda x, y: x + 1, _NEXT),
    Kind("Z = X + 1", lambda x, y: x + 1, _NEXT),
    Kind("Z = 2*X", lambda x, y: 2 * x, _BLOCKS),
    Kind("Z = 3*X", lambda x, y: 3 * x, _BLOCKS),
    Kind("Z = X*Y", lambda x, y: x * y, _MERGED),
    Kind("Z = X*Y", lambda x, y: x * y, _MERGED),
    Kind("X = Z/Y", lambda x, y: x * y, _MERGED),
    Kind(
        "Z = floor((X - Y)/2) + 1",
        lambda x, y: (x - y) // 2 + 1 if x >= y > 0 else None,
        {"X": (("2*z+y", ""), ("2*z", ""))},
    ),
)


class RelatedWriter(Writer):
    """Writes models in which one axis' size is stated by those of others."""

    def __init__(self, random: Random, features: frozenset[str]) -> None:
        super().__init__(random, features)
        self.axes = tuple(sorted({*self.axes, *random.sample(list(INDICES), 2)}))
        self.related = random.choice([kind for kind in KINDS if "Y" not in kind.stated or len(self.axes) > 2])
        self.roles = dict(zip("XYZ", random.sample(self.axes, min(3, len(self.axes))), strict=False))
        if len(self.axes) == 2:
            self.roles = {"X": self.roles["X"], "Z": self.roles["Y"]}
        self.declared -= {*self.roles.values()}
        self._size(self.sizes)

    def _size(self, sizes: dict[str, int]) -> None:
        """Give the axis whose size is stated that size, and others where there is none."""
        one, other = sizes[self.roles["X"]], sizes.get(self.roles.get("Y", ""), 1)
        size = self.related.size(one, other)
        if size is None:
            sizes[self.roles["X"]] = other = sizes[self.roles["Y"]] = max(one, other, 1)
            size = self.related.size(other, other)
        assert size is not None
        sizes[self.roles["Z"]] = size

    def _in_roles(self, text: str, indices: Mapping[str, str]) -> str:
        letters = text.replace("size", "#")
        return "".join(indices.get(each, self.roles.get(each, each)) for each in letters).replace("#", "size")

    def _axis(self, axis: str) -> str:
        stated = "X" if self.related.stated.startswith("X") else "Z"
        if axis != self.roles[stated]:
            return super()._axis(axis)
        return f"index {', '.join(INDICES[axis])} : {self._in_roles(self.related.stated, {})}"

    def _see_every_axis(self, lines: list[str]) -> None:
        super()._see_every_axis(lines)
        for axis in self.roles.values():
            self.declared.discard(axis)
            name = self.fresh("x")
            self.tensors[name] = (axis,)
            lines.append(f"const {name}[{INDICES[axis][0]}]")

    def position(self, axis: str, scope: Scope) -> tuple[str, str]:
        """Often one that a relation speaks of."""
        role = next((role for role, own in self.roles.items() if own == axis), "")
        indices = {small: inside(scope, self.roles.get(small.upper(), "")) for small in "xyz"}
        options = [
            (position, guard)
            for position, guard in self.related.reads.get(role, ())
            if all(indices[letter] for letter in "xyz" if letter in position.replace("size", ""))
        ]
        if not options or self.chance(0.3):
            return super().position(axis, scope)
        chosen = {letter: self.random.choice(each) for letter, each in indices.items() if each}
        position, guard = self.random.choice(options)
        guard = guard if guard == "pad" else self._in_roles(guard, chosen)
        return self._in_roles(position, chosen), guard

    def _data(self) -> list[str]:
        lines = []
        for line in super()._data():
            words = line.split()
            sizes = {word[0]: int(word[2:]) for word in words if word[1:2] == "=" and word[0].isupper()}
            if sizes:
                self._size(sizes)
            shown = (f"{each[0]}={sizes[each[0]]}" if each[1:2] == "=" else each for each in words)
            lines.append(" ".join(shown))
        return lines


def related_text(seed: int) -> str:
    """The model of that seed, with related sizes, and no longer than shows much in little time."""
    random = Random(f"related {seed}")
    features = drawn_features(random) - {"fact", "matrix", "inner derivative"}
    while True:
        text = RelatedWriter(random, features).text()
        if length(text) <= SHORT:
            return text
