"""Common steps for tensors that read one another at fixed distances: z[t+1] for p[t], p[s-2] for z[s].

At one step each tensor is computed at the step plus an offset of its own, found so that no reading goes
against the direction of the steps: a system of difference constraints (R. Bellman, Quart. Appl. Math. 16,
1958), solved if and only if around no circle of readings the distances add up to the wrong side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from symbackprop.integers.bounds import Knowledge
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import Comparison, Expression
from symbackprop.notation.matrix_functions import readings
from symbackprop.systems.step_places import Places
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class Lag:
    """`reader` at a position reads `read` at that position plus `distance`."""

    reader: str
    read: str
    distance: int


@dataclass(frozen=True)
class CommonSteps:
    """The offsets of the tensors from the step, and 1 where the steps go upwards, -1 where downwards."""

    offsets: Mapping[str, int]
    direction: int

    def ahead(self, lag: Lag) -> int:
        """How many steps after its own a reading lies: 0 within one step, less than 0 before it."""
        between = self.offsets[lag.reader] - self.offsets[lag.read]
        return (lag.distance + between) * self.direction


def common_steps(tensors: Sequence[str], lags: Sequence[Lag]) -> CommonSteps | None:
    """The offsets by which no reading lies ahead, upwards or else downwards; None without such.

    What remains within one step may still run in a circle.
    """
    for direction in (1, -1):
        offsets = dict.fromkeys(tensors, 0)
        for _ in tensors:
            for lag in lags:
                most = offsets[lag.read] - lag.distance * direction
                offsets[lag.reader] = min(offsets[lag.reader], most)
        found = {tensor: offset * direction for tensor, offset in offsets.items()}
        steps = CommonSteps(found, direction)
        if all(steps.ahead(lag) <= 0 for lag in lags):
            return steps
    return None


def ends_in_order(ends: Iterable[Expression]) -> tuple[Expression, ...] | None:
    """Ends of axes, the first one first, each once; None where it is not known which of two comes first."""
    ordered: list[Expression] = []
    for end in ends:
        if end not in ordered:
            later = [_is_no_less(other, end) for other in ordered]
            if not all(each or _is_no_less(end, other) for each, other in zip(later, ordered, strict=True)):
                return None
            ordered.insert(later.index(True) if True in later else len(ordered), end)
    return tuple(ordered)


@lru_cache(maxsize=1_000)
def _is_no_less(one: Expression, other: Expression) -> bool:
    return Knowledge.of((one, other), ()).proves(Comparison(">=", one, other))


def lags_of(equations: Sequence[Equation], places: Places) -> tuple[Lag, ...] | None:
    """How the equations that have a step read one another; None where a distance is no number."""
    found: list[Lag] = []
    for equation in equations:
        for read in readings(equation.expression) if equation.tensor in places else ():
            if read.tensor in places:
                position = read.positions[places[read.tensor]]
                distance = linear_form(subtract(position, equation.indices[places[equation.tensor]]))
                if distance.coefficients or distance.constant.denominator != 1:
                    return None
                found.append(Lag(equation.tensor, read.tensor, int(distance.constant)))
    return tuple(found)
