"""The normal form: every rule, in the order in which it is tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from symbackprop.algebra.arrangement import ARRANGE, tidied
from symbackprop.algebra.consequences import consequences
from symbackprop.algebra.context import Scope
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.scalar_search import Account, Budget, name_functions, name_roots, rework
from symbackprop.algebra.sum_search import choose_sums
from symbackprop.languages.phrases import Message, worded
from symbackprop.notation.expressions import Expression, Index
from symbackprop.notation.substitution import tidy_bound_names
from symbackprop.presentation.cancelled_divisors import CANCELLED_NUMBER
from symbackprop.presentation.clipping import clipping_rules, extrema
from symbackprop.presentation.gathered_differences import GATHER_DIFFERENCES
from symbackprop.presentation.masked_sums import masked_sum_rules
from symbackprop.presentation.masks import mask_rules, positive_parts
from symbackprop.presentation.phase import LAST_RULES
from symbackprop.presentation.stated_differences import StatedDifferences
from symbackprop.presentation.stated_sums import StatedSums
from symbackprop.rewriting.replacements import Renaming
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.strategies import apply_in_one_pass, apply_outside_in, result_of
from symbackprop.rules.bookkeeping import BOOKKEEPING_RULES
from symbackprop.rules.boundaries import BOUNDARY_RULES, recurrence_rules
from symbackprop.rules.compared_values import OPPOSITE_WHERES
from symbackprop.rules.delta_substitution import substitution_rules
from symbackprop.rules.deltas.joining import JOINING_RULES
from symbackprop.rules.digit_deltas import DIGIT_RULES
from symbackprop.rules.inverses import matrix_rules
from symbackprop.rules.kronecker import KRONECKER_RULES, where_rules
from symbackprop.rules.own_masks import support_rules
from symbackprop.rules.position_deltas import SOLVING_RULES
from symbackprop.rules.stated_facts import fact_rules, undirected
from symbackprop.rules.summation import SUMMATION_RULES
from symbackprop.rules.symmetry import orient, turn_squares
from symbackprop.rules.wheres import WHERE_RULES
from symbackprop.systems.partial import NOTHING_KNOWN, Ranges
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import System


def factor_rules(ranges: Ranges) -> tuple[Rule, ...]:
    """Those for a local factor of the chain rule, which keeps the deltas of positions.

    They are solved in the sum that it enters.
    """
    return (
        *BOOKKEEPING_RULES, *WHERE_RULES, *DIGIT_RULES, *substitution_rules(ranges),
        *where_rules(ranges), *KRONECKER_RULES, *SUMMATION_RULES, GATHER_DIFFERENCES,
        *masked_sum_rules(ranges),
    )  # fmt: skip


def joined_rules(ranges: Ranges) -> tuple[Rule, ...]:
    """Those for a derivative whose sums are put together first."""
    return (*JOINING_RULES, *factor_rules(ranges))


def normal_form_rules(ranges: Ranges) -> tuple[Rule, ...]:
    """Every rule."""
    return (*joined_rules(ranges), *BOUNDARY_RULES, *SOLVING_RULES)


MOST_ROUNDS = 10
RULES_OF_FACTS = normal_form_rules(NOTHING_KNOWN)
RENAME = Renaming()


def scope_of(system: System, free: frozenset[str] = frozenset(), budget: Budget | None = None) -> Scope:
    """The system's equations, the user's facts, and the facts that follow from the equations.

    Nothing is said of the tensors in `free`. What follows is searched for within `budget` (default: that of
    a derivation of the system).
    """
    stated = tuple(fact for fact in system.facts if free.isdisjoint(fact.left.tensors | fact.right.tensors))
    known = replace(system, facts=stated)
    rules = normal_form_rules(Ranges.of(system))
    followed = consequences(known, rules, free, budget or Budget.of(system))
    return Scope.of(known, (*stated, *followed), free)


def facts_left_alone(system: System) -> tuple[Message, ...]:
    """A line for each fact that gives no rule because its uses need not come to an end."""
    found = ((fact, undirected(fact, RULES_OF_FACTS)) for fact in system.facts)
    return tuple(
        [
            worded(
                "the fact {fact} is not used to simplify: its smaller side has more {what} than the other, "
                "so that its uses need not come to an end",
                fact=fact_text(fact),
                what=worded(what),
            )
            for fact, what in found
            if what is not None
        ]
    )


def simplify(
    expression: Expression,
    scope: Scope,
    outer: frozenset[Index] = frozenset(),
    account: Account | None = None,
) -> tuple[Step, ...]:
    """The steps to the closed form: contract and sort the sums, use facts, then rework what is between them.

    `outer` are the indices on the left-hand side, which no bound index shall share a name with. `account` is
    what the searches may cost (default: one that nothing has been taken from).
    """
    phases = [rules(scope.ranges) for rules in (factor_rules, joined_rules, normal_form_rules)]
    last = NormalForm((OPPOSITE_WHERES,))
    return _simplified(expression, scope, outer, phases, last, account or Account())


def simplify_factor(
    expression: Expression, scope: Scope, outer: frozenset[Index], account: Account
) -> tuple[Step, ...]:
    """The steps to the closed form of a local factor, which keeps the deltas of positions."""
    phases = [factor_rules(scope.ranges)]
    named = name_functions(expression, scope, account)
    value = result_of(named, expression)
    return (*named, *_simplified(value, scope, outer, phases, NormalForm(()), account))


def _simplified(
    expression: Expression,
    scope: Scope,
    outer: frozenset[Index],
    phases: Sequence[tuple[Rule, ...]],
    last: NormalForm,
    account: Account,
) -> tuple[Step, ...]:
    facts = fact_rules(scope.facts, RULES_OF_FACTS)
    of_system = (
        *matrix_rules(scope.symmetric, scope.definitions),
        *support_rules(scope.supports, scope.ranges),
    )
    normal_forms = [NormalForm((*rules, *of_system), facts) for rules in phases]
    normal_form = normal_forms[-1]
    inwards = _inwards(scope)
    steps = list(name_roots(expression, scope, account))
    for _round in range(MOST_ROUNDS):
        before = result_of(steps, expression)
        steps.extend(orient(before, scope.symmetric, scope.index_names))
        steps.extend(turn_squares(result_of(steps, expression)))
        for each in (*normal_forms, inwards):
            steps.extend(each.steps(result_of(steps, expression)))
        steps.extend(choose_sums(result_of(steps, expression), scope, normal_form, account))
        steps.extend(rework(result_of(steps, expression), scope, account))
        if result_of(steps, expression) == before:
            break
    steps.extend(last.steps(result_of(steps, expression)))
    return (*steps, *_arranged(result_of(steps, expression), scope, outer))


def masks_by_name(scope: Scope) -> tuple[Rule, ...]:
    """The rules of masks and of the maxima and minima that they belong to, where these have names."""
    definitions = scope.definitions.values()
    return (*mask_rules(positive_parts(definitions)), *clipping_rules(extrema(definitions)))


def present(
    expression: Expression,
    scope: Scope,
    outer: frozenset[Index],
    names: tuple[Rule, ...],
    differences: StatedDifferences,
    sums: StatedSums,
) -> tuple[Step, ...]:
    """The steps from a closed form to the one that is printed; nothing is looked for in it afterwards.

    `names` are rules of what has a name, as those of `masks_by_name`. Differences and sums are written as
    stated at the end.
    A guard that has left the branches of a `where` goes back around the loop-carried reads that need it.
    """
    steps = list(NormalForm((*names, *LAST_RULES)).steps(expression))
    if steps:
        steps.extend(_arranged(steps[-1].after, scope, outer))
        inwards = _inwards(scope).steps(steps[-1].after)
        steps.extend((*inwards, *(_arranged(inwards[-1].after, scope, outer) if inwards else ())))
    steps.extend(apply_in_one_pass(differences.rules, result_of(steps, expression)))
    written = apply_outside_in(sums.rules, result_of(steps, expression))
    steps.extend(written)
    if written:
        steps.extend(NormalForm((CANCELLED_NUMBER,)).steps(result_of(steps, expression)))
    return tuple(steps)


def _inwards(scope: Scope) -> NormalForm:
    """The normal form of what is computed at a step of a recurrence."""
    recurrences = scope.own_recurrences
    rules = (recurrence_rules(each.places, each.step, scope.ranges) for each in recurrences)
    return NormalForm(tuple(rule for each in rules for rule in each))


def _arranged(expression: Expression, scope: Scope, outer: frozenset[Index]) -> tuple[Step, ...]:
    """Signs, reciprocals and the names of bound indices as a person writes them."""
    steps: list[Step] = []
    steps.extend(_written_differently(ARRANGE, result_of(steps, expression), tidied))
    names = partial(tidy_bound_names, outer=outer, preferred=scope.index_names)
    steps.extend(_written_differently(RENAME, result_of(steps, expression), names))
    return tuple(steps)


def _written_differently(
    rule: Rule | Renaming, before: Expression, write: Callable[[Expression], Expression]
) -> tuple[Step, ...]:
    """One step, or none where nothing is another and all in the same order."""
    after = write(before)
    if after.is_identical(before):
        return ()
    return (Step(rule.used_on(before) if isinstance(rule, Rule) else rule, (), before, after),)
