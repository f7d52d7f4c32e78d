"""A model and its gradient as the equations that a program computes: where every target starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symbackprop.collecting import few_passes
from symbackprop.derivation.result import AdjointDerivation, Derivation
from symbackprop.errors import NotationError, ProgramError
from symbackprop.indexing.blocks import names_for_blocks, read_by_block
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Index
from symbackprop.notation.faces import Summary, counted
from symbackprop.presentation.masked_sums import smaller_factor_rule
from symbackprop.presentation.stated_differences import StatedDifferences
from symbackprop.rewriting.naming import NamingRule
from symbackprop.rewriting.rule import Step
from symbackprop.schedule.empty_sums import with_empty_sums_guarded
from symbackprop.schedule.gates import with_complements, with_shared_gates
from symbackprop.schedule.given_names import Blocks
from symbackprop.schedule.groups.grouping import with_groups
from symbackprop.schedule.hoisting import hoisted
from symbackprop.schedule.matrix_guards import with_guarded_matrices
from symbackprop.schedule.named_equations import NamedEquation, Part, rewritten, rewritten_once
from symbackprop.schedule.sharing import shared
from symbackprop.schedule.solves import with_solves
from symbackprop.schedule.stability import (
    with_differences_summed,
    with_means_taken_away_again,
    with_multiples_last,
    with_quotients_first,
    with_stable_forms,
)
from symbackprop.schedule.terms import PASSING
from symbackprop.schedule.typed_exponents import with_sums_kept_in_exponents
from symbackprop.schedule.undefined_factors import (
    with_deltas_as_conditions,
    with_masks_on_what_may_be_infinite,
    with_size_masks_as_conditions,
)
from symbackprop.stability.centring import centring_rules
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.partial import Ranges
from symbackprop.systems.portions import portions_of
from symbackprop.systems.recurrences import Stage
from symbackprop.systems.system import Equation, System

BLOCKS = NamingRule(
    Blocks,
    where=("the size is a sum of the blocks' sizes", "no condition on the axis is left within a block"),
    example="b[p] = where(p < size(i), x[p], 0) + where(p >= size(i), x[p - size(i)], 0)*c",
    near_miss="b[p] = where(p < size(i), x[p], 0)*r[p]",
)


@dataclass(frozen=True, repr=False)
class Schedule(Summary):
    """Equations, each after those that it reads, but for recurrences, whose members stand side by side.

    `positive_definite` gives the tensors whose matrices are so, each with the tensor that a fact names.
    """

    equations: tuple[NamedEquation, ...]
    positive_definite: Mapping[str, str]

    @property
    def summary(self) -> str:
        """How many equations it has."""
        return counted(len(self.equations), "equation")


@dataclass(frozen=True)
class ScheduleSource:
    """What a schedule is made of: a model, and the equations of adjoints, if there are any.

    `derivations` say of an equation how it was derived, where it is an adjoint or a derivative in the model.
    """

    system: System
    adjoints: tuple[Equation, ...] = ()
    derivations: Mapping[str, AdjointDerivation] = field(default_factory=dict)

    @classmethod
    def of(cls, derivation: Derivation) -> ScheduleSource:
        """A model and the gradient that was derived of it."""
        derivations = (*derivation.expansion.derivations, *derivation.adjoints)
        by_tensor = {adjoint.equation.tensor: adjoint for adjoint in derivations}
        return cls(derivation.system, derivation.equations, by_tensor)

    @cached_property
    def stated(self) -> tuple[NamedEquation, ...]:
        """The equations as they are stated, with names for parts of what is too long or deep for one."""
        system, equations = self.system, (*self.system.equations, *self.adjoints)
        layouts = {name: tensor.indices for name, tensor in system.tensors.items()}
        layouts |= {equation.tensor: equation.indices for equation in equations}
        taken = {*layouts, *(axis.name for axis in system.axes)}
        groups = portions_of(equations, layouts, taken)
        taken.update(part.tensor for group in groups for part in group)
        items: list[NamedEquation] = []
        for source, portions in zip(equations, groups, strict=True):
            adjoint = self.derivations.get(source.tensor)
            whole = frozenset(system.integers) if source.tensor in system.places else frozenset()
            item = NamedEquation.of(source, adjoint, system.shorthands, whole)
            *parts, rest = portions
            items += [item.temporary(Part.PORTION, part) for part in parts]
            items.append(item.reading_portions(rest, tuple(parts)) if parts else item)
        return tuple(items)

    @cached_property
    def items(self) -> tuple[NamedEquation, ...]:
        """The equations as they are stated, and those of the blocks along their packed axes."""
        return with_named_blocks(self.stated, self.system)

    @cached_property
    def ranges(self) -> Ranges:
        """What the equations say of their tensors."""
        return Ranges.of_circles(self.system.tensors.values(), [item.equation for item in self.items])

    @property
    def gradient(self) -> tuple[AdjointDerivation, ...]:
        """The adjoints of the loss, those too that have been put into others."""
        found = self.derivations.items()
        return tuple([each for name, each in found if name not in self.system.tensors])

    @cached_property
    def totals(self) -> Mapping[str, Derivative]:
        """Which derivative of the loss the equation of each adjoint is."""
        return {each.tensor: self.derivations[each.tensor].total for each in self.adjoints}


def with_named_blocks(items: Sequence[NamedEquation], system: System) -> tuple[NamedEquation, ...]:
    """The equations, with one of its own for each block of a packed axis, before the one that reads them."""
    taken = {*system.tensors, *(axis.name for axis in system.axes), *(item.equation.tensor for item in items)}
    found: list[NamedEquation] = []
    stages = stages_of(tuple(item.equation for item in items))
    steps = {each.tensor: _steps(stage, each) for stage in stages for each in stage.equations}
    for item in items:
        named = names_for_blocks(item.equation, taken, system.axes, steps[item.equation.tensor])
        found += [item.temporary(Part.BLOCK, each) for each in named]
        found.append(_read_by_block(item, named) if named else item)
    return tuple(found)


def _steps(stage: Stage, equation: Equation) -> tuple[Index, ...]:
    """The indices of an equation that count the steps of its recurrence."""
    return () if stage.recurrence is None else stage.recurrence.steps(equation)


def _read_by_block(item: NamedEquation, named: tuple[Equation, ...]) -> NamedEquation:
    before, indices = item.equation.expression, item.equation.indices
    after = read_by_block(before, indices, named)
    assert after is not None
    return item.computing(after, (Step(Blocks(named, indices=indices), (), before, after),))


@few_passes()
def schedule_of(derivation: Derivation) -> Schedule:
    """The schedule of a model and of the gradient that was derived of it.

    Raises ProgramError where adjoints depend on one another in a circle.
    """
    try:
        return scheduled(ScheduleSource.of(derivation))
    except NotationError as error:  # the model's own equations were in order
        raise ProgramError(error.cause, remedy=error.remedy) from error


def scheduled(source: ScheduleSource) -> Schedule:
    """The schedule of a model, and of its gradient if there is one."""
    system = source.system
    # In a block of an axis a mask may be of other indices alone, and stand on the smaller factor.
    masks = (smaller_factor_rule(source.ranges),)
    blocks = [
        rewritten_once(item, masks) if item.origin.part is Part.BLOCK else item for item in source.items
    ]
    items = with_deltas_as_conditions([rewritten(item, (PASSING,)) for item in blocks], source.ranges)
    items = with_size_masks_as_conditions(items, source.ranges)
    items = with_empty_sums_guarded(items, source.ranges, source.totals)
    items = with_stable_forms(with_differences_summed(items), system.tensors)
    items = with_shared_gates(with_complements(items))
    items = with_multiples_last(items)
    items = with_means_taken_away_again(items, centring_rules(system, source.gradient))
    stated = frozenset(known.tensor for known in system.positive_definite)
    guarded = with_guarded_matrices(items, system.tensors, stated)
    masked = with_masks_on_what_may_be_infinite(guarded.equations, source.ranges)
    solved = with_solves(with_groups(masked, system.tensors))
    # Before hoisting, which takes powers apart from what divides them, and behind it, for it joins factors.
    quotients = with_quotients_first(hoisted(with_quotients_first(solved, items), system.tensors), items)
    # Last, too: whatever adds up makes one sum of them again.
    differences = StatedDifferences.of(system).rules
    stated_differences = [rewritten_once(item, differences) for item in quotients]
    given = system.tensors.keys() - {equation.tensor for equation in system.equations}
    kept = with_sums_kept_in_exponents(stated_differences, source.items, given)
    return Schedule(shared(kept, system.tensors), guarded.positive_definite)
