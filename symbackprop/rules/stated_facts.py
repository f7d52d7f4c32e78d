"""The user's facts as rules: what is known to be equal is replaced by the side with the smaller measure.

A measure counts the expression multiplied out, so that what surrounds a side counts once for each of its
terms. Therefore the smaller side may not have more terms; nor, where an earlier measure counts them, more
factors, deltas or reads at a position. Then a measure that falls from side to side falls in any
expression.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TypeAlias

from symbackprop.languages.phrases import Words, listed, marked, phrase
from symbackprop.notation.expressions import Delta, Element, Expression, Index
from symbackprop.notation.matrix_functions import readings
from symbackprop.notation.multiplied_out import counted, factor_count, term_count
from symbackprop.notation.substitution import canonical_bound_names, rename_tensors, substitute
from symbackprop.rewriting.justification import Anchor, Bindings, Premise
from symbackprop.rewriting.matching import Bindings as Matched
from symbackprop.rewriting.matching import match
from symbackprop.rewriting.rule import PatternFunction, Rule, StatedFact
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.rules.measures import MEASURES, first_change
from symbackprop.systems.partial import is_partial
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import Fact, System

FACT = "fact"
_FOLLOWS = marked("{fact}, by the definition of {tensors}")


@dataclass(frozen=True)
class FactRule:
    """A fact as a rule, with the tensors that its larger side reads."""

    rule: Rule
    tensors: frozenset[str]


@dataclass(frozen=True)
class _Direction:
    """From the larger side to the smaller, and the first measure that falls."""

    larger: Expression
    smaller: Expression
    decreases: str


@lru_cache(maxsize=64)
def fact_rules(facts: tuple[Fact, ...], rules: tuple[Rule, ...]) -> tuple[FactRule, ...]:
    """One rule a fact, between the normal forms of its sides: from the side whose measures are larger.

    A fact that follows from the rules, whose sides have one normal form, gives none, nor does one whose sides
    no measure tells apart, one whose smaller side has an index that the larger has not, or one of which
    `undirected` says why its uses need not come to an end.
    """
    found = (rule_of_fact(fact, rules) for fact in facts)
    return tuple([rule for rule in found if rule is not None])


def rule_of_fact(fact: Fact, rules: tuple[Rule, ...]) -> FactRule | None:
    """The rule that one fact gives, if it gives one."""
    way = _direction(fact, rules)
    return (
        None
        if way is None or _what_rises(way) is not None
        else FactRule(_rule(fact, way), way.larger.tensors)
    )


def undirected(fact: Fact, rules: tuple[Rule, ...]) -> str | None:
    """What the smaller side has more of, so that the fact gives no rule; None where it is not for that."""
    way = _direction(fact, rules)
    return None if way is None else _what_rises(way)


def _direction(fact: Fact, rules: tuple[Rule, ...]) -> _Direction | None:
    left, right = (result_of(apply_exhaustively(rules, side), side) for side in (fact.left, fact.right))
    decreases, rise = first_change(left, right)
    larger, smaller = (left, right) if rise < 0 else (right, left)
    is_rule = rise and smaller.free_indices <= larger.free_indices
    return _Direction(larger, smaller, decreases) if is_rule else None


Amount: TypeAlias = "Counter[object]"


def _terms(side: Expression) -> Amount:
    return Counter({"term": term_count(side)})


def _factors(side: Expression) -> Amount:
    return Counter({"factor": factor_count(side)})


def _deltas(side: Expression) -> Amount:
    found = {node for node in side.walk() if isinstance(node, Delta)}
    return Counter({delta: counted(side, partial(_is_same, delta)) for delta in found})


def _is_same(one: Expression, other: Expression) -> int:
    return int(one == other)


def _reads(side: Expression) -> Amount:
    """How often each index and position is written, and whether the side is partial: deltas move them."""
    positions = [position for read in readings(side) for position in read.positions]
    in_positions = (node for position in positions for node in position.walk() if node.tensors)
    of_indices = (node for node in side.walk() if node.free_indices and not node.tensors)
    return Counter((*of_indices, *in_positions)) + Counter({"partial": int(is_partial(side))})


# What the measure of that name, and those below it, count of a side together with what surrounds it.
COUNTED_AROUND: Mapping[str, tuple[str, Callable[[Expression], Amount]]] = {
    "inverses": (marked("terms"), _terms),
    "digits to split": (marked("deltas"), _deltas),
    "factors under sums": (marked("factors"), _factors),
    "misplaced reads": (marked("reads"), _reads),
}


def _what_rises(way: _Direction) -> str | None:
    """What the smaller side has more of, though a measure down to the one that falls counts it around."""
    order = list(MEASURES)
    above = order[: order.index(way.decreases) + 1]
    for name, (what, amount) in COUNTED_AROUND.items():
        if name in above and not amount(way.smaller) <= amount(way.larger):
            return what
    return None


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

    def said(self, system: System) -> Words:
        """The fact; where the model does not state it but its equations do, by which definition."""
        defined = [name for name in self.fact.left.tensors if name in system.definitions]
        if self.fact in system.facts or not defined:
            return phrase(self.statement)
        tensors = listed([Element(name) for name in sorted(defined)])
        return phrase(_FOLLOWS, fact=self.statement, tensors=tensors)

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

    @property
    def roots(self) -> tuple[type[Expression], ...]:
        """The type of the larger side."""
        return (type(self.larger),)

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


def _rule(fact: Fact, way: _Direction) -> Rule:
    stated = Stated(Fact(fact.left, fact.right))
    instances = Instances(way.larger, way.smaller)
    return StatedFact(FACT, fact_text(fact), instances, way.decreases, premise=lambda _node: stated)
