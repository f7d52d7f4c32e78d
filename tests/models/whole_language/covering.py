"""Which random models reach what all of the first 500 reach: python -m tests.models.whole_language.covering.

A model is judged while `coverage` (pip install coverage) notes each jump from line to line in the package.
The seeds in `COVERING` make every jump that the 500 make, and those that several of them make at least twice.
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
TIMES = 2

# Of range(500), with the generator and the package as they were when this was last run.
# fmt: off
COVERING = (
    0, 2, 3, 4, 10, 11, 21, 23, 24, 25, 27, 28, 29, 33, 34, 35, 36, 37, 41, 44, 47, 50, 56, 61, 67, 69, 71,
    77, 78, 87, 89, 92, 93, 97, 101, 102, 103, 106, 108, 112, 115, 117, 120, 122, 123, 125, 126, 127, 128,
    129, 131, 133, 134, 135, 138, 139, 142, 144, 146, 147, 148, 149, 151, 152, 154, 155, 156, 157, 162, 164,
    165, 166, 167, 169, 173, 179, 180, 181, 184, 186, 189, 197, 200, 201, 204, 206, 207, 210, 212, 216, 219,
    221, 223, 224, 227, 229, 231, 232, 233, 235, 240, 241, 244, 245, 247, 248, 250, 251, 252, 253, 254, 256,
    259, 260, 261, 262, 263, 264, 266, 269, 278, 280, 284, 285, 286, 290, 294, 298, 299, 300, 303, 305, 312,
    313, 314, 315, 316, 319, 320, 322, 324, 325, 326, 327, 329, 330, 335, 337, 340, 345, 347, 350, 354, 355,
    357, 358, 360, 364, 366, 368, 369, 370, 371, 375, 376, 377, 379, 380, 381, 383, 385, 386, 390, 394, 398,
    402, 403, 406, 408, 412, 414, 415, 419, 421, 423, 424, 425, 428, 432, 433, 435, 436, 437, 438, 440, 442,
    447, 448, 449, 450, 453, 456, 457, 458, 460, 462, 464, 465, 468, 472, 474, 475, 476, 478, 480, 483, 490,
    491, 492, 493, 495, 496, 499,
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
    """Seeds that make every jump TIMES times, or as often as it is made at all; the most a second first."""
    numbers = {jump: number for number, jump in enumerate(frozenset().union(*made))}
    table = np.zeros((len(made), len(numbers)), dtype=np.int16)
    for seed, jumps in enumerate(made):
        table[seed, [numbers[jump] for jump in jumps]] = 1
    missing, chosen = np.minimum(table.sum(axis=0), TIMES), np.zeros(len(made), dtype=bool)
    while missing.any():
        gains = np.where(chosen, 0, table @ (missing > 0).astype(np.int32)) / (np.array(seconds) + 0.05)
        best = int(np.argmax(gains))
        chosen[best] = True
        missing -= table[best] * (missing > 0)
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
