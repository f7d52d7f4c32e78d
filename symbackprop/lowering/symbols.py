"""The symbol table of a program that is being lowered: what each name stands for, in its scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.notation.expressions import Index
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class Symbols:
    """`own` gives the indices of each tensor, `kinds` what those hold that are no reals.

    `taken` are the names that a new one must not have.
    """

    own: dict[str, tuple[Index, ...]]
    kinds: dict[str, Kind]
    taken: set[str]

    def scope(self, own: Mapping[str, tuple[Index, ...]]) -> Symbols:
        """The table of a loop's body, in which these names have other indices; it forgets what it adds."""
        return Symbols({**self.own, **own}, dict(self.kinds), {*self.taken, *own})

    def fresh(self, stem: str) -> str:
        """The stem, or the stem with a number, as a name of its own from now on."""
        name = numbered_name(stem, self.taken)
        self.taken.add(name)
        return name

    def declare(self, name: str, indices: tuple[Index, ...], kind: Kind) -> None:
        """Let a name stand for a tensor with these indices."""
        self.taken.add(name)
        self.own[name] = indices
        self.kinds[name] = kind
