"""Rules applied until none applies: the form from which the search for cheaper ones sets out."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.rules.stated_facts import FactRule


@dataclass(frozen=True)
class NormalForm:
    """The rules in their order, and behind them the facts, each tried only where all its tensors are read."""

    rules: tuple[Rule, ...]
    facts: tuple[FactRule, ...] = ()

    def steps(self, expression: Expression) -> tuple[Step, ...]:
        """The steps that lead to the normal form."""
        near = [fact.rule for fact in self.facts if fact.tensors <= expression.tensors]
        return apply_exhaustively((*self.rules, *near), expression)

    def of(self, expression: Expression) -> Expression:
        """The normal form itself."""
        return result_of(self.steps(expression), expression)
