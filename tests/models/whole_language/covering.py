"""Random models that reach nearly what the first 500 reach: python -m tests.models.whole_language.covering.

A model is judged while `coverage` (pip install coverage) notes each jump from line to line in the package.
The seeds in `COVERING` make `SHARE` of the jumps that the 500 make, in half of the time that all jumps take.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

import symbackprop as sb
from symbackprop.algebra.scalar_search import forget_searches
from tests.models.whole_language.generator import model_text
from tests.models.whole_language.judge import judged

PACKAGE = Path(sb.__file__).parent
SHARE = 0.995  # of the jumps; the others are made by one model each, mostly

# Of range(500), with the generator and the package as they were when this was last run.
# fmt: off
COVERING = (
    1, 2, 3, 4, 5, 10, 11, 13, 21, 23, 27, 31, 34, 36, 37, 40, 44, 47, 48, 50, 56, 60, 61, 67, 69, 77, 78,
    85, 88, 89, 91, 92, 93, 94, 97, 100, 101, 102, 106, 107, 115, 117, 120, 122, 125, 128, 139, 142, 144,
    146, 156, 157, 163, 165, 166, 173, 180, 181, 187, 196, 204, 205, 206, 207, 210, 216, 224, 231, 232,
    233, 235, 240, 244, 248, 252, 253, 254, 256, 260, 261, 262, 266, 268, 276, 278, 282, 285, 288, 290,
    294, 301, 304, 314, 316, 319, 324, 325, 343, 350, 357, 358, 364, 368, 369, 376, 380, 394, 403, 406,
    411, 412, 414, 424, 435, 436, 438, 447, 449, 453, 457, 464, 478, 480, 484, 486, 490, 491, 492, 496,
    499,
)
# fmt: on

Jump: TypeAlias = tuple[str, int, int]


def jumps_of(seed: int) -> frozenset[Jump]:
    """The jumps from line to line that judging a model makes."""
    watch = importlib.import_module("coverage").Coverage(branch=True, data_file=None, source=[str(PACKAGE)])
    text = model_text(seed)
    forget_searches()
    watch.start()
    judged(text)
    watch.stop()
    data = watch.get_data()
    return frozenset((name, *jump) for name in data.measured_files() for jump in data.arcs(name) or ())


def covering(made: Sequence[frozenset[Jump]], seconds: Sequence[float]) -> list[int]:
    """Seeds that make SHARE of the jumps; those that make the most new ones a second."""
    numbers = {jump: number for number, jump in enumerate(frozenset().union(*made))}
    table = np.zeros((len(made), len(numbers)), dtype=bool)
    for seed, jumps in enumerate(made):
        table[seed, [numbers[jump] for jump in jumps]] = True
    missing, chosen = np.ones(len(numbers), dtype=bool), np.zeros(len(made), dtype=bool)
    while missing.sum() > (1 - SHARE) * len(numbers):
        gains = np.where(chosen, 0, table @ missing.astype(np.int32)) / (np.array(seconds) + 0.05)
        best = int(np.argmax(gains))
        chosen[best] = True
        missing &= ~table[best]
    return np.flatnonzero(chosen).tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    count = parser.parse_args().count
    judged(model_text(0))  # what is imported at first use is imported now
    made, seconds = [], []
    for seed in range(count):
        started = time.process_time()
        made.append(jumps_of(seed))
        seconds.append(time.process_time() - started)
    print(*covering(made, seconds), sep=", ")


if __name__ == "__main__":
    main()
