"""How fast rows are added at repeated places: the gradient of an embedding, by five ways.

grad_C[v,e] = sum(n, delta_y[n,e]*delta(ids[n],v)). Run it from the checkout with
`python -m benchmarks.scatter_add`. Exits 1 where the generated helper is slower than np.add.at, or takes more
than three times as long as the best of the others.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.emission.environment import render
from symbackprop.emission.loading import load_module

Array = NDArray[Any]
# Vocabulary, width, number of places; frequencies fall as those of words do.
CASES = (
    (65, 32, 2048),
    (256, 64, 8192),
    (1000, 1, 4096),
    (1000, 64, 32),
    (10_000, 64, 4096),
    (10_000, 300, 1024),
    (50_000, 128, 8192),
    (50_000, 16, 64),
)
REPEATS = 25
ALLOWANCE = 3.0
OVERHEAD_MS = 0.05


def by_add_at(ids: Array, rows: Array, size: int) -> Array:
    """NumPy's unbuffered addition."""
    total = np.zeros((size, rows.shape[1]), dtype=rows.dtype)
    np.add.at(total, ids, rows)
    return total


def by_bincount(ids: Array, rows: Array, size: int) -> Array:
    """One weighted count for each column, in float64."""
    columns = [np.bincount(ids, column, size) for column in rows.T]
    return np.stack(columns, axis=1).astype(rows.dtype)


def by_flat_bincount(ids: Array, rows: Array, size: int) -> Array:
    """One weighted count for all columns together."""
    width = rows.shape[1]
    places = (ids[:, None] * width + np.arange(width)).ravel()
    return np.bincount(places, rows.ravel(), size * width).reshape(size, width).astype(rows.dtype)


def by_sorting(ids: Array, rows: Array, size: int) -> Array:
    """Rows sorted by place, and each run of equal places added up."""
    order = np.argsort(ids, kind="stable")
    placed = ids[order]
    starts = np.flatnonzero(np.r_[True, placed[1:] != placed[:-1]])
    total = np.zeros((size, rows.shape[1]), dtype=rows.dtype)
    total[placed[starts]] = np.add.reduceat(rows[order], starts, axis=0)
    return total


def by_one_hot(ids: Array, rows: Array, size: int) -> Array:
    """A matrix product with the one-hot matrix of the places."""
    product: Array = (ids == np.arange(size)[:, None]).astype(rows.dtype) @ rows
    return product


WAYS: Mapping[str, Callable[[Array, Array, int], Array]] = {
    "np.add.at": by_add_at,
    "bincount": by_bincount,
    "flat bincount": by_flat_bincount,
    "sort, reduceat": by_sorting,
    "one-hot": by_one_hot,
}


def helper() -> Callable[[Array, Array, int], Array]:
    """The helper of generated modules."""
    text = render("numpy/kernels/scatter_add.py.j2")
    head = "from typing import Any\nimport numpy as np\nArray = Any\n\n\n"
    found: Callable[[Array, Array, int], Array] = load_module(head + text, "scatter_add").scatter_add
    return found


def milliseconds(way: Callable[[Array, Array, int], Array], ids: Array, rows: Array, size: int) -> float:
    """The best of several runs."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        way(ids, rows, size)
        best = min(best, time.perf_counter() - start)
    return best * 1000


def places(size: int, count: int, rng: np.random.Generator) -> Array:
    """Places whose frequencies fall as 1/rank."""
    weights = 1 / np.arange(1, size + 1)
    return rng.permutation(size)[rng.choice(size, count, p=weights / weights.sum())]


def main() -> None:
    """Print the table; exit 1 where the helper is too slow."""
    rng = np.random.default_rng(0)
    ways = {**WAYS, "ours": helper()}
    print(f"{'V':>6s} {'E':>4s} {'places':>6s} {'dtype':>8s}", *(f"{name:>15s}" for name in ways))
    slow = False
    for size, width, count in CASES:
        ids = places(size, count, rng)
        for dtype in (np.float32, np.float64):
            rows = rng.normal(size=(count, width)).astype(dtype)
            expected = by_add_at(ids, rows.astype(np.float64), size)
            times = {}
            for name, way in ways.items():
                if name == "one-hot" and size * count > 2e7:
                    times[name] = float("nan")
                    continue
                np.testing.assert_allclose(way(ids, rows, size), expected, rtol=1e-3, atol=1e-3)
                times[name] = milliseconds(way, ids, rows, size)
            shown = (f"{value:12.2f} ms" for value in times.values())
            print(f"{size:6d} {width:4d} {count:6d} {np.dtype(dtype).name:>8s}", *shown)
            best = np.nanmin([value for name, value in times.items() if name != "ours"])
            slow |= times["ours"] > ALLOWANCE * best + OVERHEAD_MS
            slow |= times["ours"] > times["np.add.at"] + OVERHEAD_MS
    sys.exit(slow)


if __name__ == "__main__":
    main()
