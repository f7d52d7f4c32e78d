"""The user's facts as rules: what is known to be equal is replaced by the side with the smaller measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from symbackprop.notation.expressions import Expression, Index
from symbackprop.notation.substitution import canonical_bound_names, rename_tensors, substitute
from symbackprop.rewriting.justification import Anchor, Bindings, Premise
from symbackprop.rewriting.matching import Bindings as Matched
from symbackprop.rewriting.matching import match
from symbackprop.rewriting.rule import PatternFunction, Rule, StatedFact
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.rules.measures import first_change
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import Fact

FACT = "fact"


@dataclass(frozen=True)
class FactRule:
    """A fact as a rule, with the tensors that its larger side reads."""

    rule: Rule
    tensors: frozenset[str]


@lru_cache(maxsize=64)
def fact_rules(facts: tuple[Fact, ...], rules: tuple[Rule, ...]) -> tuple[FactRule, ...]:
    """One rule a fact, between the normal forms of its sides: from the side whose measures are larger.

    A fact that follows from the rules, whose sides have one normal form, gives none, nor does one whose sides
    no measure tells apart, nor one whose smaller side has an index that the larger has not.
    """
    oriented = []
    for fact in facts:
        left, right = (result_of(apply_exhaustively(rules, side), side) for side in (fact.left, fact.right))
        decreases, rise = first_change(left, right)
        larger, smaller = (left, right) if rise < 0 else (right, left)
        if rise and smaller.free_indices <= larger.free_indices:
            oriented.append(FactRule(_rule(fact, larger, smaller, decreases), larger.tensors))
    return tuple(oriented)


@dataclass(frozen=True)
class Stated(Premise):
    """The fact that a rule was made from."""

    fact: Fact

    @property
    def statement(self) -> str:
        """The fact itself."""
        return fact_text(self.fact)

    @property
    def lines(self) -> tuple[str, ...]:
        """The fact itself."""
        return (self.statement,)

    def holds(self, anchor: Anchor) -> bool:
        """Whether the model has it."""
        return anchor.has_fact(self.fact)

    def renamed(self, names: Mapping[str, str]) -> Stated:
        """The fact in other names."""
        left, right = (rename_tensors(side, names) for side in (self.fact.left, self.fact.right))
        return Stated(Fact(left, right))


@dataclass(frozen=True)
class Instances(PatternFunction):
    """Instances of the larger side of a fact become those of the smaller; its free indices are variables."""

    larger: Expression
    smaller: Expression

    def __call__(self, node: Expression) -> Expression | None:
        """The smaller side at the indices at which the node is the larger one."""
        return next((substitute(self.smaller, found) for found in self._matches(node, {})), None)

    def bindings(self, node: Expression) -> Bindings:
        """Those indices."""
        return next((tuple(found.items()) for found in self._matches(node, {})), ())

    def bound(self, node: Expression, bindings: Bindings) -> Expression | None:
        """The smaller side at these indices, if the node is the larger one there."""
        given = {index: value for index, value in bindings if isinstance(value, Expression)}
        if given.keys() != self.larger.free_indices:
            return None
        return next((substitute(self.smaller, given) for _ in self._matches(node, given)), None)

    @cached_property
    def _pattern(self) -> Expression:
        return canonical_bound_names(self.larger)

    def _matches(self, node: Expression, given: Matched) -> Iterator[Matched]:
        if type(node) is type(self.larger) and node.tensors == self.larger.tensors:
            variables: frozenset[Index] = self.larger.free_indices
            yield from match(self._pattern, canonical_bound_names(node), variables, given)


def _rule(fact: Fact, larger: Expression, smaller: Expression, decreases: str) -> Rule:
    stated = Stated(Fact(fact.left, fact.right))
    return StatedFact(
        FACT, fact_text(fact), Instances(larger, smaller), decreases, premise=lambda _node: stated
    )
