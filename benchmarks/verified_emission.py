"""What it costs to run a module against its equations before it is written.

Run it from the checkout with `python -m benchmarks.verified_emission`. Exits 1 where the seed's verification
takes longer than 0.2 s, imports included, or that of a larger model or all classics more than a quarter of
what derivation and lowering take. Imports read bytecode, as an installed package has it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import symbackprop as sb
from symbackprop.algebra.scalar_search import forget_searches
from symbackprop.systems.system import Role

EXAMPLES = Path(__file__).parent.parent / "examples"
LARGER = ("seed", "digits", "convnet", "lstm", "transformer")
MOST_SECONDS, MOST_PART = 0.2, 0.25
# A process of its own, for NumPy and the evaluator are imported for the verification alone.
SEED = """
import time
import symbackprop as sb
derivation = sb.load("examples/seed.model").derive()
derivation.to_numpy(verify=False)
start = time.process_time()
derivation.to_numpy()
print(time.process_time() - start)
"""


def seconds_of(path: Path) -> tuple[float, float]:
    """Processor times of derivation with lowering, searches forgotten, and of the verification."""
    model = sb.load(path)
    wrt = None if model.system.with_role(Role.PARAMETER) else _inputs(model)
    forget_searches()
    start = time.process_time()
    derivation = model.derive(wrt)
    derivation.to_numpy(verify=False)
    middle = time.process_time()
    derivation.to_numpy()
    return middle - start, time.process_time() - middle


def cold_seconds() -> float:
    """Processor time of the seed's verification in a process of its own, its bytecode compiled before."""
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
        command = [sys.executable, "-c", SEED]
        runs = [subprocess.run(command, capture_output=True, check=True, env=environment) for _ in range(4)]
    return min(float(run.stdout) for run in runs[1:])


def _inputs(model: sb.Model) -> list[str]:
    return [tensor.name for tensor in model.system.with_role(Role.INPUT)]


def shown(name: str, made: float, verified: float) -> str:
    """A row of the table."""
    return f"{name:12s} {made * 1000:8.0f} ms {verified * 1000:7.0f} ms {verified / made:7.1%}"


def main() -> None:
    """Print the table; exit 1 where verifying costs too much."""
    os.environ["SYMBACKPROP_CACHE"] = "off"  # what is measured is searching
    cold = cold_seconds()
    print(f"seed, imports included: {cold:.3f} s (at most {MOST_SECONDS} s allowed)\n")
    print(f"{'':12s} {'derive, lower':>11s} {'verify':>7s}")
    seconds_of(EXAMPLES / "seed.model")
    larger = {name: seconds_of(EXAMPLES / f"{name}.model") for name in LARGER}
    for name, times in larger.items():
        print(shown(name, *times))
    classics = [seconds_of(path) for path in sorted((EXAMPLES / "classics").glob("*.model"))]
    together = sum(made for made, _ in classics), sum(verified for _, verified in classics)
    print(shown(f"{len(classics)} classics", *together))
    costs = [verified / made for made, verified in (*larger.values(), together)]
    sys.exit(cold > MOST_SECONDS or max(costs) > MOST_PART)


if __name__ == "__main__":
    main()
