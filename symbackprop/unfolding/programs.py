"""The program of a deep system and its gradient, unfolded from that of few of its equal blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.array.ir import Literal
from symbackprop.array.program import Line, Loop, Program, Statement, statements_in
from symbackprop.collecting import few_passes
from symbackprop.derivation.result import Derivation
from symbackprop.lowering.programs import lower, with_lines
from symbackprop.passes.renaming import names_in, renamed_line
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.schedule.named_equations import NamedEquation, Origin
from symbackprop.systems.ordering import stages_of
from symbackprop.unfolding.derivations import UnfoldedDerivation
from symbackprop.unfolding.rows import NotUnfolded
from symbackprop.unfolding.schedules import ScheduleUnfolding, UnfoldedSchedule


@few_passes()
def unfolded_program(
    unfolded: UnfoldedDerivation, schedule: UnfoldedSchedule, few: Program
) -> Program | None:
    """The program of the whole derivation; None where it does not come of that of `few` blocks.

    The lines of an equation are those of the equation that it comes of, in its names. This is what lowering
    gives, if it gives for one block more what is unfolded by one block from what it gives for few of them.
    """
    by_one, to_all = unfolded.by_one, unfolded.to_all
    try:
        more = lower(to_all.few, schedule.to_all.few)
        if not _is_same(_unfolded(few, schedule.by_one, by_one.few, by_one.whole), more):
            return None
        return _unfolded(more, schedule.to_all, to_all.few, to_all.whole)
    except NotUnfolded:
        return None


def _unfolded(program: Program, schedule: ScheduleUnfolding, few: Derivation, whole: Derivation) -> Program:
    stated = replace(
        with_lines(few.system, few.gradients, program.statements, program.place_checks),
        not_empty=program.not_empty,
    )
    moving = few.system.tensors.keys() - whole.system.tensors.keys()
    moving |= {name for names in schedule.names.values() for name, other in names.items() if name != other}
    read_by_checks = {name for check in program.place_checks for name in check.tensors}
    if stated != program or not moving.isdisjoint(read_by_checks):
        raise NotUnfolded
    lines = tuple(_lines(program, schedule))
    named = [line.name for line in lines if isinstance(line, Statement)]
    unfolded = with_lines(whole.system, whole.gradients, lines, program.place_checks)
    others = {axis.name for axis in whole.system.axes}.union(tensor.name for tensor in unfolded.tensors)
    if len(set(named)) < len(named) or not others.isdisjoint(named):
        raise NotUnfolded
    return replace(unfolded, not_empty=program.not_empty)


def _lines(program: Program, schedule: ScheduleUnfolding) -> Iterable[Line]:
    """The lines of each equation of the whole schedule, in its order."""
    items = {item.equation.tensor: item for item in schedule.few.equations}
    names = _with_own_names(program, schedule)
    lines = _by_equation(program.statements, items)
    whole = {item.equation.tensor: item for item in schedule.whole.equations}
    for stage in stages_of(tuple(item.equation for item in schedule.whole.equations)):
        if stage.recurrence is not None:
            raise NotUnfolded
        (equation,) = stage.equations
        name, shift = schedule.sources[equation.tensor]
        renaming = _Renaming(names[shift], items[name], whole[equation.tensor])
        yield from map(renaming.of, lines.get(name, ()))


def _with_own_names(program: Program, schedule: ScheduleUnfolding) -> Mapping[int | None, Mapping[str, str]]:
    """By each shift, the few names in the whole, and those that lowering makes of them: S1_masked of S1."""
    known = schedule.names[None]
    made = [line.name for line in statements_in(program.statements) if line.name not in known]
    bases = {name: _base(name, known) for name in made}
    found: dict[int | None, Mapping[str, str]] = {}
    for shift, names in schedule.names.items():
        own = {name: names[base] + name[len(base) :] for name, base in bases.items() if base in names}
        found[shift] = {**names, **own}
    return found


def _base(name: str, known: Collection[str]) -> str:
    return max((each for each in known if name.startswith(f"{each}_")), key=len, default="")


def _by_equation(lines: Iterable[Line], items: Mapping[str, NamedEquation]) -> Mapping[str, list[Line]]:
    """The lines by the equation of a schedule that they compute, which stand side by side."""
    found: dict[str, list[Line]] = {}
    last = ""
    for line in lines:
        if line.origin is None or line.origin.stated.tensor not in items:
            raise NotUnfolded
        own = line.origin.stated.tensor
        if own != last and own in found:
            raise NotUnfolded
        found.setdefault(own, []).append(line)
        last = own
    return found


@dataclass(frozen=True)
class _Renaming:
    """A line of an equation of few blocks as one of the equation of the whole that comes of it."""

    names: Mapping[str, str]
    few: NamedEquation
    whole: NamedEquation

    def of(self, line: Line) -> Line:
        """The line in the other names."""
        if not self.names.keys() >= set(names_in(line)):
            raise NotUnfolded
        return renamed_line(line, self.names, self._origin)

    def _origin(self, origin: Origin) -> Origin:
        if origin is self.few.origin:
            return self.whole.origin
        if origin.source != self.few.origin.source or origin.portions:
            raise NotUnfolded
        steps = self.whole.origin.steps if origin.steps else ()
        stated = renamed_equation(origin.stated, self.names)
        return replace(self.whole.origin, part=origin.part, stated=stated, steps=steps)


def _is_same(one: Program, other: Program) -> bool:
    return one == other and all(map(_are_alike, one.statements, other.statements))


def _are_alike(one: Line, other: Line) -> bool:
    """Whether equal lines are written alike, their formulas, and their numbers: 2 and 2.0 are equal."""
    if isinstance(one, Loop) and isinstance(other, Loop) and not all(map(_are_alike, one.body, other.body)):
        return False
    origins = [each for line in (one, other) if (each := line.origin) is not None]
    is_stated = len(origins) < 2 or origins[0].stated.expression.is_identical(origins[1].stated.expression)
    return is_stated and _numbers(one) == _numbers(other)


def _numbers(line: Line) -> Sequence[str]:
    return [repr(node.value) for value in line.values for node in value.walk() if isinstance(node, Literal)]
