"""Random models with a recurrence over two indices: rows and columns either way, one state or two.

Every third one has packed positions too, by a relation between the sizes of its axes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from tests.models.whole_language.generator import Writer, length
from tests.models.whole_language.names import INDICES, Scope, declared, drawn_features, inside
from tests.models.whole_language.recurrences import State
from tests.models.whole_language.relations import RelatedWriter

SHORT = 170
RELATED_EVERY = 3


@dataclass(frozen=True)
class Nest:
    """The axes that are stepped through, the outer one first, and which way each goes: 1 is upwards."""

    outer: str
    inner: str
    directions: tuple[int, int]

    def at(self, step: tuple[int, int], positions: dict[str, str]) -> tuple[str, list[str]]:
        """The positions on both axes, so many steps before, and the guards that they need."""
        guards = []
        for axis, back, direction in zip((self.outer, self.inner), step, self.directions, strict=True):
            index, by = INDICES[axis][0], back * direction
            if by:
                positions[axis] = f"{index}-{by}" if by > 0 else f"{index}+{-by}"
                guards.append(f"{index} >= {by}" if by > 0 else f"{index} + {-by} < size({index})")
        return ",".join(positions[axis] for axis in (self.outer, self.inner)), guards


class Nests(Writer):
    """Writes one recurrence over two axes, whatever else the model has."""

    def _equation(self) -> list[str]:
        if self.recurs:
            return super()._equation()
        self.recurs = True
        return self.nest()

    def nest(self) -> list[str]:
        """One state that needs a loop in a loop, and at times one before it that does not."""
        outer, inner = self.random.sample(self.axes, 2)
        nest = Nest(outer, inner, (self.random.choice((1, 1, -1)), self.random.choice((1, 1, -1))))
        states = [State(self.fresh("h"), (outer, inner), True) for _ in range(2 if self.chance(0.4) else 1)]
        self.base = f"{INDICES[outer][0]} == " + (
            "0" if nest.directions[0] > 0 else f"size({INDICES[outer][0]})-1"
        )
        lines = []
        scope = (INDICES[outer][0], INDICES[inner][0])
        for place, state in enumerate(states):
            reads = [self._read(each, nest, scope, (1, self.random.choice((0, 0, 1, -1)))) for each in states]
            if place == len(states) - 1:
                reads.append(self._read(state, nest, scope, (0, 1)))
                reads += [declared(each.name, scope) for each in states[:place]]
            self.random.shuffle(reads)
            lines.append(f"{declared(state.name, scope)} = {self._step(state, scope, reads)}")
        for state in states:
            self.tensors[state.name] = state.axes
        return lines

    def _base(self, state: State) -> str:
        return self.base

    def _read(self, state: State, nest: Nest, scope: Scope, step: tuple[int, int]) -> str:
        """The state so many steps before; of a row before, at times all of it."""
        own = {axis: inside(scope, axis)[0] for axis in (nest.outer, nest.inner)}
        other = INDICES[nest.inner][1]
        if step[0] and self.chance(0.2):
            positions, _ = nest.at((1, 0), {**own, nest.inner: other})
            return f"sum({other}, {self.element((*scope, other))}*pad({state.name}[{positions}]))"
        positions, guards = nest.at(step, own)
        element = f"{state.name}[{positions}]"
        if self.chance(0.5):
            return f"pad({element})"
        return f"where({' and '.join(guards)}, {element}, {self.choose('0', '1', self.leaf(scope))})"


class RelatedNests(Nests, RelatedWriter):
    """Such models with one axis whose size is stated by those of others."""


def nest_text(seed: int) -> str:
    """The model of that seed."""
    random = Random(f"nest {seed}")
    features = drawn_features(random) - {"recurrence", "past", "fact", "matrix", "inner derivative"}
    writer = RelatedNests if seed % RELATED_EVERY == 2 else Nests
    while True:
        text = writer(random, features).text()
        if length(text) <= SHORT and re.search(r"(?m)^h\d+\[", text):
            return text
