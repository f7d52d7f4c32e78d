"""One contender in a process of its own: it is told when to run, so that all see the same noise.

`python -m benchmarks.comparison.worker WORKLOAD CONTENDER MODULE PEERS THREADS`: for each line on its
standard input it runs for a turn and answers with one line of JSON. The first says what it computed and took.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.comparison import frameworks, textbook
from benchmarks.comparison.workloads import Array, Workload, workload

TURN = 0.2  # seconds
PRODUCTS = "floor"


def by_heads(name: str, array: Array, heads: int) -> Array:
    """The same numbers, heads and their features on axes of their own."""
    rows, columns = array.shape
    split = (heads, rows // heads, columns) if name == "Wo" else (rows, heads, columns // heads)
    return array.reshape(split)


def arguments_of(of: Workload, inputs: Mapping[str, Array]) -> tuple[Any, ...]:
    """What a generated module is called with."""
    params = {name: inputs[name] for name in of.parameters}
    if of.family == "W6":
        params = {name: by_heads(name, array, of.heads) for name, array in params.items()}
    return params, *(inputs[name] for name in of.data)


def _generated(of: Workload, module: str, bound: bool) -> frameworks.Step:
    path = Path(module)
    sys.path.insert(0, str(path.parent))
    loaded: Any = importlib.import_module(path.stem)
    arguments = arguments_of(of, of.inputs)
    return loaded.bind(*arguments) if bound else lambda: loaded.value_and_grad(*arguments)


def _hand_tuned(of: Workload, peers: str) -> frameworks.Step:
    """A file numpy_best.py of the folder `peers`, where there is one."""
    if not (Path(peers) / "numpy_best.py").is_file():
        raise ImportError("not at hand")
    sys.path.insert(0, peers)
    best: Any = importlib.import_module("numpy_best")
    given = {"name": of.name, "family": of.family, "inputs": of.inputs, "wrt": [*of.asked], "heads": of.heads}
    step: frameworks.Step = best.make_best({**given, "dtype": np.dtype(np.float32), "acts": of.passes})
    return step


def _floor(of: Workload) -> frameworks.Step:
    """The products alone, into arrays that are there, and two passes over what they make."""
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> Array:
        return rng.normal(size=shape).astype(np.float32)

    products = [
        (drawn(b, m, k)[slice(None) if b > 1 else 0], drawn(b, k, n)[slice(None) if b > 1 else 0])
        for m, n, k, b in of.products
    ]
    into = [left @ right for left, right in products]
    arrays = [(drawn(*shape), np.ones(shape, np.float32)) for shape in of.passes]

    def step() -> tuple[Any, Mapping[str, Any]]:
        for (left, right), result in zip(products, into, strict=True):
            np.matmul(left, right, out=result)
        for one, _ in arrays:
            np.maximum(one, 0.0, out=one)
        for one, other in arrays:
            np.multiply(other, one, out=one)
        return 0.0, {}

    return step


def step_of(contender: str, of: Workload, module: str, peers: str) -> frameworks.Step:
    """The function that is timed; ImportError or NotImplementedError where there is none."""
    makers: Mapping[str, Callable[[], frameworks.Step]] = {
        PRODUCTS: lambda: _floor(of),
        "ours": lambda: _generated(of, module, bound=False),
        "ours, bound": lambda: _generated(of, module, bound=True),
        "textbook": lambda: textbook.textbook(of),
        "by hand": lambda: _hand_tuned(of, peers),
        "autograd": lambda: frameworks.autograd_step(of),
        "jax": lambda: frameworks.jax_step(of),
        "torch": lambda: frameworks.torch_step(of),
    }
    return makers[contender]()


def _resident(what: str) -> float:
    """The resident memory of this process in MB, now (VmRSS) or at most (VmHWM)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return 0.0


def _as_arrays(result: tuple[Any, Mapping[str, Any]]) -> dict[str, Array]:
    loss, gradients = result
    return {"loss": np.asarray(loss), **{name: np.asarray(each) for name, each in gradients.items()}}


def _error(found: Mapping[str, Array], expected: Mapping[str, Array]) -> float:
    """The largest distance from the truth, over the largest number of a tensor."""
    return max(
        (
            float(np.max(np.abs(array.reshape(expected[name].shape) - expected[name])))
            / float(np.max(np.abs(expected[name])))
            for name, array in found.items()
            if name in expected
        ),
        default=0.0,
    )


def _turn(step: frameworks.Step, clock: Callable[[], float]) -> dict[str, Any]:
    step()
    times: list[float] = []
    end = time.perf_counter() + TURN
    while not times or time.perf_counter() < end:
        begin = clock()
        step()
        times.append(clock() - begin)
    return {"median": median(times)}


def main(name: str, contender: str, module: str, peers: str, threads: int) -> None:
    """Say what was computed, then run a turn for each line that comes in."""
    if threads == 1:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
    clock = time.process_time if threads == 1 else time.perf_counter
    of = workload(name)
    try:
        if contender in ("jax", "torch", "autograd"):  # its own memory is not the workload's
            step_of(contender, workload("W3"), module, peers)()
        before = _resident("VmRSS")
        step = step_of(contender, of, module, peers)
        found = _as_arrays(step())
        step()
    except (ImportError, NotImplementedError) as error:
        missing = "not installed" if isinstance(error, ModuleNotFoundError) else str(error) or "-"
        print(json.dumps({"missing": missing}), flush=True)
        return
    memory = _resident("VmHWM") - before
    expected = dict(np.load(Path(module).with_suffix(".npz")))
    narrow = all(array.dtype == np.float32 for key, array in found.items() if key != "loss")
    said = SimpleNamespace(memory=memory, error=_error(found, expected), narrow=narrow)
    print(json.dumps(vars(said)), flush=True)
    for _ in sys.stdin:
        print(json.dumps(_turn(step, clock)), flush=True)


if __name__ == "__main__":
    one, other, third, fourth, count = sys.argv[1:]
    main(one, other, third, fourth, int(count))
