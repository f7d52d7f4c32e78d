"""What a derivation is made of: named rules, and the steps that record their use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, TypeAlias

from symbackprop.integers.guards import guarded_children
from symbackprop.languages.phrases import Words, phrase
from symbackprop.notation.correspondence import Correspondence
from symbackprop.notation.expressions import Expression, Reduction
from symbackprop.notation.faces import Formula, shortened
from symbackprop.notation.substitution import rename_tensors
from symbackprop.rewriting.justification import Anchor, Bindings, Equality, Justification, Premise
from symbackprop.rewriting.wording import Told, Wording
from symbackprop.systems.printing import text

Path: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Use(Justification):
    """A rule that has been used, by its name: the registry of rules has the rule itself.

    `premise` is what the rule was made from, where it is one of a system; `bindings` are what the variables
    of its pattern stood for, and empty where its left side is a function. `law` is the rule's.
    """

    name: str
    statement: str
    decreases: str = ""
    premise: Premise | None = None
    bindings: Bindings = ()
    law: str = ""
    kind: ClassVar[str] = "rewrite"

    @property
    def line(self) -> tuple[str, str]:
        """What the rule's record says is compared by the registry."""
        return self.name, self.statement

    @property
    def said(self) -> tuple[Words, ...]:
        """The law alone, where the statement says when it is of use as well."""
        return (phrase(self.law),) if self.law else super().said

    @property
    def equations(self) -> tuple[Equality, ...]:
        """A rule of a system has a premise instead."""
        return ()

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Never by itself: the rule has to be looked up."""
        return False

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether what the rule was made from is the model's."""
        return self.premise is None or self.premise.holds(anchor)

    def renamed(self, names: Mapping[str, str]) -> Use:
        """The use between the new names."""
        premise = None if self.premise is None else self.premise.renamed(names)
        statement = self.statement if premise is None else premise.statement or self.statement
        if isinstance(names, Correspondence):  # the variables of a fact are indices of the model
            bindings = tuple([(names.of_variable(each), names.of(value)) for each, value in self.bindings])
        else:
            bindings = tuple(
                [
                    (variable, rename_tensors(value, names) if isinstance(value, Expression) else value)
                    for variable, value in self.bindings
                ]
            )
        return replace(self, statement=statement, premise=premise, bindings=bindings)


class FactUse(Use):
    """The use of a fact of the model, or of one that follows from its equations."""

    kind: ClassVar[str] = "fact"

    def wording(self, before: Expression, after: Expression, told: Told) -> Wording:
        """The fact, as the model has it."""
        return Wording((self.premise.said(told.system),)) if self.premise else Wording(self.said)


class WholeUse(Use):
    """The use of a rule of a whole right-hand side."""

    whole: ClassVar[bool] = True


class PatternFunction(ABC):
    """The function of a rule whose left side is a pattern: it says what the pattern's variables stand for."""

    @property
    @abstractmethod
    def roots(self) -> tuple[type[Expression], ...]:
        """The types of the nodes that the pattern may match."""

    @abstractmethod
    def __call__(self, node: Expression) -> Expression | None:
        """The rewritten node, by the first bindings that fit; None where none do."""

    @abstractmethod
    def bindings(self, node: Expression) -> Bindings:
        """The first bindings that fit."""

    @abstractmethod
    def bound(self, node: Expression, bindings: Bindings) -> Expression | None:
        """The rewritten node by these bindings; None where they do not fit."""


@dataclass(frozen=True)
class Rule:
    """A small pure function with its textbook line.

    `apply` returns the rewritten node, or None where the rule does not apply to it. `statement` is the rule
    as a textbook states it, with its side conditions, which `where` lists one by one. `decreases` names the
    measure that falls at every use, so that applying the rule again and again comes to an end. `example` and
    `near_miss` are in the model language: the rule applies to the one and not to the other. `premise` says
    for a node what the rule was made from, where it is one of a system. `root_types` are the types of the
    nodes that a function may apply to, None for any; a pattern says it by itself. `law` is the statement
    without its conditions, where these say no more than when it is of use.
    """

    name: str
    statement: str
    apply: Callable[[Expression], Expression | None]
    decreases: str = ""
    where: tuple[str, ...] = ()
    example: str = ""
    near_miss: str = ""
    premise: Callable[[Expression], Premise] | None = None
    root_types: tuple[type[Expression], ...] | None = None
    law: str = ""
    use: ClassVar[type[Use]] = Use

    @cached_property
    def roots(self) -> frozenset[type[Expression]] | None:
        """The types of the nodes that it may apply to; None for any."""
        types = self.apply.roots if isinstance(self.apply, PatternFunction) else self.root_types
        return None if types is None else frozenset(types)

    def used_on(self, node: Expression) -> Use:
        """The record of its use on a node that it applies to."""
        premise = self.premise(node) if self.premise else None
        bindings = self.apply.bindings(node) if isinstance(self.apply, PatternFunction) else ()
        return self.cited(premise, bindings)

    def cited(self, premise: Premise | None, bindings: Bindings) -> Use:
        """A use with this premise and these bindings."""
        own = premise.statement if premise else ""
        law = "" if own else self.law
        return self.use(self.name, own or self.statement, self.decreases, premise, bindings, law)

    def redone(self, node: Expression, bindings: Bindings) -> Expression | None:
        """The rewritten node, by these bindings where the rule has a pattern; None where they do not fit."""
        if isinstance(self.apply, PatternFunction):
            return self.apply.bound(node, bindings)
        return None if bindings else self.apply(node)


class StatedFact(Rule):
    """A fact of the model, or one that follows from its equations, used as a rule."""

    use: ClassVar[type[Use]] = FactUse


class WholeRule(Rule):
    """A rule of a whole right-hand side, that no part of it is rewritten by."""

    use: ClassVar[type[Use]] = WholeUse


@dataclass(frozen=True, repr=False)
class Step(Formula):
    """The whole expression before and after, the path to the node that changed, and why it may: the rule."""

    rule: Justification
    place: Path
    before: Expression
    after: Expression

    def __str__(self) -> str:
        return f"{self._equation}  # {self.rule.name}"

    def __repr__(self) -> str:
        return f"<Step {self.rule.name}: {shortened(self._equation)}>"

    @property
    def _equation(self) -> str:
        return f"{text(self.before)} = {text(self.after)}"

    def wording(self, told: Told) -> Wording:
        """What a page writes beside it."""
        return self.rule.wording(node_at(self.before, self.place), node_at(self.after, self.place), told)

    def renamed(self, names: Mapping[str, str]) -> Step:
        """The step where tensors have other names."""
        before, after = (rename_tensors(side, names) for side in (self.before, self.after))
        return Step(self.rule.renamed(names), self.place, before, after)

    def within(self, whole: Expression, place: Path) -> Step:
        """The step of an expression as one of the whole, in which it stands at that place."""
        before, after = (replace_at(whole, place, side) for side in (self.before, self.after))
        return Step(self.rule, () if self.rule.whole else (*place, *self.place), before, after)


def node_at(expression: Expression, place: Path) -> Expression:
    """The node that a path of child numbers leads to."""
    for number in place:
        expression = expression.children[number]
    return expression


def conditions_at(expression: Expression, place: Sequence[int]) -> tuple[Expression, ...]:
    """The conditions of the `where`s around a place, as far as no sum binds their indices anew."""
    conditions: tuple[Expression, ...] = ()
    for number in place:
        if isinstance(expression, Reduction):
            bound = frozenset(expression.indices)
            conditions = tuple([each for each in conditions if not each.free_indices & bound])
        expression, conditions = list(guarded_children(expression, conditions))[number]
    return conditions


def replace_at(expression: Expression, place: Path, node: Expression) -> Expression:
    """The expression with another node at that place."""
    if not place:
        return node
    children = list(expression.children)
    children[place[0]] = replace_at(children[place[0]], place[1:], node)
    return expression.with_children(tuple(children))
