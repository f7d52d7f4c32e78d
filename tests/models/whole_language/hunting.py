"""Judges many random models and groups what fails: python -m tests.models.whole_language.hunting."""

from __future__ import annotations

import argparse
import json
import re
import time
import warnings
from collections import Counter
from pathlib import Path

from tests.models.whole_language.generator import model_text
from tests.models.whole_language.judge import judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--skip", default="$^", help="models whose text matches this are left out")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/hunting.jsonl"))
    options = parser.parse_args()
    warnings.simplefilter("error")  # as in the tests
    options.output.parent.mkdir(exist_ok=True)
    counts: Counter[tuple[str, str]] = Counter()
    started = time.perf_counter()
    with options.output.open("a") as lines:
        for seed in range(options.first, options.first + options.count):
            text, begun = model_text(seed), time.perf_counter()
            if re.search(options.skip, text):
                continue
            verdict = judged(text)
            counts[verdict.outcome, verdict.kind] += 1
            record = {"seed": seed, "seconds": round(time.perf_counter() - begun, 3), **vars(verdict)}
            lines.write(json.dumps(record) + "\n")
            lines.flush()
    print(f"{sum(counts.values())} models in {time.perf_counter() - started:.0f} s")
    for (outcome, kind), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1])):
        print(f"{count:6} {outcome:8} {kind}")


if __name__ == "__main__":
    main()
