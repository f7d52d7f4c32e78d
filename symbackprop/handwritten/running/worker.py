"""The process that runs a stranger's code: a job comes in as a file, arrays and a JSON page go out as files.

It is started with limits on time and memory. What it writes is read without executing anything.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.handwritten.plans import ARRAYS, JOB, PAGE, Attempt, Change, Outcome, Program
from symbackprop.handwritten.running.definitions import defined
from symbackprop.handwritten.running.performing import Expected, Names

MEMORY = 4 * 2**30  # bytes


def main(folder: str) -> None:
    """Do the job in this folder."""
    with suppress(OSError, ValueError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    job: dict[str, Any] = pickle.loads((Path(folder) / JOB).read_bytes())
    program: Program = job["program"]
    sys.path.insert(0, program.folder or os.getcwd())
    names = Names(defined(program, {}), program.name)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    page = performed(names, job, arrays)
    np.savez(Path(folder) / ARRAYS, **arrays)  # type: ignore[arg-type]
    (Path(folder) / PAGE).write_text(json.dumps(page), encoding="utf-8")


def performed(names: Names, job: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """The page that is written; arrays go into `arrays`, and the page says by which name."""
    if "changes" in job:
        attempt: Attempt = job["attempt"]
        changes: tuple[Change, ...] = job["changes"]
        expected: Expected = job["expected"]
        least: dict[str, int] = job["least"]
        return [names.mended(attempt, change, expected, least) for change in changes]
    attempts: tuple[Attempt, ...] = job["attempts"]
    return [[_page(each, arrays) for each in names.outcomes(one, job["watched"])] for one in attempts]


def _page(outcome: Outcome, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    def kept(array: np.ndarray[Any, Any]) -> str:
        name = f"a{len(arrays)}"
        arrays[name] = array
        return name

    return {
        "results": {path: kept(array) for path, array in outcome.results.items()},
        "events": [[each.function, each.line, each.name, kept(each.value)] for each in outcome.events],
        "changed": list(outcome.changed),
        "error": outcome.error,
        "line": outcome.line,
        "sides": sorted(outcome.sides),
    }


if __name__ == "__main__":
    main(sys.argv[1])
