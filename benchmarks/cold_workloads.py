"""What deriving and generating each workload costs a fresh process, imports included: first, and once more.

Run it from the checkout with `python -m benchmarks.cold_workloads`. `first` finds an empty folder of what
earlier runs have stored, `later` what the first has left; `verified` runs the module against its equations
too. Processor times, the less of two. Exits 1 where a first run takes more than a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAMILIES = ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8")
ROUNDS = 2
MOST_SECONDS = 1.0

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


def seconds(family: str, verified: bool, folder: str) -> float:
    """Processor time of a fresh process; what it stores, and finds stored, lies in the folder."""
    command = [sys.executable, "-c", PROGRAM, family, "verified" if verified else ""]
    environment = {**os.environ, "XDG_CACHE_HOME": folder}
    environment.pop("SYMBACKPROP_CACHE", None)
    run = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return float(run.stdout)


def main() -> None:
    """Print the table; exit 1 where the bound is missed."""
    print(f"{'':4s} {'first':>7s} {'later':>7s} {'later, verified':>16s}")
    missed = False
    with tempfile.TemporaryDirectory() as warm:
        seconds("W3", False, warm)  # writes the bytecode
        for family in FAMILIES:
            first = []
            for _ in range(ROUNDS):
                with tempfile.TemporaryDirectory() as empty:
                    first.append(seconds(family, False, empty))
            seconds(family, False, warm)
            later, verified = (
                min(seconds(family, runs, warm) for _ in range(ROUNDS)) for runs in (False, True)
            )
            print(f"{family:4s} {min(first):5.2f} s {later:5.2f} s {verified:14.2f} s")
            missed |= min(first) > MOST_SECONDS
    sys.exit(missed)


if __name__ == "__main__":
    main()
