"""What each way of differentiating costs, against the width of the network, as inline SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import log2, log10

from symbackprop.explanation.ways import Ways
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import marked, translated
from symbackprop.plotting.cost_curves import cost_curves
from symbackprop.systems.system import System

_TITLE = marked("Operations of each way of differentiating, against the size of every open axis")
_AXIS = marked("size of every open axis")
_LEFT, _TOP, _WIDTH, _HEIGHT = 58.0, 14.0, 420.0, 250.0


def cost_plot(system: System, ways: Ways, language: Language = Language.ENGLISH) -> str:
    """Operations against the size of all open axes, both in powers; "" where sizes are all declared."""
    curves = cost_curves(system, {way.name: way.operations for way in ways.ways})
    if curves is None:
        return ""
    numbers = [number for line in curves.operations.values() for number in line if number > 0]
    low, high = int(log10(min(numbers))), int(log10(max(numbers))) + 1
    widths = list(curves.widths)
    lines = {translated(name, language): line for name, line in curves.operations.items()}
    axis = translated(_AXIS, language)
    body = "".join((*_grid(widths, low, high, axis), *_curves(widths, lines, low, high)))
    title = translated(_TITLE, language)
    return (
        f'<svg class="plot" viewBox="0 0 {_LEFT + _WIDTH + 60:.0f} {_TOP + _HEIGHT + 74:.0f}" role="img" '
        f'aria-label="{escape(title)}">{body}</svg>'
    )


def _place(width: float, widths: list[int]) -> float:
    return _LEFT + _WIDTH * (log2(width) - log2(widths[0])) / max(log2(widths[-1]) - log2(widths[0]), 1)


def _height(number: float, low: int, high: int) -> float:
    return _TOP + _HEIGHT * (1 - (log10(max(number, 1)) - low) / max(high - low, 1))


def _grid(widths: list[int], low: int, high: int, axis: str) -> Iterator[str]:
    step = max(1, (high - low) // 6)
    for power in range(low, high + 1, step):
        y = _height(10.0**power, low, high)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}h{_WIDTH}"/>'
        yield _text(_LEFT - 6, y + 4, f"1e{power}", "end")
    for width in widths:
        yield _text(_place(width, widths), _TOP + _HEIGHT + 16, str(width), "middle")
    yield _text(_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 32, axis, "middle")


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _curves(widths: list[int], lines: Mapping[str, Sequence[int]], low: int, high: int) -> Iterator[str]:
    for place, (name, numbers) in enumerate(lines.items()):
        points = " ".join(
            f"{_place(width, widths):.1f},{_height(number, low, high):.1f}"
            for width, number in zip(widths, numbers, strict=True)
        )
        y, x = _TOP + _HEIGHT + 50, _LEFT + place * 178 - 52
        yield f'<polyline class="curve way{place}" points="{points}"/>'
        yield f'<path class="curve way{place}" d="M{x:.0f} {y - 4:.0f}h18"/>'
        yield _text(x + 23, y, name)
