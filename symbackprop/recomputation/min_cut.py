"""The lightest set of nodes that separates where values come from and where they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

# A node's entrance or exit, or one of the two ends of the whole graph.
_Side: TypeAlias = tuple[str, str]
_SOURCE, _SINK = ("source", ""), ("sink", "")
UNLIMITED = 1 << 60


@dataclass
class _Network:
    """Capacities that are left, from one side to the next."""

    left: dict[_Side, dict[_Side, int]] = field(default_factory=dict)

    def connect(self, start: _Side, end: _Side, capacity: int) -> None:
        """A pipe, and the way back that is opened by what flows through it."""
        self.left.setdefault(start, {}).setdefault(end, 0)
        self.left.setdefault(end, {}).setdefault(start, 0)
        self.left[start][end] += capacity

    def fill(self) -> None:
        """Send as much as can flow, along shortest ways first (Edmonds and Karp)."""
        while (way := self._way()) is not None:
            amount = min(self.left[start][end] for start, end in way)
            for start, end in way:
                self.left[start][end] -= amount
                self.left[end][start] += amount

    def _way(self) -> list[tuple[_Side, _Side]] | None:
        came: dict[_Side, _Side] = {_SOURCE: _SOURCE}
        waiting = deque([_SOURCE])
        while waiting and _SINK not in came:
            side = waiting.popleft()
            for after, capacity in self.left.get(side, {}).items():
                if capacity > 0 and after not in came:
                    came[after] = side
                    waiting.append(after)
        if _SINK not in came:
            return None
        way, side = [], _SINK
        while side != _SOURCE:
            way.append((came[side], side))
            side = came[side]
        return way

    def leading_to_sink(self) -> set[_Side]:
        """The sides from which more could still flow to the sink."""
        found, waiting = {_SINK}, deque([_SINK])
        while waiting:
            side = waiting.popleft()
            for before in self._into(side):
                if before not in found:
                    found.add(before)
                    waiting.append(before)
        return found

    def _into(self, side: _Side) -> Iterator[_Side]:
        return (before for before in self.left.get(side, {}) if self.left[before][side] > 0)


def smallest_cut(
    weights: Mapping[str, int],
    readers: Mapping[str, Sequence[str]],
    sources: Collection[str],
    sinks: Collection[str],
) -> frozenset[str]:
    """The nodes of least weight together that lie on every way from a source to a sink.

    `readers` maps a node to those that are computed from it. A source or a sink may be chosen itself. Of
    several lightest sets it is the one that is nearest to the sinks.
    """
    network = _Network()
    for node, weight in weights.items():
        network.connect(("in", node), ("out", node), weight)
        for reader in readers.get(node, ()):
            network.connect(("out", node), ("in", reader), UNLIMITED)
    for node in sources:
        network.connect(_SOURCE, ("in", node), UNLIMITED)
    for node in sinks:
        network.connect(("out", node), _SINK, UNLIMITED)
    network.fill()
    leading = network.leading_to_sink()
    return frozenset(node for node in weights if ("out", node) in leading and ("in", node) not in leading)
