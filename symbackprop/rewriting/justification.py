"""Why a step holds: what is needed to do it again, or to certify it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol, Self, TypeAlias

from symbackprop.languages.phrases import Words, phrase
from symbackprop.notation.expressions import Axis, Element, Expression, Index
from symbackprop.rewriting.wording import Told, Wording
from symbackprop.systems.system import Fact, System

Equality: TypeAlias = tuple[Expression, Expression]
Bindings: TypeAlias = tuple[tuple[Index, Expression | tuple[Index, ...]], ...]


class Anchor(Protocol):
    """What a step may rest on where it stands: the model, and what has been found before."""

    def states(self, equality: Equality, around: Sequence[Expression] = ()) -> bool:
        """Whether an equation computed before, or a function's definition, says so under these conditions."""

    def computes(self, equality: Equality) -> bool:
        """Whether it is an equation of the model or of any adjoint, in a form that it has had."""

    def names(self, equality: Equality) -> bool:
        """Whether the value, or the name, of a derivative is the one that has been found for it."""

    def is_every_path(self, total: Expression, consumers: Sequence[str]) -> bool:
        """Whether the derivative goes through each of these tensors once, and through no others."""

    def is_every_path_within(
        self, total: Expression, consumers: Sequence[str], places: Mapping[str, int]
    ) -> bool:
        """Whether a derivative within a step of a recurrence, at these places, goes through just these."""

    def is_every_operand(self, total: Expression, operands: Sequence[str]) -> bool:
        """Whether these are all that the numerator's equation reads and that move with the denominator."""

    def is_unmoved(self, total: Expression) -> bool:
        """Whether the derivative of the loss is 0 since what moves with the tensor cancels on the way."""

    def vanishes_unless(self, adjoint: Expression, conditions: Sequence[Expression]) -> bool:
        """Whether an adjoint is 0 where one of the conditions does not hold."""

    def is_zero_unless(self, element: Element, conditions: Sequence[Expression]) -> bool:
        """Whether an equation computed before says that a tensor is 0 where one of the conditions fails."""

    def is_symmetric(self, tensor: str) -> bool:
        """Whether a tensor is symmetric in its last two indices, by a fact or by its definition."""

    def why_symmetric(self, tensor: str) -> str:
        """The fact or definition that says so; "" where none does."""

    def has_fact(self, fact: Fact) -> bool:
        """Whether the model states it, or it follows from the model's equations."""

    def axes_of(self, tensor: str) -> tuple[Axis, ...] | None:
        """The axes of a tensor of the model, or of an adjoint; None where there is no such tensor."""

    def places_of(self, tensor: str) -> Axis | None:
        """The axis of which a tensor of the model holds places; None where it holds real numbers."""

    def is_open(self, tensor: str) -> bool:
        """Whether nothing is known of a tensor yet: the adjoint at hand, or a later one of its recurrence."""

    def is_positive(self, tensor: str) -> bool:
        """Whether one of its equations says that a tensor is greater than 0."""

    def is_nonnegative(self, tensor: str) -> bool:
        """Whether one of its equations says that a tensor is at least 0."""

    def is_defined(self, tensor: str) -> bool:
        """Whether a tensor has a value wherever the model is evaluated."""

    def is_finite(self, tensor: str) -> bool:
        """Whether no exponential that may overflow makes a tensor infinite."""

    def is_at_hand(self, root: Element, target: Element) -> bool:
        """Whether the derivative of the one by the other is what is being worked out."""

    def are_steps(self, places: Mapping[str, int], step: Index) -> bool:
        """Whether the adjoint at hand is computed at `step`, with these tensors, stepped at these places."""


class Premise(ABC):
    """What a rule of a system was made from, as far as it concerns one use."""

    @property
    def statement(self) -> str:
        """The rule's line, where it depends on what it was made from."""
        return ""

    def said(self, system: System) -> Words:
        """That line as a page of the system's derivation has it."""
        return phrase(self.statement)

    @property
    @abstractmethod
    def lines(self) -> tuple[str, ...]:
        """What is assumed, in the model language or in words."""

    @abstractmethod
    def holds(self, anchor: Anchor) -> bool:
        """Whether all of it is the model's."""

    @abstractmethod
    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same where tensors have other names."""


class Justification(ABC):
    """Why a node may be replaced by another: a rule, an equation, an identity.

    `kind` says which of these, `name` and `statement` are what a textbook writes beside the line. One that
    is `whole` speaks of a whole right-hand side, never of a part. `names` are those of a class with several.
    """

    kind: ClassVar[str]
    whole: ClassVar[bool] = False
    names: ClassVar[tuple[str, ...]] = ()
    name: str
    statement: str

    @property
    def line(self) -> tuple[str, str]:
        """The name and the statement that it has to bear: by default, its class's."""
        return type(self).name, type(self).statement

    @property
    def statements(self) -> tuple[str, ...]:
        """The textbook lines, one for each law that is used."""
        return (self.statement,)

    @property
    def said(self) -> tuple[Words, ...]:
        """These lines as phrases, for a page in any language."""
        return tuple([phrase(statement) for statement in self.statements if statement])

    def wording(self, before: Expression, after: Expression, told: Told) -> Wording:
        """What a page writes beside the step from the node `before` to the node `after`."""
        return Wording(self.said)

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The equations that are used, each as its two sides."""
        return ()

    @abstractmethod
    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether this is a reason to write `after` in the place of the node `before`."""

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether all that the step at this place of `before` believes is the model's, or found before."""
        return all(map(anchor.states, self.equations))

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
