"""What all tests share: a collector that does not run in the midst of every derivation, no cache."""

from __future__ import annotations

import gc
import os


def pytest_configure() -> None:
    """Nodes are many and rarely in cycles: the default of 700 costs time and frees next to nothing."""
    gc.set_threshold(100_000)
    os.environ["SYMBACKPROP_CACHE"] = "off"  # each test finds out by itself, subprocesses too
