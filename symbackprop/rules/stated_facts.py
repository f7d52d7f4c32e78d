"""The user's facts as rules: what is known to be equal is replaced by the side with the smaller measure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from symbackprop.notation.expressions import Expression, Index
from symbackprop.notation.substitution import canonical_bound_names, substitute
from symbackprop.rewriting.matching import match
from symbackprop.rewriting.rule import Rule, StatedFact
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.rules.measures import first_change
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import Fact


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


def _rule(fact: Fact, larger: Expression, smaller: Expression, decreases: str) -> Rule:
    variables: frozenset[Index] = larger.free_indices
    pattern = canonical_bound_names(larger)

    def use(node: Expression) -> Expression | None:
        if type(node) is not type(larger) or node.tensors != larger.tensors:
            return None
        for bindings in match(pattern, canonical_bound_names(node), variables):
            return substitute(smaller, bindings)
        return None

    return StatedFact("fact", fact_text(fact), use, decreases)
