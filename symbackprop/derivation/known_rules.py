"""The registry of rules: every name that a step of a derivation may bear, and what it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TypeVar

from symbackprop.algebra.arrangement import ARRANGE
from symbackprop.algebra.identity import Identity
from symbackprop.algebra.phases import RULES_OF_FACTS
from symbackprop.algebra.reassociation import Regrouping
from symbackprop.algebra.sum_search import FACTOR_IN, SPLIT, factor_in
from symbackprop.derivation.calculus import CALCULUS_RULES
from symbackprop.derivation.chain_rules import ChainRule, ChainRuleForwards, ChainRuleWithinStep
from symbackprop.derivation.differentiation import TOGETHER, OwnEquation
from symbackprop.derivation.driver import LOSS_BY_ITSELF
from symbackprop.derivation.inner.known_derivatives import Between, NamedDerivatives, one_index_between
from symbackprop.derivation.named_parts import Arguments, Copies, Portions, Repeated, Shifts
from symbackprop.derivation.reverse import Invariance
from symbackprop.notation.expressions import Axis, Element, Expression, Index
from symbackprop.presentation.clipping import clipping_rules
from symbackprop.presentation.gathered_differences import GATHER_DIFFERENCES
from symbackprop.presentation.masked_sums import masked_sum_rules
from symbackprop.presentation.masks import choice_rules, mask_rules, product_rules
from symbackprop.presentation.means.summed import NamedMeans, mean_rules
from symbackprop.presentation.phase import PRESENTATION_RULES
from symbackprop.presentation.places_apart import PLACES_APART
from symbackprop.presentation.stated_differences import AS_STATED, StatedDifferences, as_stated
from symbackprop.presentation.stated_sums import SUM_AS_STATED, StatedSums, sum_as_stated
from symbackprop.rewriting.justification import Justification, Premise
from symbackprop.rewriting.moving_in import MovedIn
from symbackprop.rewriting.premises import (
    Definitions,
    KnownRanges,
    LookedUp,
    Matrices,
    Recurrence,
    Vanishing,
)
from symbackprop.rewriting.registry import Entry, Family, Registry
from symbackprop.rewriting.replacements import AdjointNames, Definition, Renaming, Substitution
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.bookkeeping import BOOKKEEPING_RULES
from symbackprop.rules.boundaries import BOUNDARY_RULES, recurrence_rules
from symbackprop.rules.delta_substitution import substitution_rules
from symbackprop.rules.deltas.joining import JOINING_RULES
from symbackprop.rules.deltas.lookups import lookup_rules
from symbackprop.rules.digit_deltas import DIGIT_RULES
from symbackprop.rules.inverses import matrix_rules
from symbackprop.rules.kronecker import KRONECKER_RULES, where_rules
from symbackprop.rules.one_index import BOTH
from symbackprop.rules.own_masks import support_rules
from symbackprop.rules.position_deltas import SOLVING_RULES
from symbackprop.rules.stated_facts import FACT, Stated, fact_rules
from symbackprop.rules.summation import SUMMATION_RULES
from symbackprop.rules.support import Guarding, Masking, Support
from symbackprop.rules.symmetry import MIRRORED_SQUARES, SYMMETRY, Symmetries, oriented_by
from symbackprop.rules.wheres import WHERE_RULES
from symbackprop.rules.written_out import WRITTEN_OUT_RULES

P = TypeVar("P", bound=Premise)

JUSTIFICATIONS: tuple[type[Justification], ...] = (
    AdjointNames,
    Arguments,
    ChainRule,
    ChainRuleForwards,
    ChainRuleWithinStep,
    Copies,
    Definition,
    Guarding,
    Identity,
    Invariance,
    Masking,
    NamedDerivatives,
    OwnEquation,
    Portions,
    Regrouping,
    Repeated,
    Renaming,
    Shifts,
    Substitution,
)


TABLES: tuple[Sequence[Rule], ...] = (
    BOOKKEEPING_RULES,
    WHERE_RULES,
    DIGIT_RULES,
    KRONECKER_RULES,
    SUMMATION_RULES,
    JOINING_RULES,
    BOUNDARY_RULES,
    SOLVING_RULES,
    CALCULUS_RULES,
    WRITTEN_OUT_RULES,
    PRESENTATION_RULES,
    (ARRANGE, GATHER_DIFFERENCES, MIRRORED_SQUARES, TOGETHER, SPLIT, PLACES_APART, LOSS_BY_ITSELF),
)
SOME_STEP = Index("t", Axis("T", "t"))


def _substitution_rules(premise: KnownRanges) -> Sequence[Rule]:
    ranges = premise.ranges
    return (*substitution_rules(ranges), *where_rules(ranges), *masked_sum_rules(ranges))


def _lookup_rules(premise: LookedUp) -> Sequence[Rule]:
    return lookup_rules(dict(premise.places), dict(premise.axes))


def _recurrence_rules(premise: Recurrence) -> Sequence[Rule]:
    return recurrence_rules(dict(premise.places), premise.step, premise.known.ranges)


def _matrix_rules(premise: Matrices) -> Sequence[Rule]:
    return matrix_rules(premise.symmetric, {each.tensor: each for each in premise.definitions})


def _support_rules(premise: Vanishing) -> Sequence[Rule]:
    supports = {element.tensor: _support(element, found) for element, found in premise.supports}
    return support_rules(supports, premise.known.ranges)


def _support(element: Element, conditions: tuple[Expression, ...]) -> Support:
    indices = tuple([position for position in element.positions if isinstance(position, Index)])
    return Support(indices, conditions)


def _mask_rules(premise: Definitions) -> Sequence[Rule]:
    definitions = premise.definitions
    return (
        *mask_rules(definitions), *clipping_rules(definitions), *product_rules(definitions),
        *choice_rules(definitions), *mean_rules(NamedMeans.of(definitions)),
    )  # fmt: skip


def _fact_rules(premise: Stated) -> Sequence[Rule]:
    return [each.rule for each in fact_rules((premise.fact,), RULES_OF_FACTS)]


def _of_system(premise: P, rules: Callable[[P], Sequence[Rule]]) -> Iterator[Entry]:
    """The rules of a function of premises, of which one is given as a sample."""
    for rule in rules(premise):
        if rule.premise is None:
            yield rule
        else:
            yield Family(rule.name, type(premise), partial(_called, rule.name, rules))


def _called(name: str, rules: Callable[[P], Sequence[Rule]], premise: P) -> Rule | None:
    return next((rule for rule in rules(premise) if rule.name == name), None)


REGISTRY = Registry.of(
    *chain.from_iterable(TABLES),
    *_of_system(KnownRanges(()), _substitution_rules),
    *_of_system(LookedUp((), ()), _lookup_rules),
    *_of_system(Recurrence((), SOME_STEP, KnownRanges(())), _recurrence_rules),
    *_of_system(Matrices(frozenset(), ()), _matrix_rules),
    *_of_system(Vanishing((), KnownRanges(())), _support_rules),
    *_of_system(Definitions(()), _mask_rules),
    Family(FACT, Stated, partial(_called, FACT, _fact_rules)),
    Family(SYMMETRY, Symmetries, oriented_by),
    Family(BOTH, Between, one_index_between),
    Family(FACTOR_IN.name, MovedIn, factor_in),
    Family(AS_STATED, StatedDifferences, as_stated),
    Family(SUM_AS_STATED, StatedSums, sum_as_stated),
    *JUSTIFICATIONS,
)
