"""A schedule done again: the steps of every equation, from what is stated to what is computed.

A rule is looked up by its name and made from the premise that the step has noted; a naming is put back. The
premises are looked up in what is stated: definitions in the equations before, names in all equations as they
were before that kind of name was given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from symbackprop.algebra.context import Scope
from symbackprop.derivation.grounds import Forms, Grounds, Knowledge
from symbackprop.errors import NotationError, ReplayError
from symbackprop.notation.expressions import Index
from symbackprop.presentation.masked_sums import smaller_factor_rule_by
from symbackprop.presentation.stated_differences import AS_STATED, StatedDifferences, as_stated
from symbackprop.rewriting.naming import Naming
from symbackprop.rewriting.premises import ChainRuleProducts, KnownRanges, Recurrence
from symbackprop.rewriting.registry import Family, Registry
from symbackprop.rewriting.replacements import Renaming
from symbackprop.rewriting.replay import follows, replay_all
from symbackprop.rewriting.rule import Step
from symbackprop.schedule.driver import Schedule, ScheduleSource
from symbackprop.schedule.empty_sums import empty_sum_rule_by
from symbackprop.schedule.gates import COMPLEMENT, COMPLEMENT_IN_SUM, FUNCTION_BY_ITS_GATE
from symbackprop.schedule.given_names import NAMINGS, Hoisted, MatrixGuards
from symbackprop.schedule.groups.contraction import READ_AT_A_LOOKUP
from symbackprop.schedule.groups.rules import FACTOR_OF_A_GROUP, ROW_AT_ITS_PLACE
from symbackprop.schedule.hoisting import step_rule
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.solves import SOLVE
from symbackprop.schedule.terms import PASSING, TIDYING
from symbackprop.schedule.typed_exponents import SUM_IN_EXPONENT, TypedExponents, sum_in_exponent
from symbackprop.schedule.undefined_factors import delta_rule_by, infinite_rule_by, size_mask_rule_by
from symbackprop.stability.centring import CENTRE_AGAIN, DifferenceFromMean, centring_rule_by
from symbackprop.stability.forms import STABLE_FORMS
from symbackprop.stability.stable_form import NameDefinitions
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.printing import equation_text
from symbackprop.systems.recurrences import Stage, at_step
from symbackprop.systems.system import Equation

REGISTRY = Registry.of(
    PASSING,
    Family("mask on the smaller factor", KnownRanges, smaller_factor_rule_by),
    Family("delta as a condition", KnownRanges, delta_rule_by),
    Family("mask of sizes", KnownRanges, size_mask_rule_by),
    Family("mask on what may be infinite", KnownRanges, infinite_rule_by),
    Family("empty sum as a condition", ChainRuleProducts, empty_sum_rule_by),
    TIDYING,
    *(Family(form.name, NameDefinitions, form.by) for form in STABLE_FORMS),
    Family(CENTRE_AGAIN, DifferenceFromMean, centring_rule_by),
    Family(AS_STATED, StatedDifferences, as_stated),
    Family(SUM_IN_EXPONENT, TypedExponents, sum_in_exponent),
    COMPLEMENT_IN_SUM,
    COMPLEMENT,
    FUNCTION_BY_ITS_GATE,
    READ_AT_A_LOOKUP,
    ROW_AT_ITS_PLACE,
    FACTOR_OF_A_GROUP,
    SOLVE,
    Family("where by step", Recurrence, step_rule),
    *NAMINGS,
    Renaming,
)


def replayed(schedule: Schedule, source: ScheduleSource) -> Counter[str]:
    """How many steps of which kind there are, all of which replay and rest on what is stated.

    Raises ReplayError where one does not, or where the schedule computes something else than its source.
    """
    kinds: Counter[str] = Counter()
    for chain in chains(schedule, source):
        item, origin = chain.item, chain.item.origin
        to_stated = follows(origin.start.expression, origin.portions, origin.stated.expression)
        if not (to_stated and follows(origin.stated.expression, origin.steps, item.equation.expression)):
            raise _refusal(f"a step is missing on the way to {equation_text(item.equation)}")
        for step, grounds in chain.grounded_steps():
            kinds.update(replay_all((step,), REGISTRY, grounds))
    return kinds


@dataclass(frozen=True)
class ScheduleGrounds(Grounds):
    """What a step of the schedule may rest on: `stage` is what is computed with the equation of `tensor`."""

    tensor: str = ""
    stage: Stage | None = None

    def are_steps(self, places: Mapping[str, int], step: Index) -> bool:
        """Whether the equation at hand belongs to that recurrence."""
        if self.stage is None:
            return False
        (own,) = [each for each in self.stage.equations if each.tensor == self.tensor]
        recurrences = (each for each in self.stage.nested if self.tensor in each.places)
        return any(each.places == places and at_step(each, own) == step for each in recurrences)


@dataclass(frozen=True)
class ScheduleChain:
    """One equation of a schedule, and the states of all equations, which its steps may rest on."""

    item: NamedEquation
    states: _States

    def grounded_steps(self) -> Iterator[tuple[Step, ScheduleGrounds]]:
        """Each step, and what it may rest on."""
        for step in (*self.item.origin.portions, *self.item.origin.steps):
            yield step, self.states.grounds(self.item, step)


def chains(schedule: Schedule, source: ScheduleSource) -> Iterator[ScheduleChain]:
    """Every equation with its steps. ReplayError where they are not those of the source."""
    states = _States(schedule, source)
    _expect_stated(schedule, source)
    for item in schedule.equations:
        yield ScheduleChain(item, states)


def _expect_stated(schedule: Schedule, source: ScheduleSource) -> None:
    """Each equation of the source is computed, others have names of their own, and none runs in a circle."""
    items = {item.equation.tensor: item for item in schedule.equations}
    for each in source.stated:
        found = items.get(each.equation.tensor)
        own = (each.origin.start, each.equation)
        if found is None or (found.origin.start, found.origin.stated) != own:
            raise _refusal(f"the schedule does not compute {equation_text(each.equation)}")
    inputs = source.system.tensors.keys() - source.system.definitions.keys()
    if len(items) < len(schedule.equations) or not inputs.isdisjoint(items):
        raise _refusal("two tensors of the schedule have one name")
    if any(item.equation.element != item.origin.stated.element for item in items.values()):
        raise _refusal("the schedule computes a tensor in another layout")
    for equations in ([item.origin.stated for item in items.values()], [*map(_equation, items.values())]):
        try:
            stages_of(equations)
        except NotationError as error:
            raise _refusal(f"the schedule runs in a circle: {error.cause}") from error


def _equation(item: NamedEquation) -> Equation:
    return item.equation


def _refusal(what: str) -> ReplayError:
    return ReplayError(what, remedy="this is a defect of symbackprop; please report the model")


@dataclass(frozen=True)
class _States:
    """The right-hand sides that the equations of a schedule have had, one after another."""

    schedule: Schedule
    source: ScheduleSource

    def grounds(self, item: NamedEquation, step: Step) -> ScheduleGrounds:
        """What a step of an equation may rest on."""
        name = item.equation.tensor
        naming = type(step.rule) if isinstance(step.rule, Naming) else None
        return ScheduleGrounds(
            self.source.system,
            self._knowledge,
            (),
            self._definitions_before(name) if naming is None else self._forms[naming],
            self.source.derivations[name] if name in self.source.totals else None,
            name,
            self._stages.get(name),
        )

    @cached_property
    def _knowledge(self) -> Knowledge:
        system = self.source.system
        return Knowledge(Scope.of(system), self.source.ranges, frozenset(system.facts))

    @cached_property
    def _forms(self) -> Mapping[type[Naming], Forms]:
        """For each kind of naming the forms that the equations had before it."""
        return {
            naming: {
                item.equation.tensor: tuple(_forms_before(item, NAMINGS[place:]))
                for item in self.schedule.equations
            }
            for place, naming in enumerate(NAMINGS)
        }

    @cached_property
    def _order(self) -> Mapping[str, int]:
        """The places of the equations in their source."""
        return {item.equation.tensor: place for place, item in enumerate(self.source.items)}

    def _definitions_before(self, name: str) -> Forms:
        """Equations that the source states before, with no guarded matrices yet, and those of new names."""
        order, forms = self._order, self._forms[MatrixGuards]
        here = order.get(name, len(order))
        return {each: forms[each] for each in forms if order.get(each, -1) < here}

    @cached_property
    def _stages(self) -> Mapping[str, Stage]:
        """The stage of each equation, as the equations were before parts of recurrences moved out."""
        forms = self._forms[Hoisted]
        stages = stages_of([form for *_, form in forms.values()])
        return {each.tensor: stage for stage in stages for each in stage.equations}


def _forms_before(item: NamedEquation, namings: tuple[type[Naming], ...]) -> Iterator[Equation]:
    """The states of an equation before the first of these namings."""
    equation = item.origin.stated
    yield equation
    for step in item.origin.steps:
        if isinstance(step.rule, namings):
            return
        yield replace(equation, expression=step.after)
