"""GradBench's tool for JAX, which waits for each result; its own times the dispatch of a call alone."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from gradbench import wrap

TOOL = Path(wrap.__file__).parent / "tools" / "jax"
multiple_runs = wrap.multiple_runs


def waiting(**conversions: Any) -> Callable[[Callable[[Any], Any]], Any]:
    """The decorator of a timed function, in place of GradBench's."""
    return lambda function: multiple_runs(**conversions)(lambda given: jax.block_until_ready(function(given)))


if __name__ == "__main__":
    wrap.multiple_runs = waiting
    sys.path.insert(0, str(TOOL))
    runpy.run_path(str(TOOL / "run.py"), run_name="__main__")
