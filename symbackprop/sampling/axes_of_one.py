"""Which axes of size 1 a gradient has been seen at, and the sizes at which it may be seen.

A reshape or a sum that is wrong only where an axis has size 1 shows in no gradient that vanishes there, as
through a softmax over one, or the deviations from the mean of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.related_sizes import free_axes
from symbackprop.sampling.rounds import ones_in_turn
from symbackprop.systems.system import System


@dataclass
class SeenAtOne:
    """For each open axis the tensors asked for whose gradients did not vanish on a draw where it was 1."""

    system: System
    asked: frozenset[str]
    everywhere: set[str] = field(default_factory=set)
    at: dict[str, set[str]] = field(default_factory=dict)

    def note(self, draw: Draw) -> bool:
        """Note what a draw tells; whether that is something new of an axis of size 1."""
        told = draw.told & self.asked
        self.everywhere |= told
        before = {axis: set(names) for axis, names in self.at.items()}
        for axis in free_axes(self.system.axes):
            if draw.sizes[axis] == 1:
                self.at.setdefault(axis, set()).update(told)
        return self.at != before

    def unseen(self, axes: Iterable[str]) -> tuple[str, ...]:
        """Those of the axes at which a gradient that does not vanish elsewhere has not been seen."""
        return tuple(axis for axis in axes if self.everywhere - self.at.get(axis, set()))

    def axes_to_try(self) -> Iterator[tuple[str, ...]]:
        """Axes that are to be 1 together, fewer and fewer: each draw in between may spare those that follow.

        Every other axis, and then the others, have been so before.
        """
        pending = [tuple(ones) for ones in ones_in_turn(free_axes(self.system.axes))]
        tried = set(pending)
        while pending:
            group = self.unseen(pending.pop(0))
            if group and group not in tried:
                tried.add(group)
                yield group
                group = self.unseen(group)
            pending += _halves(group)


def _halves(group: Sequence[str]) -> list[tuple[str, ...]]:
    middle = (len(group) + 1) // 2
    return [tuple(group[:middle]), tuple(group[middle:])] if len(group) > 1 else []
