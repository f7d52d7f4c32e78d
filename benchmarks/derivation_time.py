"""How the time of a derivation grows with depth, and that it does not grow with width.

Run it from the checkout with `python -m benchmarks.derivation_time`. Exits 1 where 50 layers take more than
ten times as long as 5.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import time

import symbackprop as sb
from symbackprop.algebra.scalar_search import forget_searches

DEPTHS = (5, 10, 20, 50)
WIDTHS = (1, 100, 10_000)
REPEATS = 9
LARGEST_RATIO = 10.0


def dense_net(layers: int, width: int | None = None) -> str:
    """The text of a net of that many dense sigmoid layers, each with an axis of its own."""
    size = f" = {width}" if width else ""
    lines = ["index b : B", *(f"index i{n} : I{n}{size}" for n in range(layers + 1))]
    lines += ["input x[b,i0]", f"target d[b,i{layers}]"]
    before = "x[b,i0]"
    equations = []
    for n in range(1, layers + 1):
        lines.append(f"param W{n}[i{n},i{n - 1}], b{n}[i{n}]")
        equations.append(f"u{n}[b,i{n}] = sum(i{n - 1}, W{n}[i{n},i{n - 1}]*{before}) + b{n}[i{n}]")
        equations.append(f"z{n}[b,i{n}] = sigmoid(u{n}[b,i{n}])")
        before = f"z{n}[b,i{n}]"
    loss = f"loss E = 1/2*sum(b, i{layers}, ({before} - d[b,i{layers}])^2)"
    return "\n".join([*lines, *equations, loss, ""])


def derivation_seconds(text: str, first: bool) -> float:
    """The median processor time of deriving every parameter's gradient, once all is imported.

    Reading the text is not counted. For a `first` derivation, the searches for closed forms that earlier ones
    have made are forgotten; otherwise they are remembered, and only what grows with the net is measured.
    """
    times = []
    for _ in range(REPEATS):
        model = sb.loads(text)
        if first:
            forget_searches()
        gc.collect()  # so that no round pays for what an earlier one has left behind
        start = time.process_time()
        model.derive()
        times.append(time.process_time() - start)
    return statistics.median(times)


def table(rows: dict[int, str], heading: str) -> dict[int, tuple[float, float]]:
    """Measure and print first and repeated derivations of each text; the times, by the row's number."""
    print(f"{heading:>6s}      first   repeated")
    times = {}
    for number, text in rows.items():
        times[number] = derivation_seconds(text, first=True), derivation_seconds(text, first=False)
        print(f"{number:6d} {times[number][0] * 1000:7.1f} ms {times[number][1] * 1000:7.1f} ms")
    return times


def main() -> None:
    """Print both tables; exit 1 where the depth costs too much."""
    os.environ["SYMBACKPROP_CACHE"] = "off"  # what is measured is searching
    derivation_seconds(dense_net(2), first=True)  # the first derivation of a process also imports SymPy
    by_depth = table({depth: dense_net(depth) for depth in DEPTHS}, "layers")
    first, repeated = (deep / shallow for deep, shallow in zip(by_depth[50], by_depth[5], strict=True))
    print(f"50 layers take {first:.1f} times as long as 5 (at most {LARGEST_RATIO:.0f} allowed);")
    print(f"{repeated:.1f} times where both searches are remembered: what is left grows with the net\n")
    table({width: dense_net(5, width) for width in WIDTHS}, "width")
    sys.exit(first > LARGEST_RATIO)


if __name__ == "__main__":
    main()
