"""What a first answer costs, imports included: the seed's gradient from a fresh process.

Run it from the checkout with `python -m benchmarks.cold_start [JAX_PYTHON]`, where JAX_PYTHON is a Python
that has JAX (by default the one that runs this). Turns are taken in rotation, so that all see the same
machine. Exits 1 where symbackprop takes longer than JAX.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROUNDS = 9

SYMBACKPROP = """
import symbackprop as sb
source = sb.load("examples/seed.model").derive().to_numpy()
assert "def value_and_grad" in source
"""

JAX = """
import jax
import jax.numpy as jnp

def loss(params, x, d):
    z1 = jax.nn.sigmoid(x @ params["W1"].T + params["b1"])
    y = z1 @ params["W2"].T + params["b2"]
    return 0.5 * jnp.sum((y - d) ** 2)

shape = lambda *sizes: jax.ShapeDtypeStruct(sizes, jnp.float32)
params = {"W1": shape(4, 3), "b1": shape(4), "W2": shape(5, 4), "b2": shape(5)}
jax.jit(jax.value_and_grad(loss)).lower(params, shape(2, 3), shape(2, 5)).compile()
"""

IMPORT_JAX = "import jax"
IMPORT_MODULE = "from generated import seed"
IMPORT_NUMPY = "import numpy"
NOTHING = "pass"


def seconds(python: str, program: str) -> float:
    """Wall time of a fresh process that runs the program."""
    # An empty value lets Python write bytecode: the package would be compiled anew each time.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    start = time.perf_counter()
    subprocess.run([python, "-c", program], cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' ratios: what slows a whole round down cancels."""
    return statistics.median(our / their for our, their in zip(ours, theirs, strict=True))


def main() -> None:
    """Print the table and the two ratios; exit 1 where JAX is faster."""
    jax_python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    contenders = {
        "derive and generate the seed": (sys.executable, SYMBACKPROP),
        "import JAX, compile the same gradient": (jax_python, JAX),
        "import JAX": (jax_python, IMPORT_JAX),
        "import the generated module": (sys.executable, IMPORT_MODULE),
        "import NumPy": (sys.executable, IMPORT_NUMPY),
        "start Python": (sys.executable, NOTHING),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(ROUNDS + 1):
        for name, (python, program) in contenders.items():
            spent = seconds(python, program)
            if turn:  # the first round fills the disk's cache and writes bytecode
                times[name].append(spent)
    medians = {name: statistics.median(spent) for name, spent in times.items()}
    for name, median in medians.items():
        print(f"{name:40s} {median * 1000:7.0f} ms   (best {min(times[name]) * 1000:.0f})")
    to_jax = ratio(times["derive and generate the seed"], times["import JAX, compile the same gradient"])
    to_numpy = ratio(times["import the generated module"], times["import NumPy"])
    print(f"\nsymbackprop / JAX: {to_jax:.2f}     generated module / NumPy: {to_numpy:.2f}")
    sys.exit(to_jax > 1)


if __name__ == "__main__":
    main()
