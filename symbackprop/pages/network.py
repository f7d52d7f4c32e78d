"""The network as inline SVG: every equation a box below those that it reads, its deltas beside it."""

from __future__ import annotations

from html import escape

from symbackprop.derivation.result import Derivation
from symbackprop.languages.language import Language
from symbackprop.pages.links import Links
from symbackprop.plotting.arrows_of_steps import StepArrow
from symbackprop.plotting.network_layout import network_layout
from symbackprop.plotting.shapes import Box, Curve


def network_svg(derivation: Derivation, links: Links, language: Language = Language.ENGLISH) -> str:
    """The whole drawing; a screen reader is told what it shows."""
    layout = network_layout(derivation, language)
    arrows = "".join(map(_arrow_svg, layout.arrows))
    arrows += "".join(map(_step_svg, layout.step_arrows))
    boxes = "".join(_box_svg(box, links) for box in layout.boxes)
    return (
        f'<svg class="network" viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" '
        f'width="{layout.width:.0f}" style="--natural: {layout.width:.0f}px" role="img" '
        f'aria-label="{escape(layout.title)}"><defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" '
        f'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
        f"{arrows}{boxes}</svg>"
    )


def _step_svg(arrow: StepArrow) -> str:
    """Dashed, with the step that is read beside it."""
    x, y = arrow.beside
    label = f'<text class="step" x="{x:.1f}" y="{y:.1f}">{escape(arrow.label)}</text>' if arrow.label else ""
    return _arrow_svg(arrow.curve, "edge back") + label


def _arrow_svg(curve: Curve, kind: str = "edge") -> str:
    points = [f"{x:.1f} {y:.1f}" for x, y in curve]
    arcs = "".join(f"C{' '.join(points[place : place + 3])}" for place in range(1, len(points), 3))
    return f'<path class="{kind}" marker-end="url(#arrow)" d="M{points[0]}{arcs}"/>'


def _box_svg(box: Box, links: Links) -> str:
    frame = (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="6"/>'
    )
    lines = []
    for line, (x, y) in box.baselines:
        words = f'<text class="{line.kind}" x="{x:.1f}" y="{y:.1f}">{escape(line.shown)}</text>'
        target = links.target_of(line.name)
        lines.append(f'<a href="{target}" data-t="{escape(line.name)}">{words}</a>' if target else words)
    return frame + "".join(lines)
