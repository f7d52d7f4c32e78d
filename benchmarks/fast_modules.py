"""What `generate --fast` buys: calls in memory that is there, and what they allocate, as a table.

Run it from the checkout with `python -m benchmarks.fast_modules [WORKLOAD ...]`; it prints one row a
workload. Times are the least of turns in rotation, processor time, one thread; memory is what tracemalloc
sees at a time beyond what was there before a call, or what the arrays of a workspace take.
"""

from __future__ import annotations

import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # ahead of NumPy, which reads them once

from benchmarks.comparison.__main__ import load, machine  # noqa: E402
from benchmarks.comparison.worker import arguments_of  # noqa: E402
from benchmarks.comparison.workloads import MAKERS, workload  # noqa: E402
from benchmarks.workloads.contender import model_of  # noqa: E402

ROUNDS = 12
TURN = 0.05  # seconds

Call = Callable[[], Any]


def least_times(calls: Sequence[Call]) -> list[float]:
    """The least mean time of a call in any of its turns, in seconds."""
    least = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for place, call in enumerate(calls):
            start, count = time.process_time(), 0
            while time.process_time() - start < TURN:
                call()
                count += 1
            least[place] = min(least[place], (time.process_time() - start) / count)
    return least


def peak(call: Call) -> int:
    """The bytes that a call allocates at a time, beyond those that are there."""
    tracemalloc.start()
    call()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most - before


def bytes_of(memory: Any) -> int:
    """The bytes of a workspace: one piece of memory, and what is computed once."""
    constants = (array for array in memory.arrays.values() if not array.flags.writeable)
    return int(memory.room.nbytes + sum(array.nbytes for array in constants))


def row(name: str) -> str:
    """A line of the table."""
    of = workload(name)
    module: Any = model_of(of.family).derive(wrt=[*of.asked]).module(verify=False, fast=True)
    arguments, memory = arguments_of(of, of.inputs), module.workspace()
    calls: tuple[Call, ...] = (
        lambda: module.value_and_grad(*arguments),
        lambda: module.value_and_grad(*arguments, workspace=memory),
        module.bind(*arguments),
    )
    times = [_time(seconds) for seconds in least_times(calls)]
    arrays = bytes_of(memory)
    sizes = [_size(number) for number in (peak(calls[0]), peak(calls[1]), arrays)]
    return f"| {' | '.join([name, *times, *sizes])} |"


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} us" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def _size(number: int) -> str:
    return f"{number / 1e3:.0f} kB" if number < 1e5 else f"{number / 1e6:.2g} MB"


def main(names: Sequence[str]) -> int:
    """Print the table."""
    print(f"{machine()}. Load: {load():.1f}.\n")
    print("| workload | as it reads | workspace | bound | allocated | in a workspace | its arrays |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in names or MAKERS:
        print(row(name), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
