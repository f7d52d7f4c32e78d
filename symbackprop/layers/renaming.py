"""Other names in a statement of the model language, one index perhaps for several or for none.

A name of the language is a tensor, an index, an axis or a function and never two of them, so that renaming
word by word captures nothing as long as different names stay different.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from symbackprop.language.words import REDUCTIONS

# No word begins inside a number such as 1e5.
_WORD = re.compile(r"(?<![\w.])[A-Za-z]\w*")
_REDUCTION = "|".join(sorted(REDUCTIONS))


def renamed(statement: str, names: Mapping[str, tuple[str, ...]]) -> str:
    """The statement with each name replaced by those it stands for; names that are not given stay."""
    for name, new in names.items():
        if not new:
            statement = without_index(statement, name)

    def replacement(match: re.Match[str]) -> str:
        new = names.get(match[0], (match[0],))
        follows = statement[match.end() : match.end() + 2]
        return (", " if follows == ", " else ",").join(new)

    return _WORD.sub(replacement, statement)


def without_index(statement: str, index: str) -> str:
    """Without an index, `x[n,i]` is x[i], `x[n]` is x, `sum(n, i, e)` is sum(i, e), `sum(n, e)` is (e)."""
    statement = re.sub(rf"\[{index}\]", "", statement)
    statement = re.sub(rf"\b(?:{_REDUCTION})\({index}, (?![A-Za-z]\w*, )", "(", statement)
    return re.sub(rf"\b{index},[ ]?|,{index}\b", "", statement)
