"""Where derivatives stand in the recurrences that they are computed in, before they have equations."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Expression, Index
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrence_steps import RecurrenceStep
from symbackprop.systems.recurrences import Recurrence
from symbackprop.systems.system import System

StepsByName = dict[str, tuple[RecurrenceStep, ...]]


def steps_of_derivatives(
    system: System, derivatives: Mapping[str, tuple[Derivative, tuple[Index, ...]]]
) -> StepsByName:
    """The steps of a system's recurrences, and of derivatives by name, each with its indices.

    The derivatives by the members of a recurrence form one again, which runs the other way; those of its
    members one that runs the same way. What is differentiated by a member at the same step belongs to the
    recurrence itself. Outermost steps come first.
    """
    recurrences = [each for stage in stages_of(system.equations) for each in stage.nested]
    found: StepsByName = {}
    for number, recurrence in enumerate(recurrences):
        for tensor, place in recurrence.places.items():
            step = RecurrenceStep(number, place, recurrence.direction, recurrence.offsets.get(tensor, 0))
            found[tensor] = (*found.get(tensor, ()), step)
    groups: dict[tuple[int, str, int], int] = {}
    for name, (total, indices) in derivatives.items():
        own: list[RecurrenceStep] = []
        for number, recurrence in enumerate(recurrences):
            known = _step_in(recurrence, total)
            if known is not None and known[0] in indices:
                index, direction, offset, other = known
                key = (number, other, direction)
                group = groups.setdefault(key, len(recurrences) + len(groups)) if other else number
                own.append(RecurrenceStep(group, indices.index(index), direction, offset))
        if own:
            found[name] = tuple(own)
    return found


def _step_in(recurrence: Recurrence, total: Derivative) -> tuple[Index, int, int, str] | None:
    """The index that counts the steps of a derivative, their direction, the offset, and what stands still.

    That is nothing where both sides are taken at one step.
    """
    above, below = total.numerator, total.denominator
    over = _index_at(above.positions, recurrence.places.get(above.tensor))
    under = _index_at(below.positions, recurrence.places.get(below.tensor))
    if over is not None and over == under:
        return over, recurrence.direction, recurrence.offsets.get(above.tensor, 0), ""
    if over is not None:
        return over, recurrence.direction, recurrence.offsets.get(above.tensor, 0), below.tensor
    if under is not None:
        return under, -recurrence.direction, recurrence.offsets.get(below.tensor, 0), above.tensor
    return None


def _index_at(positions: tuple[Expression, ...], place: int | None) -> Index | None:
    position = None if place is None else positions[place]
    return position if isinstance(position, Index) else None
