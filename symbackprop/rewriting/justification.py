"""Why a step holds: what is needed to do it again, or to certify it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self, TypeAlias

from symbackprop.notation.expressions import Expression

Equality: TypeAlias = tuple[Expression, Expression]


class Justification(ABC):
    """Why a node may be replaced by another: a rule, an equation, an identity.

    `kind` says which of these, `name` and `statement` are what a textbook writes beside the line. One that
    is `whole` speaks of a whole right-hand side, never of a part.
    """

    kind: ClassVar[str]
    whole: ClassVar[bool] = False
    name: str
    statement: str

    @property
    def statements(self) -> tuple[str, ...]:
        """The textbook lines, one for each law that is used."""
        return (self.statement,)

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The equations that are used, each as its two sides."""
        return ()

    @abstractmethod
    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether this is a reason to write `after` in the place of the node `before`."""

    @abstractmethod
    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same reason where tensors have other names."""


class Recomputed(Justification):
    """One that says what follows, so that a step is done again and compared."""

    @abstractmethod
    def again(self, node: Expression) -> Expression | None:
        """What the node becomes; None where there is nothing to do."""

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether doing it again gives the same tree, up to the order of terms and factors."""
        return self.again(before) == after
