"""What all tests share: a collector that does not run in the midst of every derivation, no cache."""

from __future__ import annotations

import gc
import os

import pytest

from symbackprop.buffers import buffered, prepared, three_address
from symbackprop.collecting import NODES_BETWEEN_PASSES


def pytest_configure() -> None:
    """Nodes are many and rarely in cycles: the default of 700 costs time and frees next to nothing."""
    gc.set_threshold(NODES_BETWEEN_PASSES)
    os.environ["SYMBACKPROP_CACHE"] = "off"  # each test finds out by itself, subprocesses too
    # For workers and subprocesses: threads of BLAS beside other workers spend most of their time waiting.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    """What collecting leaves stays until the end: no later collection goes over it."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """pytest collects five times at its end: once is enough for what is no longer reached."""
    gc.collect()
    gc.freeze()


def by_numpy(value: object) -> bool:
    """No sum is a product with ones."""
    return False


@pytest.fixture
def sums_by_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """In workspaces no sum is a product with ones, and no operand is copied: BLAS has orders of its own."""
    monkeypatch.setattr(three_address, "is_sum_of_rows", by_numpy)
    monkeypatch.setattr(prepared, "totalled", lambda value: "")
    monkeypatch.setattr(buffered, "with_inner_products", lambda lines, parts, whole: lines)
    monkeypatch.setattr(buffered, "with_copied_operands", lambda program: program)
