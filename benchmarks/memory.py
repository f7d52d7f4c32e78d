"""What loss and gradients take in memory beyond their inputs, beside JAX's, as a table.

Run it from the checkout with `python -m benchmarks.memory [WORKLOAD ...]`, in a Python that has JAX. Ours is
what tracemalloc sees at a time, gradients and all; of the function that `bind` returns, the arrays of a
workspace and what a call allocates beside them and the tuple, the number and the dictionary that it returns.
JAX's is what its compiler says of temporary and of returned arrays. The exit code is 1 where a workspace
takes more than that.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.comparison.frameworks import jax_bytes
from benchmarks.comparison.worker import arguments_of
from benchmarks.comparison.workloads import MAKERS, workload
from benchmarks.fast_modules import bytes_of, peak
from benchmarks.workloads.contender import model_of


def measured(name: str) -> tuple[int, int, int]:
    """The bytes that a workload takes: as the module reads, in a workspace, and in JAX."""
    of = workload(name)
    module: Any = model_of(of.family).derive(wrt=[*of.asked]).module(verify=False, fast=True)
    arguments, memory = arguments_of(of, of.inputs), module.workspace()
    plain = peak(lambda: module.value_and_grad(*arguments))
    module.value_and_grad(*arguments, workspace=memory)
    bound = module.bind(*arguments)
    returned = bound()
    beside = peak(bound) - sum(map(sys.getsizeof, (returned, *returned)))
    return plain, max(beside, 0) + bytes_of(memory), jax_bytes(of)


def main(names: Sequence[str]) -> int:
    """Print the table; 1 where a workspace takes more memory than JAX."""
    print("| workload | as it reads | in a workspace | JAX | workspace / JAX |")
    print("|---|---:|---:|---:|---:|")
    over = False
    for name in names or MAKERS:
        plain, bound, jax = measured(name)
        over = over or bound > jax
        sizes = " | ".join(f"{number / 1e6:.3g} MB" for number in (plain, bound, jax))
        print(f"| {name} | {sizes} | {bound / jax:.2f} |", flush=True)
    return int(over)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
