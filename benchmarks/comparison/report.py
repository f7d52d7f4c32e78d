"""The table and the plot of a comparison."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLOOR = "floor"


@dataclass(frozen=True)
class Measured:
    """The best round of a contender on a workload in seconds, and what it said of its results."""

    workload: str
    contender: str
    threads: int
    seconds: float
    said: Mapping[str, float | str]

    @property
    def missing(self) -> str:
        """Why it was not run; "" where it was."""
        return str(self.said.get("missing", ""))


def page(measured: Sequence[Measured], contenders: Sequence[str], machine: str) -> str:
    """The tables in Markdown."""
    lines = ["# Comparison", "", "    python -m benchmarks.comparison", "", machine, ""]
    lines += [
        "Loss and gradients, best round; in brackets the time over the floor's: the unavoidable matrix",
        "products and one pass forward and one backward over what they make, by NumPy in the same run.",
        "`ours` is the readable module, `ours, bound` the function that its `bind` returns, `by hand` NumPy",
        "tuned by hand for the one workload. One thread: processor time on one core.",
    ]
    for threads in sorted({each.threads for each in measured}):
        title = "One thread" if threads == 1 else f"{threads} threads, wall time"
        lines += ["", f"## {title}", "", *_table(measured, contenders, threads, _time)]
    lines += [
        "",
        "## Memory",
        "",
        "Peak of the resident memory above what was there with the inputs, MB, one thread.",
    ]
    lines += ["", *_table(measured, contenders, 1, _memory)]
    lines += [
        "",
        "## Errors",
        "",
        "From the same in float64, the largest of a tensor over its largest element.",
    ]
    lines += ["", *_table(measured, contenders, 1, _error), ""]
    return "\n".join(lines)


def _table(measured: Iterable[Measured], contenders: Sequence[str], threads: int, cell: Any) -> Iterator[str]:
    known = {(each.workload, each.contender): each for each in measured if each.threads == threads}
    yield f"| workload | {' | '.join(contenders)} |"
    yield f"|---|{'---:|' * len(contenders)}"
    for name in dict.fromkeys(workload for workload, _ in known):
        cells = [
            known[name, each].missing or cell(known[name, each], known[name, FLOOR]) for each in contenders
        ]
        yield f"| {name} | {' | '.join(cells)} |"


def _time(each: Measured, floor: Measured) -> str:
    return f"{_seconds(each.seconds)} ({each.seconds / floor.seconds:.2f})"


def _memory(each: Measured, floor: Measured) -> str:
    return f"{float(each.said['memory']):.1f}"


def _error(each: Measured, floor: Measured) -> str:
    wide = "" if each.said["narrow"] else ", not float32"
    return f"{float(each.said['error']):.1e}{wide}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def plot(measured: Sequence[Measured], contenders: Sequence[str], path: Path) -> None:
    """Times over the floor's on one thread, bars by workload; nothing without matplotlib or times."""
    try:
        figures: Any = importlib.import_module("matplotlib.figure")
    except ImportError:
        return
    of_one = [each for each in measured if each.threads == 1]
    floors = {each.workload: each.seconds for each in of_one if each.contender == FLOOR}
    shown = [
        name for name in contenders if any(each.contender == name and not each.missing for each in of_one)
    ]
    if not shown:
        return
    figure = figures.Figure(figsize=(11, 4.5), layout="constrained")
    axes = figure.subplots()
    for number, contender in enumerate(shown):
        bars = [each for each in of_one if each.contender == contender and not each.missing]
        width = 0.8 / len(shown)
        places = [[*floors].index(each.workload) + (number - (len(shown) - 1) / 2) * width for each in bars]
        axes.bar(places, [each.seconds / floors[each.workload] for each in bars], width, label=contender)
    axes.set_yscale("log")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(range(len(floors)), [*floors])
    axes.set_ylabel("time over the floor's, one thread")
    figure.legend(loc="outside upper center", ncols=len(shown), fontsize="small")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
