"""Names as far as spelling does not matter; the process that runs a stranger's code asks for no more."""

from __future__ import annotations

import re

WORDS = {"weights": "w", "weight": "w", "kernel": "w", "biases": "b", "bias": "b", "epsilon": "eps"}


def plain(name: str) -> str:
    """A name without case, underlines and `self.`; "weights1" is "w1"."""
    found = name.removeprefix("self.").lower().replace("_", "")
    for word, short in WORDS.items():
        if re.fullmatch(rf"{word}\d*", found):
            return found.replace(word, short)
    return found
