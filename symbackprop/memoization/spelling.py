"""The order of names: where two sets of names come in the same order, texts written with them do."""

from __future__ import annotations

from typing import TypeAlias

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.notation.correspondence import Correspondence

_WORDS = (
    *("sum", "prod", "max", "min", "argmax", "where", "delta", "size", "and", "or", "not", "pi"),
    *("inv", "det", "cofactor", "logdet"),
)
_FIXED = tuple([(word, "word", word) for word in dict.fromkeys((*_WORDS, *ALL_FUNCTIONS))])
# Each name by what it stands for, how many names it begins with, and how it goes on behind the longest.
Order: TypeAlias = tuple[tuple[str, str, int, str], ...]


def order_of(names: Correspondence) -> Order:
    """The order of the names that others stand for.

    A name that begins with another comes before or behind it as what follows the shorter one in a text does,
    so that it matters with which kind of character it goes on.
    """
    tensors = [(there, "tensor", here) for here, there in names.tensors.items()]
    indices = [(there, "index", here) for here, there in names.indices.items()]
    found: list[tuple[str, str, int, str]] = []
    beginnings: list[str] = []
    for name, kind, here in sorted((*tensors, *indices, *_FIXED)):
        while beginnings and not name.startswith(beginnings[-1]):
            beginnings.pop()
        rest = name[len(beginnings[-1]) :] if beginnings else name
        found.append((kind, here, len(beginnings), _kind_of(rest[:1])))
        beginnings.append(name)
    return tuple(found)


def _kind_of(character: str) -> str:
    if character.isdigit():
        return "digit"
    return "capital" if character.isupper() else "letter" if character else ""
