"""The shapes of a network's drawing: boxes with lines of text, and curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.languages.columns import columns

# Of a monospaced letter of 13 units.
LETTER_SIZE, LETTER, LINE, PAD = 13, 7.9, 17, 9

Point: TypeAlias = tuple[float, float]
# A start and, for each cubic Bézier arc, two control points and an end.
Curve: TypeAlias = tuple[Point, ...]


@dataclass(frozen=True)
class Line:
    """A line of a box: what it shows, the name that it stands for, and its kind: name, with or delta."""

    shown: str
    name: str
    kind: str


@dataclass(frozen=True)
class Box:
    """A tensor with its place, the upper left corner; y grows downwards."""

    tensor: str
    lines: tuple[Line, ...]
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        """As wide as its longest line."""
        return max(columns(line.shown) for line in self.lines) * LETTER + 2 * PAD

    @property
    def height(self) -> float:
        """As high as its lines."""
        return len(self.lines) * LINE + 2 * PAD - 4

    @property
    def baselines(self) -> Iterator[tuple[Line, Point]]:
        """Each line with the middle of its baseline."""
        for place, line in enumerate(self.lines):
            yield line, (self.x + self.width / 2, self.y + PAD + 10 + place * LINE)

    def at(self, x: float, y: float) -> Box:
        """The same box elsewhere."""
        return Box(self.tensor, self.lines, x, y)
