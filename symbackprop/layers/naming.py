"""Names for the tensors, indices and axes of a layered network: the given ones checked, the others chosen."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from symbackprop.languages.phrases import worded
from symbackprop.layers.network import NetworkError, Path
from symbackprop.syntax.words import RESERVED, misspelling

# Without l and o, which are hard to tell from 1 and 0, and without the letters that stand for tensors.
INDEX_LETTERS = "ijkmnpqrstvwghacf"


def python_name(kind: str) -> str:
    """`layer_norm` as LayerNorm: the kind's name in Python."""
    return "".join(part[:1].upper() + part[1:] for part in kind.split("_"))


def expect_name(name: str, path: Path) -> None:
    """NetworkError where no model may have the name."""
    wrong = misspelling(name)
    if wrong:
        raise NetworkError(wrong[0], path, remedy=wrong[1])
    if name in RESERVED or name.endswith("'"):
        raise NetworkError(
            worded("'{name}' cannot be a name", name=name), path, remedy=worded("choose another name")
        )


@dataclass
class Names:
    """The names that a network has given away so far."""

    taken: set[str] = field(default_factory=set)

    def claim(self, name: str, path: Path) -> str:
        """A name that the user chose; NetworkError where no model may have it or something else has it."""
        expect_name(name, path)
        if name in self.taken:
            raise NetworkError(
                worded("the name '{name}' is used twice", name=name),
                path,
                remedy=worded("choose another name"),
            )
        self.taken.add(name)
        return name

    def tensor(self, stem: str) -> str:
        """The stem, or stem_2, stem_3, ... where it is taken."""
        candidates = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(2)))
        return self._first_free(candidates)

    def index(self, preferred: str) -> str:
        """An index: the preferred name, or else the next free letter."""
        return self._first_free(itertools.chain([preferred], _letters()))

    def index_and_axis(self, preferred: str) -> tuple[str, str]:
        """An index and an axis of the same letter: the preferred one, or else i and I, ..., i2 and I2, ..."""
        candidates = itertools.chain([preferred], _letters())
        letter = next(each for each in candidates if not {each, each.upper()} & self.taken)
        self.taken |= {letter, letter.upper()}
        return letter, letter.upper()

    def _first_free(self, candidates: Iterable[str]) -> str:
        name = next(each for each in candidates if each not in self.taken)
        self.taken.add(name)
        return name


def _letters() -> Iterator[str]:
    yield from INDEX_LETTERS
    for number in itertools.count(2):
        yield from (f"{letter}{number}" for letter in INDEX_LETTERS)
