"""The record of a rule that sees through names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import stated_where
from symbackprop.stability.meanings import Meanings
from symbackprop.stability.name_definitions import NameDefinitions


@dataclass(frozen=True)
class StableForm:
    """The record of a rule that sees through names.

    `where` are side conditions in words; `decreases` names a measure of `stability.identities` or
    `stability.orders`, "" where a rule is used once at every node and needs none.
    """

    name: str
    statement: str
    rewrite: Callable[[Expression, Meanings], Expression | None]
    example: str
    near_miss: str
    where: tuple[str, ...] = ()
    decreases: str = ""

    def rule(self, meanings: Meanings) -> Rule:
        """The rule where names mean what `meanings` says."""

        def apply(node: Expression) -> Expression | None:
            return self._rewritten(node, meanings)

        return self._by(apply, lambda node: NameDefinitions.of(node, meanings))

    def by(self, premise: NameDefinitions) -> Rule:
        """The rule by the definitions of the names that a node reads."""

        def apply(node: Expression) -> Expression | None:
            meanings = premise.meanings
            meanings.taken.update(node.tensors)
            rewritten = self._rewritten(node, meanings)
            return rewritten if premise.allows(meanings.computed) else None

        return self._by(apply, lambda _: premise)

    def _rewritten(self, node: Expression, meanings: Meanings) -> Expression | None:
        """The rewritten node; the names in it are computed."""
        rewritten = self.rewrite(node, meanings)
        if rewritten is not None and meanings.introduced:
            meanings.read_by(rewritten)
        return rewritten

    def _by(
        self,
        apply: Callable[[Expression], Expression | None],
        premise: Callable[[Expression], NameDefinitions],
    ) -> Rule:
        return Rule(
            self.name,
            stated_where(self.statement, self.where),
            apply,
            self.decreases,
            self.where,
            example=self.example,
            near_miss=self.near_miss,
            premise=premise,
        )
