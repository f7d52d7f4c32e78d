"""The network as inline SVG: every equation a box below those that it reads, its deltas beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from symbackprop.derivation.result import Derivation
from symbackprop.languages.columns import columns
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import marked, phrase, text_in
from symbackprop.pages.links import Links
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role, System

_LETTER, _LINE, _PAD, _GAP, _ROW_GAP, _MARGIN = 7.9, 17, 9, 26, 34, 10


_TITLE = marked("The network {model}: each equation below what it reads, with the derivatives that are kept")


@dataclass(frozen=True)
class _Box:
    """A tensor with its place; each of `lines` is a text, the name that it links to, and its kind."""

    tensor: str
    lines: tuple[tuple[str, str, str], ...]
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        return max(columns(shown) for shown, _, _ in self.lines) * _LETTER + 2 * _PAD

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + 2 * _PAD - 4

    def at(self, x: float, y: float) -> _Box:
        return _Box(self.tensor, self.lines, x, y)


def network_svg(derivation: Derivation, links: Links, language: Language = Language.ENGLISH) -> str:
    """The whole drawing; a screen reader is told what it shows."""
    system = derivation.system
    rows = [[_box(derivation, name, language) for name in names] for names in _rows(system)]
    widest = max(sum(box.width for box in row) + _GAP * (len(row) - 1) for row in rows)
    y = float(_MARGIN)
    placed: dict[str, _Box] = {}
    for row in rows:
        x = _MARGIN + (widest - sum(box.width for box in row) - _GAP * (len(row) - 1)) / 2
        for box in row:
            placed[box.tensor] = box.at(x, y)
            x += box.width + _GAP
        y += max(box.height for box in row) + _ROW_GAP
    width, height = widest + 2 * _MARGIN + 14 + 9 * len(rows), y - _ROW_GAP + _MARGIN
    arrows = "".join(_arrows(system, placed))
    boxes = "".join(_box_svg(box, links) for box in placed.values())
    title = text_in(phrase(_TITLE, model=system.name), language)
    return (
        f'<svg class="network" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'aria-label="{escape(title)}"><defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" '
        f'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
        f"{arrows}{boxes}</svg>"
    )


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


def _box(derivation: Derivation, name: str, language: Language) -> _Box:
    """The tensor, the parameters of its equation, and the derivative of the loss by it where that is kept."""
    system = derivation.system
    tensor = system.tensors[name]
    lines = [(text(tensor.element), name, "name")]
    equation = system.definitions.get(name)
    if equation is not None:
        parameters = [read for read in equation.reads if system.tensors[read].role is Role.PARAMETER]
        beside = text_in(phrase("with {parameters}", parameters=", ".join(parameters)), language)
        lines += [(beside, "", "with")] if parameters else []
    adjoint = next((each for each in derivation.adjoints if each.tensor == name and each.kept), None)
    if adjoint is not None:
        lines.append(
            (f"{adjoint.equation.tensor} = d{system.loss}/d{name}", adjoint.equation.tensor, "delta")
        )
    return _Box(name, tuple(lines))


def _arrows(system: System, placed: Mapping[str, _Box]) -> Iterator[str]:
    """From each tensor to the equations that read it, but not at another step of a recurrence."""
    heights = sorted({box.y for box in placed.values()})
    for equation in system.equations:
        below = placed[equation.tensor]
        for read in _shown(equation.reads, placed):
            above = placed[read]
            if above.y < below.y:
                between = heights[heights.index(above.y) + 1 : heights.index(below.y)]
                boxes = [box for box in placed.values() if box.y in between]
                path = _around(above, below, boxes) if boxes else _straight(above, below)
                yield f'<path class="edge" marker-end="url(#arrow)" d="{path}"/>'


def _straight(above: _Box, below: _Box) -> str:
    """From the lower edge of a box to the upper edge of one in the next row."""
    start = above.x + above.width / 2, above.y + above.height
    end = below.x + below.width / 2, below.y - 2
    middle = (start[1] + end[1]) / 2
    return (
        f"M{start[0]:.1f} {start[1]:.1f}"
        f"C{start[0]:.1f} {middle:.1f} {end[0]:.1f} {middle:.1f} {end[0]:.1f} {end[1]:.1f}"
    )


def _around(above: _Box, below: _Box, between: list[_Box]) -> str:
    """Past the right of the boxes in the rows between, into the right side of the box."""
    clear = _clear_of(above, below, between)
    x, y = above.x + above.width / 2, above.y + above.height
    side, middle = below.x + below.width + 2, below.y + below.height / 2
    half = (y + middle) / 2
    return (
        f"M{x:.1f} {y:.1f}C{x:.1f} {y + 16:.1f} {clear:.1f} {y + 6:.1f} {clear:.1f} {half:.1f}"
        f"C{clear:.1f} {middle:.1f} {side + 12:.1f} {middle:.1f} {side:.1f} {middle:.1f}"
    )


def _clear_of(above: _Box, below: _Box, between: list[_Box]) -> float:
    """Further out the more rows are passed, so that arrows to one box do not run together."""
    rows = len({box.y for box in between})
    return max(box.x + box.width for box in (below, *between)) + 14 + 9 * rows


def _shown(names: Iterable[str], placed: Mapping[str, _Box]) -> list[str]:
    return [name for name in names if name in placed]


def _box_svg(box: _Box, links: Links) -> str:
    frame = (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="6"/>'
    )
    lines = []
    for place, (shown, name, kind) in enumerate(box.lines):
        x, y = box.x + box.width / 2, box.y + _PAD + 10 + place * _LINE
        words = f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(shown)}</text>'
        target = links.target_of(name)
        lines.append(f'<a href="{target}" data-t="{escape(name)}">{words}</a>' if target else words)
    return frame + "".join(lines)
