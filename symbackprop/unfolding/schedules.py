"""The schedule of a deep system and its gradient, unfolded from that of few of its equal blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.collecting import few_passes
from symbackprop.errors import NotationError
from symbackprop.notation.substitution import rename_tensors
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.rewriting.rule import Step, Use
from symbackprop.schedule.driver import Schedule, ScheduleSource, schedule_of
from symbackprop.schedule.named_equations import NamedEquation, Part, items_in_reading_order
from symbackprop.schedule.replaying import replayed as schedule_replayed
from symbackprop.schedule.temporary_names import temporary_name
from symbackprop.systems.system import Equation
from symbackprop.unfolding.derivations import UnfoldedDerivation, Unfolding
from symbackprop.unfolding.rows import NotUnfolded, Shift

EQUAL_BLOCK = Use("equal block", "what is computed for a block is what is for an equal one, in other names")


@dataclass(frozen=True)
class ScheduleUnfolding:
    """A schedule of few blocks, and the whole one that comes of it.

    Of each tensor that the whole one computes `sources` gives the few one whose equation it has, and its
    shift; `names` gives by each shift what few tensors are called in the whole.
    """

    few: Schedule
    whole: Schedule
    sources: Mapping[str, tuple[str, int | None]]
    names: Mapping[int | None, Mapping[str, str]]


@dataclass(frozen=True)
class UnfoldedSchedule:
    """A schedule that has been unfolded, `to_all` blocks, and by one block, which was compared.

    What the few blocks are unfolded to `by_one` is the schedule that `to_all` starts from.
    """

    by_one: ScheduleUnfolding
    to_all: ScheduleUnfolding

    @property
    def whole(self) -> Schedule:
        """That of the whole derivation."""
        return self.to_all.whole


@few_passes()
def unfolded_schedule(unfolded: UnfoldedDerivation) -> UnfoldedSchedule | None:
    """The schedule of the whole derivation; None where it does not come of few blocks."""
    try:
        few, more = schedule_of(unfolded.by_one.few), schedule_of(unfolded.by_one.whole)
        by_one = _unfolded(few, unfolded.by_one)
        if not _are_same(by_one.whole, more):
            return None
        return UnfoldedSchedule(replace(by_one, whole=more), _unfolded(more, unfolded.to_all))
    except (NotUnfolded, NotationError):
        return None


def _unfolded(few: Schedule, unfolding: Unfolding) -> ScheduleUnfolding:
    if few.positive_definite or any(item.origin.portions for item in few.equations):
        raise NotUnfolded
    source = ScheduleSource.of(unfolding.whole)
    stated = (*source.system.equations, *source.adjoints)
    few_items = _Few.of(few)
    shifts = {shift: Shift(names) for shift, names in _names(few, unfolding).items()}
    found: list[NamedEquation] = []
    of_parts: list[NamedEquation] = []
    sources: dict[str, tuple[str, int | None]] = {}
    for equation in stated:
        name, shift = unfolding.source(equation.tensor)
        renaming = _Renaming(shifts[shift], equation, source)
        parts = few_items.parts.get(name, [])
        found.append(renaming.of(few_items.own[name]))
        of_parts += map(renaming.of, parts)
        for each in (few_items.own[name], *parts):
            sources[shifts[shift].names[each.equation.tensor]] = each.equation.tensor, shift
    named = [item.equation.tensor for item in (*found, *of_parts)]
    others = {axis.name for axis in source.system.axes} | source.system.tensors.keys()
    is_unique = len(set(named)) == len(named) and others.isdisjoint(item.equation.tensor for item in of_parts)
    if not is_unique:
        raise NotUnfolded
    whole = Schedule(items_in_reading_order([*found, *of_parts]), {})
    return ScheduleUnfolding(few, whole, sources, {key: shift.names for key, shift in shifts.items()})


@dataclass(frozen=True)
class _Few:
    """The equations of a schedule, and temporaries by the equation that they are computed for."""

    own: Mapping[str, NamedEquation]
    parts: Mapping[str, list[NamedEquation]]

    @classmethod
    def of(cls, few: Schedule) -> _Few:
        own: dict[str, NamedEquation] = {}
        parts: dict[str, list[NamedEquation]] = {}
        for item in few.equations:
            if item.origin.part is Part.EQUATION:
                own[item.equation.tensor] = item
            else:
                parts.setdefault(item.origin.source.tensor, []).append(item)
        return cls(own, parts)


def _names(few: Schedule, unfolding: Unfolding) -> Mapping[int | None, dict[str, str]]:
    """By each shift, the few names in the whole; temporaries of one block alone, or of none, stay."""
    temporaries = [item for item in few.equations if item.origin.part is not Part.EQUATION]
    if any(_name_of(item, {}) != item.equation.tensor for item in temporaries):
        raise NotUnfolded
    moving = _moving(temporaries, unfolding)
    names = {shift: dict(known) for shift, known in unfolding.names.items()}
    for shift, known in names.items():
        for item in temporaries:
            if shift is None or item.equation.tensor not in moving:
                known[item.equation.tensor] = item.equation.tensor
            elif (name := _name_of(item, known)) is not None:
                known[item.equation.tensor] = name
    return names


def _moving(temporaries: Sequence[NamedEquation], unfolding: Unfolding) -> frozenset[str]:
    """The temporaries that the next of the few blocks has, too, or the one before."""
    known = dict(unfolding.next_of_few)
    consumers = {item.equation.tensor: item.origin.source.tensor for item in temporaries}
    found: set[str] = set()
    for item in temporaries:
        own, consumer = item.equation.tensor, item.origin.source.tensor
        name = _name_of(item, known)
        if name is not None and known[consumer] != consumer and consumers.get(name) == known[consumer]:
            known[own] = name
            found |= {own, name}
    return frozenset(found)


def _name_of(item: NamedEquation, names: Mapping[str, str]) -> str | None:
    """What a temporary is called in other names, by all of them; None where some are missing."""
    stated, consumer = item.origin.stated, item.origin.source.tensor
    if names and not names.keys() >= {consumer, *stated.expression.tensors}:
        return None
    expression = rename_tensors(stated.expression, names)
    return temporary_name(expression, names.get(consumer, consumer), ())


def replayed(unfolded: UnfoldedDerivation, schedule: UnfoldedSchedule) -> Counter[str]:
    """How many steps of which kind lead to the schedule of few blocks; ReplayError if one fails."""
    return schedule_replayed(schedule.to_all.few, ScheduleSource.of(unfolded.by_one.whole))


@dataclass(frozen=True)
class _Renaming:
    """An item of few blocks as one that is computed for an equation of the whole."""

    shift: Shift
    source: Equation
    whole: ScheduleSource

    def of(self, item: NamedEquation) -> NamedEquation:
        """The item in the other names."""
        names, origin = self.shift.names, item.origin
        for each in (item.equation, origin.stated):
            self.shift.expect_order(each.expression.tensors)
        is_own = origin.part is Part.EQUATION
        stated = self.source if is_own else renamed_equation(origin.stated, names)
        equation = renamed_equation(item.equation, names)
        if is_own:
            equation = replace(self.source, expression=equation.expression)
        adjoint = self.whole.derivations.get(self.source.tensor)
        # Their own steps rest on all that the few blocks come of, and are replayed there.
        before, after = stated.expression, equation.expression
        steps = (Step(EQUAL_BLOCK, (), before, after),) if origin.steps else ()
        origin = replace(origin, source=self.source, stated=stated, adjoint=adjoint, steps=steps)
        return replace(item, equation=equation, origin=origin)


def _are_same(one: Schedule, other: Schedule) -> bool:
    return len(one.equations) == len(other.equations) and all(map(_are_alike, one.equations, other.equations))


def _are_alike(one: NamedEquation, other: NamedEquation) -> bool:
    return (
        one == other
        and one.equation.expression.is_identical(other.equation.expression)
        and one.origin.stated.expression.is_identical(other.origin.stated.expression)
        and bool(one.origin.steps) == bool(other.origin.steps)
    )
