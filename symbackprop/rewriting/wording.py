"""What a page writes beside a step: the laws that it uses, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.languages.phrases import Words
from symbackprop.systems.system import System


@dataclass(frozen=True)
class Wording:
    """The statements of what a step uses; `again` is said where all of them have been given before."""

    statements: tuple[Words, ...]
    again: tuple[Words, ...] = ()

    @classmethod
    def each_time(cls, statements: tuple[Words, ...]) -> Wording:
        """What is said at every step that it is true of."""
        return cls(statements, statements)

    def beside(self, other: Wording) -> Wording:
        """What either says, once."""
        statements = dict.fromkeys((*self.statements, *other.statements))
        return Wording(tuple(statements), tuple(dict.fromkeys((*self.again, *other.again))))


@dataclass(frozen=True)
class Told:
    """What a page has told before a step: the model, and of the adjoints that it names which were `found`."""

    system: System
    found: Mapping[str, bool]
