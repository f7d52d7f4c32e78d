"""Drawings that are no charts: the network with its deltas, and the pattern of a Jacobian."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curves
from matplotlib.ticker import MaxNLocator

from symbackprop.languages.language import Language
from symbackprop.languages.phrases import phrase, text_in
from symbackprop.plotting.canvas import BLUE, INK, VERMILLION, Picture, family_for, look, new_figure
from symbackprop.plotting.jacobians import JacobianPattern, Part
from symbackprop.plotting.network_layout import MARGIN, NetworkLayout
from symbackprop.plotting.shapes import LETTER_SIZE, Box, Curve

POINTS_PER_INCH = 72.0
COLOURS_OF_LINES = {"name": INK, "with": "#3d3d3d", "delta": "#8a3b00"}
LETTERS = "DejaVu Sans Mono"
BOX_FILL, BOX_EDGE, ARROW = "#f4f7fa", "#5b6770", "#5b6770"
# Inches of a pattern: its title needs the width.
LEAST_WIDTH, LEAST_HEIGHT, MOST_SIDE, EACH_ELEMENT = 5.5, 2.5, 10.0, 0.12


def network_drawing(layout: NetworkLayout, language: Language = Language.ENGLISH) -> Picture:
    """Each tensor a box with its parameters and its delta, arrows to what reads it."""
    ends = [box.x + box.width for box in layout.boxes]
    width = max([*ends, *(x for arrow in layout.arrows for x, _ in arrow)]) + MARGIN
    figure = new_figure(width / POINTS_PER_INCH, layout.height / POINTS_PER_INCH)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(layout.height, 0)
    axes.axis("off")
    for arrow in layout.arrows:
        _draw_arrow(axes, arrow)
    # A letter that the first font lacks is taken from the next, which has no bold.
    families = [*filter(None, (LETTERS, family_for(language)))]
    for back in layout.step_arrows:
        _draw_arrow(axes, back.curve, "--")
        x, y = back.beside
        axes.text(x, y, back.label, ha="right", va="baseline", fontsize=LETTER_SIZE - 2, family=families)
    for box in layout.boxes:
        _draw_box(axes, box, families)
    return Picture(figure)


def _draw_arrow(axes: Axes, curve: Curve, style: str = "-") -> None:
    codes = [Curves.MOVETO] + [Curves.CURVE4] * (len(curve) - 1)
    arrow = FancyArrowPatch(
        path=Curves(list(curve), codes),
        arrowstyle="-|>",
        mutation_scale=11,
        color=ARROW,
        linewidth=1.2,
        linestyle=style,
    )
    axes.add_patch(arrow)


def _draw_box(axes: Axes, box: Box, families: Sequence[str]) -> None:
    frame = FancyBboxPatch(
        (box.x, box.y),
        box.width,
        box.height,
        boxstyle="round,pad=0,rounding_size=6",
        facecolor=BOX_FILL,
        edgecolor=BOX_EDGE,
        linewidth=1.1,
    )
    axes.add_patch(frame)
    for line, (x, y) in box.baselines:
        axes.text(
            x,
            y,
            line.shown,
            ha="center",
            va="baseline",
            family=LETTERS if line.shown.isascii() else families,
            fontsize=LETTER_SIZE,
            color=COLOURS_OF_LINES[line.kind],
            weight="bold" if line.kind == "name" else "normal",
        )


def jacobian_drawing(pattern: JacobianPattern, name: str, language: Language) -> Picture:
    """A square for each element that is not 0, the tensors of the columns side by side."""
    rows, columns = pattern.is_nonzero.shape
    figure = new_figure(_side(columns, LEAST_WIDTH) + 1.2, _side(rows, LEAST_HEIGHT) + 1.6)
    with rc_context(look(language)):
        axes = figure.subplots()
    axes.imshow(_coloured(pattern), interpolation="nearest", aspect="auto", vmin=0, vmax=1)
    share = float(pattern.is_nonzero.mean()) if pattern.is_nonzero.size else 0.0
    of = pattern.rows
    title = phrase(
        "{model}: where {derivative} is not 0, {share} of {rows} x {columns}",
        model=name,
        derivative=f"d{of.tensor}/d(...)",
        share=f"{share:.0%}",
        rows=rows,
        columns=columns,
    )
    axes.set_title(text_in(title, language), color=INK)
    starts = list(_starts(pattern.columns))
    for start in starts[1:]:
        axes.axvline(start - 0.5, color=INK, linewidth=1.0)
    middles = [start + (part.size - 1) / 2 for start, part in zip(starts, pattern.columns, strict=True)]
    axes.set_xticks(middles, [_label(part) for part in pattern.columns], color=INK)
    axes.tick_params(axis="x", length=0, labelrotation=0 if len(middles) < 6 else 90)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_ylabel(_label(of), color=INK)
    return Picture(figure)


def _coloured(pattern: JacobianPattern) -> np.ndarray:
    """White where it is 0, else one of two colours in turn, so that neighbouring tensors are told apart."""
    image = np.ones((*pattern.is_nonzero.shape, 3))
    for place, (start, part) in enumerate(zip(_starts(pattern.columns), pattern.columns, strict=True)):
        block = image[:, start : start + part.size]
        block[pattern.is_nonzero[:, start : start + part.size]] = _rgb((BLUE, VERMILLION)[place % 2])
    return image


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))


def _starts(parts: Sequence[Part]) -> Iterator[int]:
    start = 0
    for part in parts:
        yield start
        start += part.size


def _label(part: Part) -> str:
    """W2[k,j], and how long its axes are."""
    if not part.axes:
        return part.tensor
    return f"{part.tensor}[{','.join(part.axes)}]\n{' x '.join(map(str, part.shape))}"


def _side(elements: int, least: float) -> float:
    return min(max(elements * EACH_ELEMENT, least), MOST_SIDE)
