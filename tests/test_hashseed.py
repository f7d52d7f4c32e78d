import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.processes import run_within

ROOT = Path(__file__).parent.parent
# An order that a hash decides differs in half of the seeds at least; all twenty: SYMBACKPROP_HASH_SEEDS=20.
SEEDS = range(int(os.environ.get("SYMBACKPROP_HASH_SEEDS", "6")))

# One process derives and prints everything there is to print of the seed.
PRINT_EVERYTHING = """
import symbackprop as sb
derivation = sb.load("examples/seed.model").derive()
print(derivation.to_numpy(), derivation.text(), derivation.latex(), derivation.markdown(), derivation.json())
"""


def everything(seed: int) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-c", PRINT_EVERYTHING]
    done = run_within(120, command, cwd=ROOT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_output_is_the_same_to_the_byte_under_different_hash_seeds():
    with ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(everything, SEEDS))
    assert outputs[0]
    assert len({hashlib.sha256(output).hexdigest() for output in outputs}) == 1
