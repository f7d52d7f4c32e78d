"""Judges many random models and groups what fails: python -m tests.models.whole_language.hunting --count 1000."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

from tests.models.whole_language.generator import model_text
from tests.models.whole_language.judge import judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("-o", "--output", type=Path, default=Path("build/hunting.jsonl"))
    options = parser.parse_args()
    options.output.parent.mkdir(exist_ok=True)
    counts: Counter[tuple[str, str]] = Counter()
    started = time.perf_counter()
    with options.output.open("a") as lines:
        for seed in range(options.first, options.first + options.count):
            begun = time.perf_counter()
            verdict = judged(model_text(seed))
            counts[verdict.outcome, verdict.kind] += 1
            record = {"seed": seed, "seconds": round(time.perf_counter() - begun, 3), **vars(verdict)}
            lines.write(json.dumps(record) + "\n")
            lines.flush()
    print(f"{options.count} models in {time.perf_counter() - started:.0f} s")
    for (outcome, kind), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1])):
        print(f"{count:6} {outcome:8} {kind}")


if __name__ == "__main__":
    main()
