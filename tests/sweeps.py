"""Sweeps over random models and many data: a part runs in every suite, the rest by `make sweep`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def swept(values: Sequence[Any], always: int) -> list[Any]:
    """A test's parameters, of which the first `always` run in every suite and the others in a sweep alone."""
    rest = [pytest.param(value, marks=pytest.mark.sweep) for value in values[always:]]
    return [*values[:always], *rest]
