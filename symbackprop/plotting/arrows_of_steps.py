"""Arrows of a network's drawing that lead back: what an equation reads of another step of a recurrence.

Each leaves its box below, runs past the left of all boxes and comes in from above; those from one box share
their way. Beside it stands the step that is read: t - 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from symbackprop.notation.arithmetic import add
from symbackprop.notation.expressions import Number
from symbackprop.plotting.shapes import LETTER, Box, Curve, Point
from symbackprop.systems.lags import lags_of
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.printing import text
from symbackprop.systems.recurrences import at_step
from symbackprop.systems.system import System

_LANE, _AWAY, _IN, _APART = 9, 14, 12, 3


@dataclass(frozen=True)
class StepArrow:
    """An arrow back to a reader, and what is written beside it, with the right end of its baseline."""

    curve: Curve
    label: str
    beside: Point


def room_for_steps(system: System, rows: Iterable[Iterable[str]]) -> float:
    """How much room the arrows and their labels take on the left; 0 where there are none."""
    places = {name: number for number, row in enumerate(rows) for name in row}
    back = [*_back(system, places)]
    if not back:
        return 0.0
    sources = {source for _, source, _ in back}
    return _AWAY + _LANE * len(sources) + max(len(label) for _, _, label in back) * LETTER


def step_arrows(system: System, placed: Mapping[str, Box]) -> Iterator[StepArrow]:
    """From each tensor to the equations that read it of another step and stand above it, or are its own."""
    back = [*_back(system, {name: box.y for name, box in placed.items()})]
    lanes = {source: number for number, source in enumerate(dict.fromkeys(source for _, source, _ in back))}
    labelled: set[str] = set()
    for reader, source, label in back:
        lane = lanes[source]
        curve = _around(placed[reader], placed[source], placed.values(), lane)
        x, y = curve[6][0], (curve[6][1] + curve[9][1]) / 2 + 18 * lane
        yield StepArrow(curve, "" if source in labelled else label, (x - 5, y))
        labelled.add(source)


def _back(system: System, rows: Mapping[str, float]) -> Iterator[tuple[str, str, str]]:
    """Readers with what they read that is not above them, and the step that they read of it."""
    labels = _steps_read(system)
    for equation in system.equations:
        for read in equation.reads:
            if read in rows and rows[read] >= rows[equation.tensor]:
                yield equation.tensor, read, labels.get((equation.tensor, read), "")


def _steps_read(system: System) -> Mapping[tuple[str, str], str]:
    """t - 1, for each reader and what it reads of that step; none where how far that is depends."""
    found: dict[tuple[str, str], list[str]] = {}
    for stage in stages_of(system.equations):
        recurrence = stage.recurrence
        for lag in (recurrence and lags_of(recurrence.equations, recurrence.places)) or ():
            assert recurrence is not None
            if lag.distance:
                step = at_step(recurrence, system.definitions[lag.reader])
                found.setdefault((lag.reader, lag.read), []).append(text(add(step, Number(lag.distance))))
    return {pair: ", ".join(dict.fromkeys(steps)) for pair, steps in found.items()}


def _around(reader: Box, source: Box, boxes: Iterable[Box], lane: int) -> Curve:
    """Out of the lower edge, up past the left of the rows between, into the upper edge."""
    between = [box.x for box in boxes if reader.y <= box.y <= source.y]
    aside, apart = min(between) - _AWAY - _LANE * lane, _APART * (lane % 3)
    out, into = source.x + _IN, reader.x + _IN
    low, high = source.y + source.height + 7 + apart, reader.y - 9 - apart
    corners = [(out, low), (aside, low), (aside, high), (into, high), (into, reader.y - 2)]
    return _along([(out, source.y + source.height), *corners])


def _along(corners: list[Point]) -> Curve:
    """Straight from corner to corner, as arcs whose control points lie on the lines."""
    points = [corners[0]]
    for (x, y), (u, v) in itertools.pairwise(corners):
        points += [(x + (u - x) / 3, y + (v - y) / 3), (u - (u - x) / 3, v - (v - y) / 3), (u, v)]
    return tuple(points)
