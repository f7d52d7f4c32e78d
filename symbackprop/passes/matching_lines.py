"""Which runs of lines are equal but for names of tensors and of axes, one name always for one other.

Each mention of a name is written as the way back to the one before, so that equal runs are written alike
wherever they stand (B. S. Baker, Parameterized pattern matching, J. Comput. Syst. Sci. 52, 1996).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from symbackprop.array.ir import Elementwise
from symbackprop.array.program import Line
from symbackprop.array.views import is_called_mean
from symbackprop.notation.expressions import Axis
from symbackprop.passes.axis_names import AxisName, names_of_axes, with_places_for_axes
from symbackprop.passes.doubled_stretches import CommonStretches
from symbackprop.passes.renaming import Formulas, line_outline, names_in, shape_of

# How many lines back a name was mentioned before, and which mention of that line it was; None for the first.
Mention: TypeAlias = tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class DescribedLine:
    """A line, the tensors and the free axes that it mentions, as often as it does, and what is left of it.

    Lines of one shape are equal but for these names.
    """

    line: Line
    tensors: tuple[str, ...]
    axes: tuple[AxisName, ...]
    shape: int

    @property
    def names(self) -> tuple[str | AxisName, ...]:
        """All names of the line."""
        return (*self.tensors, *self.axes)


@dataclass(frozen=True)
class Descriptions:
    """Describes lines to be matched with one another; they may differ in what they call `free` axes.

    A mean over an axis of `means` is called one, and matches no other. What lines that are the same but for
    the names of tensors have in common is worked out once, as of a deep stack's layers.
    """

    free: Collection[Axis] = ()
    means: Collection[str] = ()
    _written: Formulas = field(default_factory=Formulas)
    _known: dict[Hashable, tuple[tuple[AxisName, ...], int]] = field(default_factory=dict)
    _shapes: dict[Hashable, int] = field(default_factory=dict)

    def of(self, lines: Iterable[Line]) -> tuple[DescribedLine, ...]:
        """The lines, described."""
        return tuple([self._described(line) for line in lines])

    def _described(self, line: Line) -> DescribedLine:
        outline = line_outline(line)
        common = self._known.get(outline)
        if common is None:
            axes = names_of_axes(line, self.free)
            shape = shape_of(with_places_for_axes(line, axes), self._written), _called_means(line, self.means)
            common = self._known[outline] = axes, self._shapes.setdefault(shape, len(self._shapes))
        return DescribedLine(line, names_in(line), *common)


def _called_means(line: Line, means: Collection[str]) -> tuple[bool, ...]:
    """Which divisions of a line are means that are called so."""
    nodes = (node for value in line.values for node in value.walk() if isinstance(node, Elementwise))
    divided = (node.arguments for node in nodes if node.operation == "divide")
    return tuple([is_called_mean(total, sizes, means) for total, sizes in divided])


@dataclass(frozen=True, eq=False)
class MatchingLines:
    """Lines to be matched with one another."""

    described: Sequence[DescribedLine]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The lines alone."""
        return tuple([each.line for each in self.described])

    @cached_property
    def shapes(self) -> tuple[int, ...]:
        """A number for each line, the same for those that are equal but for names."""
        return _numbered(each.shape for each in self.described)

    @cached_property
    def _first_mentions(self) -> tuple[dict[str | AxisName, int], ...]:
        """Which of a line's names each name is where it comes first."""
        return tuple([_first_places(each.names) for each in self.described])

    @cached_property
    def _numbers(self) -> tuple[int, ...]:
        """The same, for those whose names come again within the line alike, too."""
        lines = zip(self.shapes, self.described, self._first_mentions, strict=True)
        return _numbered((shape, tuple([first[name] for name in each.names])) for shape, each, first in lines)

    @cached_property
    def _mentions(self) -> tuple[tuple[Mention, ...], ...]:
        last: dict[str | AxisName, tuple[int, int]] = {}
        found: list[tuple[Mention, ...]] = []
        for place, (each, first) in enumerate(zip(self.described, self._first_mentions, strict=True)):
            before = [last.get(name) for name in each.names]
            found.append(tuple([each and (place - each[0], each[1]) for each in before]))
            last.update({name: (place, number) for name, number in first.items()})
        return tuple(found)

    def but_for(self, taken: Collection[int]) -> FreeLines:
        """Those that are not taken, to be matched."""
        numbers = enumerate(self._numbers)
        return FreeLines([-1 - n if n in taken else number for n, number in numbers], self._mentions)


@dataclass(frozen=True, eq=False)
class FreeLines:
    """Lines as numbers and as ways back to the mentions before; what matches no other has its own number."""

    numbers: Sequence[int]
    mentions: Sequence[tuple[Mention, ...]]

    def before(self) -> list[int]:
        """A number for each place, the same where two lines match: that before the place and that there."""
        found: dict[object, int] = {}
        pairs = zip(self.numbers, self.numbers[1:], self.mentions[1:], strict=False)
        described = [(left, right, _within(mentions, 1)) for left, right, mentions in pairs]
        return [found.setdefault(each, len(found)) for each in (None, *described)][: len(self.numbers)]

    def common(self, one: int, other: int, most: int) -> int:
        """How many lines from both places on match, the first place being the earlier one."""
        most, found = min(most, len(self.numbers) - other), 0
        while found < most:
            found += self._the_same.common(one + found, other + found, most - found)
            if found < most and not self._matches(one + found, other + found, found):
                break
            found = min(found + 1, most)
        return found

    @cached_property
    def _the_same(self) -> CommonStretches:
        """Those that match wherever they stand, as nearly all do that match."""
        return CommonStretches(list(zip(self.numbers, self.mentions, strict=True)))

    def _matches(self, one: int, other: int, before: int) -> bool:
        """Whether two lines match where so many before them do."""
        if self.numbers[one] != self.numbers[other]:
            return False
        left, right = self.mentions[one], self.mentions[other]
        return left == right or _within(left, before) == _within(right, before)


def _within(mentions: tuple[Mention, ...], lines: int) -> tuple[Mention, ...]:
    """The mentions, without those that are farther back."""
    return tuple([each if each and each[0] <= lines else None for each in mentions])


def _numbered(described: Iterable[Hashable]) -> tuple[int, ...]:
    """A number for each, the same for those that are equal."""
    numbers: dict[Hashable, int] = {}
    return tuple([numbers.setdefault(each, len(numbers)) for each in described])


def _first_places(names: Sequence[str | AxisName]) -> dict[str | AxisName, int]:
    first: dict[str | AxisName, int] = {}
    for place, name in enumerate(names):
        first.setdefault(name, place)
    return first
