"""Python's collector of cycles, which need not look through a derivation while that is being made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NODES_BETWEEN_PASSES = 2_000_000  # deep models keep as many, and each pass looks at all that is new


@contextmanager
def few_passes() -> Iterator[None]:
    """Let the collector pass seldom meanwhile, if it does at all: nodes are many, cycles of them few."""
    before = gc.get_threshold()
    if 0 < before[0] < NODES_BETWEEN_PASSES:
        gc.set_threshold(NODES_BETWEEN_PASSES, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
