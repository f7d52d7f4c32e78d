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

from symbackprop.handwritten.plans import ARRAYS, JOB, PAGE, Program
from symbackprop.handwritten.running.definitions import defined
from symbackprop.handwritten.running.jobs import Job
from symbackprop.handwritten.running.performing import Names

MEMORY = 4 * 2**30  # bytes


def main(folder: str) -> None:
    """Do the job in this folder."""
    with suppress(OSError, ValueError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    program: Program
    job: Job[Any]
    program, job = pickle.loads((Path(folder) / JOB).read_bytes())
    sys.path.insert(0, program.folder or os.getcwd())
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    page = job.page(job.done(Names(defined(program, {}), program.name)), arrays)
    np.savez(Path(folder) / ARRAYS, **arrays)  # type: ignore[arg-type]
    (Path(folder) / PAGE).write_text(json.dumps(page), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
