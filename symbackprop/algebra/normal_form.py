"""Rules applied until none applies: the form from which the search for cheaper ones sets out."""

from __future__ import annotations

from dataclasses import dataclass, field

from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.strategies import Memory, apply_exhaustively, result_of
from symbackprop.rules.stated_facts import FactRule


@dataclass(frozen=True)
class NormalForm:
    """The rules in their order, and behind them the facts, each tried only where all its tensors are read."""

    rules: tuple[Rule, ...]
    facts: tuple[FactRule, ...] = ()
    _memories: dict[tuple[Rule, ...], Memory] = field(default_factory=dict, compare=False, repr=False)

    def steps(self, expression: Expression) -> tuple[Step, ...]:
        """The steps that lead to the normal form."""
        near = tuple([fact.rule for fact in self.facts if fact.tensors <= expression.tensors])
        # The sums that are chosen from have most of their parts in common.
        memory = self._memories.setdefault(near, Memory())
        return apply_exhaustively((*self.rules, *near), expression, memory=memory)

    def of(self, expression: Expression) -> Expression:
        """The normal form itself."""
        return result_of(self.steps(expression), expression)
