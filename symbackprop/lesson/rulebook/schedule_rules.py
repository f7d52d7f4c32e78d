"""The rules of the schedule for the page of rules, in the order in which they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbackprop.errors import InternalError
from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.lesson.rulebook.examples import NAMES, example_system, parsed, place_of_use
from symbackprop.lesson.rulebook.rule_phases import example_differences
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element
from symbackprop.presentation.stated_differences import as_stated
from symbackprop.rewriting.naming import NamingRule
from symbackprop.rewriting.premises import KnownRanges, Recurrence
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import without_where
from symbackprop.schedule.driver import BLOCKS, with_named_blocks
from symbackprop.schedule.empty_sums import empty_sum_rule
from symbackprop.schedule.gates import COMPLEMENT, COMPLEMENT_IN_SUM, FUNCTION_BY_ITS_GATE
from symbackprop.schedule.groups.contraction import READ_AT_A_LOOKUP
from symbackprop.schedule.groups.grouping import GROUPING, with_groups
from symbackprop.schedule.groups.rules import FACTOR_OF_A_GROUP, ROW_AT_ITS_PLACE
from symbackprop.schedule.hoisting import HOISTING, hoisted, step_rule
from symbackprop.schedule.matrix_guards import CHOSEN_MATRICES, with_guarded_matrices
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.sharing import SHARING, shared
from symbackprop.schedule.solves import SOLVE
from symbackprop.schedule.terms import PASSING, TIDYING
from symbackprop.schedule.typed_exponents import TypedExponents, sum_in_exponent
from symbackprop.schedule.undefined_factors import delta_rule, infinite_rule, size_mask_rule
from symbackprop.stability.centring import DifferenceFromMean, centring_rule
from symbackprop.stability.forms import STABLE_FORMS
from symbackprop.stability.identities import IDENTITY_MEASURES
from symbackprop.stability.orders import ORDER_MEASURES
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import equation_text, text

Items = tuple[NamedEquation, ...]


@dataclass(frozen=True)
class ScheduleEntry:
    """The strings of one rule's section."""

    name: str
    statement: str
    where: tuple[str, ...]
    before: str
    after: str
    near_miss: str
    decreases: str = ""


def schedule_entries() -> tuple[ScheduleEntry, ...]:
    """All rules of the schedule."""
    return (*map(_local, local_rules()), *(_naming(rule, computed) for rule, computed in naming_rules()))


def local_rules() -> tuple[Rule, ...]:
    """The rules that rewrite the right-hand side of one equation."""
    system = example_system()
    ranges, adjoint = Ranges.of(system), Derivative(Element("E"), Element("c"), total=True)
    (step,) = system.definitions["a"].indices
    before_the_state = Meanings({"o": (0, system.definitions["o"])}, known=1, awaited=frozenset("a"))
    return (
        PASSING,
        delta_rule(ranges),
        size_mask_rule(ranges),
        infinite_rule(ranges),
        empty_sum_rule(ranges, adjoint),
        TIDYING,
        *(form.rule(before_the_state) for form in STABLE_FORMS),
        COMPLEMENT_IN_SUM,
        COMPLEMENT,
        FUNCTION_BY_ITS_GATE,
        _example_of_centring(),
        READ_AT_A_LOOKUP,
        FACTOR_OF_A_GROUP,
        ROW_AT_ITS_PLACE,
        SOLVE,
        as_stated(example_differences()),
        sum_in_exponent(TypedExponents(((parsed("c"), parsed("x[i]")),))),
        step_rule(Recurrence((("a", 0),), step, KnownRanges(()))),
    )


def _example_of_centring() -> Rule:
    """The rule for one difference from a mean."""
    difference = parsed("x[i] - sum(i2, x[i2])/size(i)")
    return centring_rule(DifferenceFromMean(difference, example_system().tensors["x"].indices))


def naming_rules() -> tuple[tuple[NamingRule, Callable[[Items], Items]], ...]:
    """The rules that give parts of equations names of their own, each with what does so."""
    tensors = example_system().tensors
    return (
        (BLOCKS, lambda items: with_named_blocks(items, example_system())),
        (CHOSEN_MATRICES, lambda items: with_guarded_matrices(items, tensors, ()).equations),
        (GROUPING, lambda items: with_groups(items, tensors)),
        (HOISTING, lambda items: hoisted(items, tensors)),
        (SHARING, lambda items: shared(items, tensors)),
    )


def example_equations(formulas: str) -> Items:
    """The equations of a naming rule's example."""
    known = example_system().definitions
    system = parse_system(NAMES + "\n".join(formulas.split("; ")) + "\n", "rules")
    return tuple([NamedEquation.of(each) for each in system.equations if each.tensor not in known])


def _local(rule: Rule) -> ScheduleEntry:
    used = place_of_use(rule, parsed(rule.example))
    if used is None:
        raise InternalError(f"the rule '{rule.name}' does not apply to its example {rule.example}")
    before, after = used
    return ScheduleEntry(
        rule.name,
        without_where(rule.statement, rule.where),
        rule.where,
        text(before),
        text(after),
        text(parsed(rule.near_miss)),
        _falling(rule.decreases),
    )


def _falling(measure: str) -> str:
    """A measure's place in the table of the identities' measures, or its wording where it has no table."""
    if measure in IDENTITY_MEASURES:
        return f"{measure} ({list(IDENTITY_MEASURES).index(measure) + 1})"
    return ORDER_MEASURES[measure].wording if measure in ORDER_MEASURES else ""


def _naming(rule: NamingRule, computed: Callable[[Items], Items]) -> ScheduleEntry:
    before, after = (
        "; ".join(equation_text(item.equation) for item in items)
        for items in (example_equations(rule.example), computed(example_equations(rule.example)))
    )
    if before == after:
        raise InternalError(f"the rule '{rule.name}' does not apply to its example {rule.example}")
    return ScheduleEntry(
        rule.name, without_where(rule.statement, rule.where), rule.where, before, after, rule.near_miss
    )
