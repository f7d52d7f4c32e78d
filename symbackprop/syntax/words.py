"""The words that the language keeps for itself, and how a name is spelt."""

from __future__ import annotations

import re
from typing import Final

from symbackprop.functions.table import FUNCTIONS
from symbackprop.languages.phrases import Message, worded
from symbackprop.syntax.limits import LONGEST_NAME

STATEMENTS: Final = frozenset(("index", "input", "target", "param", "const", "func", "fact", "loss"))
CONNECTIVES: Final = frozenset(("and", "or", "not", "in"))
REDUCTIONS: Final = frozenset(("sum", "prod", "max", "min", "mean", "argmax", "argmin"))
SPECIAL_FORMS: Final = frozenset(("where", "delta", "size", "sqrt", "pad", "floor", "mod", "diff", "clip"))
# Words for composite expressions, defined by the language.
SHORTHANDS: Final = frozenset(("softmax", "logsumexp", "norm", "var"))
MATRIX_WORDS: Final = frozenset(("inv", "cofactor", "det", "logdet", "trace", "positive_definite"))
CONSTANTS: Final = frozenset(("pi",))

ELEMENTWISE: Final = frozenset(name for name, record in FUNCTIONS.items() if not record.spelling)
CALLABLE: Final = ELEMENTWISE | REDUCTIONS | SPECIAL_FORMS | MATRIX_WORDS | SHORTHANDS
# Words that a model may give to a tensor, an index or a function of its own, which then hides them.
YIELDING: Final = frozenset((*SHORTHANDS, "clip", "argmin")).union(
    name for name, record in FUNCTIONS.items() if record.yields_its_name
)
RESERVED: Final = (STATEMENTS | CONNECTIVES | CONSTANTS | CALLABLE) - YIELDING

_SPELLING = re.compile(r"[A-Za-z][A-Za-z0-9_]*'*")


def misspelling(name: str) -> tuple[Message, Message] | None:
    """What is wrong with the spelling of a name, and what to do about it; None where it is well spelt.

    A leading underscore is refused: targets keep such names for what is private or their own (`__import__`).
    Primes are left to the caller, since only an index may have them.
    """
    if len(name) > LONGEST_NAME:
        shown = f"{name[:LONGEST_NAME]}..."
        return (
            worded("the name '{name}' is longer than {longest} characters", name=shown, longest=LONGEST_NAME),
            worded("choose a shorter name"),
        )
    if name.startswith("__"):
        return (
            worded("'{name}' is not a name of the model language: it belongs to Python", name=name),
            worded("a model is data and runs no code; begin names with a letter"),
        )
    if name.startswith("_"):
        begins = worded("the name '{name}' begins with an underscore", name=name)
        return begins, worded("begin names with a letter")
    if not _SPELLING.fullmatch(name):
        if name.isascii():
            return (
                worded("'{name}' cannot be a name", name=name),
                worded("spell names with letters A-Z, digits and underscores"),
            )
        return (
            worded("the name '{name}' is not plain ASCII", name=name),
            worded("spell names with letters A-Z, digits and underscores"),
        )
    return None
