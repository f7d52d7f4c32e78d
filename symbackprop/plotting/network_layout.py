"""Where the boxes and arrows of a network's drawing lie: every equation below those that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from symbackprop.derivation.result import Derivation
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import marked, phrase, text_in
from symbackprop.plotting.arrows_of_steps import StepArrow, room_for_steps, step_arrows
from symbackprop.plotting.shapes import Box, Curve, Line
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role, System

# Between boxes, between rows, and around all of them.
_GAP, _ROW_GAP, MARGIN = 26, 34, 10

_TITLE = marked("The network {model}: each equation below what it reads, with the derivatives that are kept")


@dataclass(frozen=True)
class NetworkLayout:
    """A drawing of this width and height, and what it shows, in words."""

    title: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Curve, ...]
    step_arrows: tuple[StepArrow, ...] = ()


def network_layout(derivation: Derivation, language: Language = Language.ENGLISH) -> NetworkLayout:
    """Every equation a box with its parameters, and the derivative of the loss by it where that is kept."""
    system = derivation.system
    names = _rows(system)
    rows = [[_box(derivation, name, language) for name in row] for row in names]
    left = room_for_steps(system, names) + MARGIN
    widest = max(sum(box.width for box in row) + _GAP * (len(row) - 1) for row in rows)
    # What leads back leaves the last row below, and comes into the first from above.
    y = above = float(MARGIN if left == MARGIN else 2 * MARGIN)
    placed: dict[str, Box] = {}
    for row in rows:
        x = left + (widest - sum(box.width for box in row) - _GAP * (len(row) - 1)) / 2
        for box in row:
            placed[box.tensor] = box.at(x, y)
            x += box.width + _GAP
        y += max(box.height for box in row) + _ROW_GAP
    width, height = left + widest + MARGIN + 14 + 9 * len(rows), y - _ROW_GAP + above
    title = text_in(phrase(_TITLE, model=system.name), language)
    arrows, back = tuple(_arrows(system, placed)), tuple(step_arrows(system, placed))
    return NetworkLayout(title, width, height, tuple(placed.values()), arrows, back)


def _rows(system: System) -> list[list[str]]:
    """The names in rows: an equation below all that it reads, but for what it reads at another step."""
    depth: dict[str, int] = {}
    for equation in system.equations:
        depth[equation.tensor] = 1 + max((depth.get(read, 0) for read in equation.reads), default=0)
    for tensor in system.with_role(Role.INPUT, Role.TARGET):
        readers = [depth[equation.tensor] for equation in system.consumers[tensor.name]]
        depth[tensor.name] = min(readers, default=1) - 1
    rows: dict[int, list[str]] = {}
    for name in system.tensors:
        if name in depth:
            rows.setdefault(depth[name], []).append(name)
    return [rows[number] for number in sorted(rows)]


def _box(derivation: Derivation, name: str, language: Language) -> Box:
    """The tensor, what its equation is given, and the derivative of the loss by it where that is kept."""
    system = derivation.system
    tensor = system.tensors[name]
    lines = [Line(text(tensor.element), name, "name")]
    equation = system.definitions.get(name)
    if equation is not None:
        given = (Role.PARAMETER, Role.CONSTANT)
        parameters = [read for read in equation.reads if system.tensors[read].role in given]
        beside = text_in(phrase("with {parameters}", parameters=", ".join(parameters)), language)
        lines += [Line(beside, "", "with")] if parameters else []
    adjoint = next((each for each in derivation.adjoints if each.tensor == name and each.kept), None)
    if adjoint is not None:
        kept = adjoint.equation.tensor
        lines.append(Line(f"{kept} = d{system.loss}/d{name}", kept, "delta"))
    return Box(name, tuple(lines))


def _arrows(system: System, placed: Mapping[str, Box]) -> Iterator[Curve]:
    """From each tensor to the equations below that read it."""
    heights = sorted({box.y for box in placed.values()})
    for equation in system.equations:
        below = placed[equation.tensor]
        for read in _shown(equation.reads, placed):
            above = placed[read]
            if above.y < below.y:
                between = heights[heights.index(above.y) + 1 : heights.index(below.y)]
                boxes = [box for box in placed.values() if box.y in between]
                yield _around(above, below, boxes) if boxes else _straight(above, below)


def _straight(above: Box, below: Box) -> Curve:
    """From the lower edge of a box to the upper edge of one in the next row."""
    start = above.x + above.width / 2, above.y + above.height
    end = below.x + below.width / 2, below.y - 2
    middle = (start[1] + end[1]) / 2
    return start, (start[0], middle), (end[0], middle), end


def _around(above: Box, below: Box, between: list[Box]) -> Curve:
    """Past the right of the boxes in the rows between, into the right side of the box."""
    clear = _clear_of(below, between)
    x, y = above.x + above.width / 2, above.y + above.height
    side, middle = below.x + below.width + 2, below.y + below.height / 2
    half = (y + middle) / 2
    down = (x, y), (x, y + 16), (clear, y + 6), (clear, half)
    return *down, (clear, middle), (side + 12, middle), (side, middle)


def _clear_of(below: Box, between: list[Box]) -> float:
    """Further out the more rows are passed, so that arrows to one box do not run together."""
    rows = len({box.y for box in between})
    return max(box.x + box.width for box in (below, *between)) + 14 + 9 * rows


def _shown(names: Iterable[str], placed: Mapping[str, Box]) -> list[str]:
    return [name for name in names if name in placed]
