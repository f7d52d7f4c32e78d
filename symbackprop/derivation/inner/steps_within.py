"""What of one step of a recurrence bears on what else of it, at the same step.

All members of a recurrence read one another at the step itself or on one side of it. So a path from x[t] to
y[t] never leaves the step, where what else lies between them is read at its own step too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from symbackprop.integers.guards import GuardedRead, guarded_reads
from symbackprop.notation.expressions import Element, Index
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import Recurrence
from symbackprop.systems.system import Equation, System

Places = Mapping[str, int]


def recurrences_by_tensor(system: System) -> dict[str, Recurrence]:
    """Each member of a recurrence with that recurrence, the outermost."""
    stages = (stage for stage in stages_of(system.equations) if stage.recurrence is not None)
    return {each.tensor: stage.recurrence for stage in stages for each in stage.equations if stage.recurrence}


def places_within_step(
    system: System, above: Element, below: Element, by_tensor: Mapping[str, Recurrence] | None = None
) -> Places | None:
    """For each tensor between two elements at one step of a recurrence, which of its indices is the step.

    None where a path between the two may leave the step, or no recurrence lies between them.
    """
    between = tensors_between(system, above.tensor, below.tensor)
    by_tensor = recurrences_by_tensor(system) if by_tensor is None else by_tensor
    recurrences = {name: each for name, each in by_tensor.items() if name in between}
    if above.tensor not in between or not recurrences or not _run_one_way(recurrences.values()):
        return None
    for place, index in enumerate(above.positions):
        for own in (own for own, other in enumerate(below.positions) if other == index):
            if isinstance(index, Index):
                places = _places_from(system, above.tensor, place, between, recurrences)
                if places is not None and places.get(below.tensor) == own:
                    return places
    return None


def tensors_between(system: System, above: str, below: str) -> frozenset[str]:
    """The tensors by which one moves with another, both included; none where it does not."""
    return system.dependents((below,)) & system.precedents((above,))


def reads_at_step(equation: Equation, tensor: str, places: Places) -> bool:
    """Whether an equation reads a tensor at its own step."""
    if equation.tensor not in places or tensor not in places:
        return False
    step = equation.indices[places[equation.tensor]]
    reads = (read.whole for read in _reads(equation))
    return any(read.tensor == tensor and read.positions[places[tensor]] == step for read in reads)


def readers_within_step(system: System, above: str, below: str, places: Places) -> tuple[Equation, ...]:
    """The equations that read `below` at their own step and that bear on `above` at that step."""
    bearing = {above: None}
    for name in (pending := [above]):
        equation = system.definitions.get(name)
        for read in equation.reads if equation is not None else ():
            if read not in bearing and equation is not None and reads_at_step(equation, read, places):
                bearing[read] = None
                pending.append(read)
    readers = (each for each in system.consumers.get(below, ()) if each.tensor in bearing)
    return tuple([each for each in readers if reads_at_step(each, below, places)])


def _reads(equation: Equation) -> Iterator[GuardedRead]:
    """The reads of an equation, where no bound index has the name of one of its own."""
    return guarded_reads(canonical_bound_names(equation.expression))


def _run_one_way(recurrences: Collection[Recurrence]) -> bool:
    """Whether all take their steps in one direction, none with another within its steps."""
    are_plain = all(len(list(each.nested)) == 1 and not any(each.offsets.values()) for each in recurrences)
    return are_plain and len({each.direction for each in recurrences}) == 1


def _places_from(
    system: System, first: str, place: int, between: Collection[str], recurrences: Mapping[str, Recurrence]
) -> Places | None:
    """The steps of all that an equation reads between, and so on, where it is read at one place of each."""
    places = {first: place}
    for name in (pending := [first]):
        own = recurrences.get(name)
        if own is not None and own.places[name] != places[name]:
            return None
        for read, found in _steps_read(system, name, places[name], between):
            if own is not None and recurrences.get(read) is own:
                found = (own.places[read],)
            known = places.get(read, found[0] if found else None)
            if known is None or known not in found:
                return None
            if read not in places:
                places[read] = known
                pending.append(read)
    return places


def _steps_read(
    system: System, name: str, place: int, between: Collection[str]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each read of what lies between, and at which of its positions the equation's own step stands."""
    equation = system.definitions.get(name)
    if equation is None:
        return
    for read in _reads(equation):
        if read.whole.tensor in between:
            positions = enumerate(read.whole.positions)
            yield (
                read.whole.tensor,
                tuple([at for at, position in positions if position == equation.indices[place]]),
            )
