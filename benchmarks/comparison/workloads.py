"""What is computed: inputs with fixed seeds, and the products that nobody can avoid.

y = x @ W + b throughout, batch first, float32. A product (m, n, k, batch) is one of `batch` matrices m by k
with matrices k by n; `passes` has the arrays that are gone through once forward and once backward.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Product: TypeAlias = tuple[int, int, int, int]
DEPTH = 50


@dataclass(frozen=True)
class Workload:
    """One network on one set of inputs, of which the parameters, and `also`, are differentiated by."""

    name: str
    inputs: Mapping[str, Array]
    data: tuple[str, ...]
    also: tuple[str, ...]
    products: tuple[Product, ...]
    passes: tuple[tuple[int, ...], ...]
    heads: int = 1

    @property
    def family(self) -> str:
        """W1 of W1-32."""
        return self.name.partition("-")[0]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The inputs that are no data."""
        return tuple(name for name in self.inputs if name not in self.data)

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the gradients."""
        return (*self.parameters, *self.also)


def _mlp(name: str, sizes: list[int], batch: int, gain: float, classes: bool = False) -> Workload:
    rng = np.random.default_rng(0)
    inputs: dict[str, Array] = {}
    pairs = list(pairwise(sizes))
    for layer, (before, after) in enumerate(pairs):
        inputs[f"W{layer}"] = rng.normal(size=(before, after)) * np.sqrt(gain / before)
        inputs[f"b{layer}"] = rng.normal(size=after) * 0.1
    inputs["x"] = rng.normal(size=(batch, sizes[0]))
    chosen = np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)]
    inputs["d"] = chosen if classes else rng.normal(size=(batch, sizes[-1]))
    products = [product for before, after in pairs for product in _of_layer(batch, before, after)]
    del products[2]  # nothing is differentiated by x
    return _workload(name, inputs, products, [(batch, after) for after in sizes[1:]])


def _of_layer(batch: int, before: int, after: int) -> list[Product]:
    """Forward, by the weights, by what comes in."""
    return [(batch, after, before, 1), (before, after, batch, 1), (batch, before, after, 1)]


def _workload(
    name: str,
    inputs: Mapping[str, Array],
    products: list[Product],
    passes: Sequence[tuple[int, ...]],
    also: tuple[str, ...] = (),
    heads: int = 1,
) -> Workload:
    narrow = {key: np.ascontiguousarray(array, dtype=np.float32) for key, array in inputs.items()}
    return Workload(name, narrow, ("x", "d"), also, tuple(products), tuple(passes), heads)


def _feed_forward(name: str, rows: int = 1024, width: int = 512, hidden: int = 2048) -> Workload:
    rng = np.random.default_rng(0)
    inputs = {
        "g": 1 + 0.1 * rng.normal(size=width),
        "be": 0.1 * rng.normal(size=width),
        "W1": rng.normal(size=(width, hidden)) / np.sqrt(width),
        "b1": 0.1 * rng.normal(size=hidden),
        "W2": rng.normal(size=(hidden, width)) / np.sqrt(hidden),
        "b2": 0.1 * rng.normal(size=width),
        "x": rng.normal(size=(rows, width)),
        "d": rng.normal(size=(rows, width)),
    }
    products = [*_of_layer(rows, width, hidden), *_of_layer(rows, hidden, width)]
    return _workload(name, inputs, products, [(rows, width), (rows, hidden), (rows, width)], also=("x",))


def _attention(name: str, heads: int, batch: int = 4, steps: int = 256, width: int = 256) -> Workload:
    rng = np.random.default_rng(0)
    inputs = {key: rng.normal(size=(width, width)) / np.sqrt(width) for key in ("Wq", "Wk", "Wv", "Wo")}
    inputs |= {key: rng.normal(size=(batch, steps, width)) for key in ("x", "d")}
    rows, each, many = batch * steps, width // heads, batch * heads
    scores = [(steps, steps, each, many)] * 2 + [(steps, each, steps, many)] * 4
    products = [*_of_layer(rows, width, 3 * width), *_of_layer(rows, width, width), *scores]
    return _workload(name, inputs, products, [(many, steps, steps), (rows, width)], ("x",), heads)


def _lenet(name: str, batch: int = 64) -> Workload:
    rng = np.random.default_rng(0)

    def scaled(*shape: int, fan: int) -> Array:
        return np.asarray(rng.normal(size=shape) * np.sqrt(2 / fan))

    inputs = {
        "K1": scaled(6, 1, 5, 5, fan=25),
        "c1": 0.1 * rng.normal(size=6),
        "K2": scaled(16, 6, 5, 5, fan=150),
        "c2": 0.1 * rng.normal(size=16),
        "W3": scaled(256, 120, fan=256),
        "b3": 0.1 * rng.normal(size=120),
        "W4": scaled(120, 84, fan=120),
        "b4": 0.1 * rng.normal(size=84),
        "W5": scaled(84, 10, fan=84),
        "b5": 0.1 * rng.normal(size=10),
        "x": rng.normal(size=(batch, 1, 28, 28)),
        "d": np.eye(10)[rng.integers(0, 10, batch)],
    }
    first, second = batch * 576, batch * 64
    dense = [product for pair in ((256, 120), (120, 84), (84, 10)) for product in _of_layer(batch, *pair)]
    products = [(first, 6, 25, 1), (25, 6, first, 1), *_of_layer(second, 150, 16), *dense]
    passes = [(first, 6), (second, 16), (batch, 120), (batch, 84), (batch, 10)]
    return _workload(name, inputs, products, passes)


def _lstm(name: str, steps: int = 32, batch: int = 32, width: int = 128) -> Workload:
    rng = np.random.default_rng(0)
    inputs = {key: rng.normal(size=(width, 4 * width)) / np.sqrt(width) for key in ("Wx", "Wh")}
    inputs["b"] = 0.1 * rng.normal(size=4 * width)
    inputs |= {key: rng.normal(size=(steps, batch, width)) for key in ("x", "d")}
    stepwise = [(batch, 4 * width, width, 1), (batch, width, 4 * width, 1)] * (steps - 1)
    at_once = [(steps * batch, 4 * width, width, 1), *[(width, 4 * width, steps * batch, 1)] * 2]
    return _workload(name, inputs, [*at_once, *stepwise], [(batch, 6 * width)] * steps)


MAKERS: Mapping[str, Callable[[str], Workload]] = {
    "W1-32": lambda name: _mlp(name, [784, 256, 128, 10], 32, 2.0),
    "W1-256": lambda name: _mlp(name, [784, 256, 128, 10], 256, 2.0),
    "W1-2048": lambda name: _mlp(name, [784, 256, 128, 10], 2048, 2.0),
    "W2-256": lambda name: _mlp(name, [784, 256, 128, 10], 256, 2.0, classes=True),
    "W3": lambda name: _mlp(name, [2, 3, 2], 1, 2.0),
    "W4": lambda name: _mlp(name, [64] * (DEPTH + 1), 64, 1.0),
    "W5": _feed_forward,
    "W6-1": lambda name: _attention(name, 1),
    "W6-8": lambda name: _attention(name, 8),
    "W7": _lenet,
    "W8": _lstm,
}


def workload(name: str) -> Workload:
    """The workload of this name, its arrays made anew."""
    return MAKERS[name](name)
