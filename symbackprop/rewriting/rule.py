"""What a derivation is made of: named rules, and the steps that record their use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.notation.expressions import Expression

Path: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Rule:
    """A small pure function with its textbook line.

    `apply` returns the rewritten node, or None where the rule does not apply to it. `statement` is the rule
    as a textbook states it, with its side conditions, which `where` lists one by one. `decreases` names the
    measure that falls at every use, so that applying the rule again and again comes to an end. `example` and
    `near_miss` are in the model language: the rule applies to the one and not to the other. A step that uses
    several rules at once (differentiation) has them as `parts`.
    """

    name: str
    statement: str
    apply: Callable[[Expression], Expression | None]
    decreases: str = ""
    parts: tuple[Rule, ...] = ()
    where: tuple[str, ...] = ()
    example: str = ""
    near_miss: str = ""

    @property
    def statements(self) -> tuple[str, ...]:
        """The textbook lines: the parts', or the rule's own."""
        return tuple(part.statement for part in self.parts) if self.parts else (self.statement,)


@dataclass(frozen=True)
class Step:
    """One use of a rule: the whole expression before and after, and the path to the node that changed."""

    rule: Rule
    place: Path
    before: Expression
    after: Expression


def node_at(expression: Expression, place: Path) -> Expression:
    """The node that a path of child numbers leads to."""
    for number in place:
        expression = expression.children[number]
    return expression


def replace_at(expression: Expression, place: Path, node: Expression) -> Expression:
    """The expression with another node at that place."""
    if not place:
        return node
    children = list(expression.children)
    children[place[0]] = replace_at(children[place[0]], place[1:], node)
    return expression.with_children(tuple(children))
