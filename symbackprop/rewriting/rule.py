"""What a derivation is made of: named rules, and the steps that record their use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self, TypeAlias

from symbackprop.integers.guards import guarded_children
from symbackprop.notation.expressions import Expression, Reduction
from symbackprop.notation.substitution import rename_tensors
from symbackprop.rewriting.justification import Justification, Recomputed

Path: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Rule(Recomputed):
    """A small pure function with its textbook line.

    `apply` returns the rewritten node, or None where the rule does not apply to it. `statement` is the rule
    as a textbook states it, with its side conditions, which `where` lists one by one. `decreases` names the
    measure that falls at every use, so that applying the rule again and again comes to an end. `example` and
    `near_miss` are in the model language: the rule applies to the one and not to the other.
    """

    name: str
    statement: str
    apply: Callable[[Expression], Expression | None]
    decreases: str = ""
    where: tuple[str, ...] = ()
    example: str = ""
    near_miss: str = ""
    kind: ClassVar[str] = "rewrite"

    def again(self, node: Expression) -> Expression | None:
        """The rewritten node."""
        return self.apply(node)

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The rule between the new names: what it makes of the old ones."""
        old_names = {new: old for old, new in names.items()}

        def apply(node: Expression) -> Expression | None:
            rewritten = self.apply(rename_tensors(node, old_names))
            return None if rewritten is None else rename_tensors(rewritten, names)

        return replace(self, apply=apply)


class StatedFact(Rule):
    """A fact of the model, or one that follows from its equations, used as a rule."""

    kind: ClassVar[str] = "fact"


class WholeRule(Rule):
    """A rule of a whole right-hand side, that no part of it is rewritten by."""

    whole: ClassVar[bool] = True


@dataclass(frozen=True)
class Step:
    """The whole expression before and after, the path to the node that changed, and why it may: the rule."""

    rule: Justification
    place: Path
    before: Expression
    after: Expression

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
