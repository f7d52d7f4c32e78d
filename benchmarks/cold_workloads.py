"""What deriving and generating each workload costs a fresh process, imports included: first, and once more.

Run it from the checkout with `python -m benchmarks.cold_workloads`. `first` finds an empty folder of what
earlier runs have stored, `later` what the first has left; `verified` runs the module against its equations
too; `unchanged` is the command `generate` for a model that it has written a module of. Processor times, the
less of two. Exits 1 where a first run takes more than a second, or an unchanged model more than a fifth.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.workloads.contender import model_of

ROOT = Path(__file__).parent.parent
FAMILIES = ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8")
ROUNDS = 2
MOST_SECONDS, MOST_UNCHANGED = 1.0, 0.2

PROGRAM = """
import sys, time
from benchmarks.workloads.contender import FAMILIES, model_of
model = model_of(sys.argv[1])
also = FAMILIES[sys.argv[1]][2]
names = [tensor.name for tensor in model.system.tensors.values() if tensor.role.value == "param"]
source = model.derive(wrt=[*names, *also]).to_numpy(verify=sys.argv[2] == "verified")
assert "def value_and_grad" in source
print(time.process_time())
"""


def seconds(family: str, verified: bool, told: Mapping[str, str]) -> float:
    """Processor time of a fresh process in this environment."""
    command = [sys.executable, "-c", PROGRAM, family, "verified" if verified else ""]
    run = subprocess.run(command, cwd=ROOT, env=told, check=True, capture_output=True, text=True)
    return float(run.stdout)


def seconds_unchanged(family: str, folder: Path, told: Mapping[str, str]) -> float:
    """Processor time of the command for a model, once it has been run for it."""
    model = folder / f"{family}.model"
    model.write_text(model_of(family).text())
    command = [sys.executable, "-m", "symbackprop", "generate", str(model), "-o", f"{folder}/{family}.py"]
    taken = []
    for _ in range(1 + ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=ROOT, env=told, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken[1:])


def environment(kept: str, bytecode: str) -> dict[str, str]:
    """What a run stores, and finds stored, lies in `kept`; bytecode is there, as of a package."""
    told = {"XDG_CACHE_HOME": kept, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    return {name: value for name, value in os.environ.items() if name != "SYMBACKPROP_CACHE"} | told


def main() -> None:
    """Print the table; exit 1 where the bound is missed."""
    print(f"{'':4s} {'first':>7s} {'later':>7s} {'later, verified':>16s} {'unchanged':>10s}")
    missed = False
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as bytecode:
        warm = environment(folder, bytecode)
        seconds("W3", False, warm)  # writes the bytecode
        for family in FAMILIES:
            first = []
            for _ in range(ROUNDS):
                with tempfile.TemporaryDirectory() as empty:
                    first.append(seconds(family, False, environment(empty, bytecode)))
            seconds(family, False, warm)
            later, verified = (
                min(seconds(family, runs, warm) for _ in range(ROUNDS)) for runs in (False, True)
            )
            unchanged = seconds_unchanged(family, Path(folder), warm)
            print(f"{family:4s} {min(first):5.2f} s {later:5.2f} s {verified:14.2f} s {unchanged:8.2f} s")
            missed |= min(first) > MOST_SECONDS or unchanged > MOST_UNCHANGED
    sys.exit(missed)


if __name__ == "__main__":
    main()
