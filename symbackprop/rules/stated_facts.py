"""The user's facts as rules: what is known to be equal is replaced by the simpler side."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.notation.expressions import Expression, Index
from symbackprop.notation.substitution import canonical_bound_names, substitute
from symbackprop.rewriting.matching import match
from symbackprop.rewriting.rule import Rule, StatedFact
from symbackprop.rules.measures import first_change
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import Fact


@dataclass(frozen=True)
class FactRule:
    """A fact as a rule, with the tensors that its larger side reads."""

    rule: Rule
    tensors: frozenset[str]


def fact_rules(facts: tuple[Fact, ...]) -> tuple[FactRule, ...]:
    """One rule a fact, from its larger side to its smaller; a fact between equals gives none."""
    oriented = []
    for fact in facts:
        sides = sorted((fact.left, fact.right), key=lambda side: side.node_count)
        if sides[0].node_count < sides[1].node_count:
            rule = _rule(fact, larger=sides[1], smaller=sides[0])
            oriented.append(FactRule(rule, sides[1].tensors))
    return tuple(oriented)


def _rule(fact: Fact, larger: Expression, smaller: Expression) -> Rule:
    variables: frozenset[Index] = larger.free_indices
    pattern = canonical_bound_names(larger)

    def use(node: Expression) -> Expression | None:
        if type(node) is not type(larger) or node.tensors != larger.tensors:
            return None
        for bindings in match(pattern, canonical_bound_names(node), variables):
            return substitute(smaller, bindings)
        return None

    return StatedFact("fact", fact_text(fact), use, first_change(larger, smaller)[0])
