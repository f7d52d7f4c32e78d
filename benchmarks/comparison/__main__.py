"""Our modules beside others on fixed workloads, as a table and a plot; `python -m benchmarks.comparison`.

Every contender runs in a process of its own, and all take turns. With one thread the processor's time on one
core counts, with two the clock's. Writes comparison.md and comparison.svg where -o says; without, into
benchmarks/ if all workloads are measured, and else prints the table.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.comparison.report import Measured, page, plot
from benchmarks.comparison.worker import PRODUCTS, arguments_of
from benchmarks.comparison.workloads import MAKERS, workload
from benchmarks.workloads.contender import model_of
from symbackprop.emission.loading import load_module

CONTENDERS = ("ours", "ours, bound", "textbook", "by hand", "jax", "torch", "autograd")
FOLDER = Path(__file__).resolve().parent.parent
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Contender:
    """A worker, what it said first, and the medians of its turns in seconds."""

    name: str
    process: subprocess.Popen[str]
    said: Mapping[str, float | str]
    turns: list[float] = field(default_factory=list)

    def answer(self) -> Mapping[str, float | str]:
        """The next line that it says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"missing": "failed"}

    def turn(self) -> None:
        """Let it run for a turn."""
        assert self.process.stdin is not None
        print("go", file=self.process.stdin, flush=True)
        self.turns.append(float(self.answer()["median"]))


def write_module(name: str, folder: Path) -> Path:
    """The module of a workload, and beside it what it computes in float64."""
    of = workload(name)
    source = model_of(of.family).derive(wrt=[*of.asked]).to_numpy(fast=True)
    path = folder / f"{name.replace('-', '_').lower()}_module.py"
    path.write_text(source)
    module = load_module(source, path.stem)
    exact = {key: array.astype(np.float64) for key, array in of.inputs.items()}
    loss, gradients = module.value_and_grad(*arguments_of(of, exact))
    np.savez(path.with_suffix(".npz"), loss=loss, **gradients)
    return path


def measure(name: str, threads: int, module: Path, peers: str, rounds: int) -> list[Measured]:
    """All contenders on one workload."""
    environment = {**os.environ, **dict.fromkeys(THREADS, str(threads)), "XLA_FLAGS": _xla_flags(threads)}
    with ExitStack() as stack:
        contenders = [
            _started(stack, each, name, threads, module, peers, environment)
            for each in (PRODUCTS, *CONTENDERS)
        ]
        running = [each for each in contenders if "missing" not in each.said]
        for place in range(rounds):
            for each in (*running[place % len(running) :], *running[: place % len(running)]):
                each.turn()
        return [
            Measured(name, each.name, threads, min(each.turns, default=0.0), each.said) for each in contenders
        ]


def _xla_flags(threads: int) -> str:
    alone = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return alone if threads == 1 else ""


def _started(
    stack: ExitStack,
    contender: str,
    name: str,
    threads: int,
    module: Path,
    peers: str,
    environment: Mapping[str, str],
) -> Contender:
    arguments = [name, contender, str(module), peers, str(threads)]
    command = [sys.executable, "-m", "benchmarks.comparison.worker", *arguments]
    process = stack.enter_context(
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=FOLDER.parent,
        )
    )
    started = Contender(contender, process, {})
    started.said = started.answer()
    return started


def machine() -> str:
    """The processor, how many of its cores there are, and the libraries."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    installed = []
    for library in ("numpy", "jax", "torch", "autograd"):
        try:
            installed.append(f"{library} {importlib.metadata.version(library)}")
        except importlib.metadata.PackageNotFoundError:
            installed.append(f"no {library}")
    processor = models[0] if models else platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(installed)}"


def load() -> float:
    """How many processes wanted a processor in the last minute."""
    return os.getloadavg()[0]


def names_among(known: Collection[str], kind: str, text: str) -> tuple[str, ...]:
    """The names in a comma-separated list; ArgumentTypeError has all that are `known` of the kind."""
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no {kind} {', '.join(map(repr, unknown))}; there are {', '.join(known)}"
        )
    return names


def names_of_workloads(text: str) -> tuple[str, ...]:
    """Those in a comma-separated list; W1 is W1-32, W1-256 and W1-2048."""
    families = {name.partition("-")[0]: () for name in MAKERS}
    asked = names_among({**families, **MAKERS}, "workload", text)
    return tuple(
        dict.fromkeys(each for name in asked for each in MAKERS if f"{each}-".startswith(f"{name}-"))
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the table and the plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comparison", description=__doc__)
    parser.add_argument(
        "-w",
        "--workloads",
        type=names_of_workloads,
        default=tuple(MAKERS),
        help=f"comma-separated names of {', '.join(MAKERS)}",
    )
    parser.add_argument("-t", "--threads", default="1", help="1, or 1,2 on a machine that does nothing else")
    parser.add_argument("-r", "--rounds", type=int, default=7, help="turns of each contender")
    parser.add_argument("-p", "--peers", default="", help="a folder with numpy_best.py, tuned by hand")
    parser.add_argument("-o", "--output", type=Path, help="folder of table and plot")
    given = parser.parse_args(arguments)
    measured: list[Measured] = []
    before = load()
    with tempfile.TemporaryDirectory() as scratch:
        for name in given.workloads:
            print(f"{name}: {given.rounds} turns of each contender ...", file=sys.stderr)
            module = write_module(name, Path(scratch))
            for threads in map(int, given.threads.split(",")):
                measured += measure(name, threads, module, given.peers, given.rounds)
                print(f"{name}, threads: {threads}: done", file=sys.stderr)
    said = f"{date.today():%d %B %Y}. {machine()}. Load before and after: {before:.1f}, {load():.1f}."
    table = page(measured, CONTENDERS, said)
    folder = given.output or (FOLDER if set(given.workloads) == set(MAKERS) else None)
    if folder is None:
        print(table)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "comparison.md").write_text(table)
        plot(measured, CONTENDERS, folder / "comparison.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
