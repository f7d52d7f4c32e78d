"""Where tensors stand in the recurrences that they are computed in, before these have equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.notation.expressions import Index


@dataclass(frozen=True)
class RecurrenceStep:
    """Where a tensor stands in a recurrence: `number` says in which, `place` which index is the step.

    The steps are taken upwards where `direction` is 1, downwards where it is -1; the tensor is computed
    `offset` places ahead of the step.
    """

    number: int
    place: int
    direction: int
    offset: int = 0


@dataclass(frozen=True)
class OwnRecurrence:
    """What is computed in turns with a tensor, each with the place of its step, and the tensor's own step.

    Of the others the `offsets` say how much further they are than the tensor itself.
    """

    places: Mapping[str, int]
    step: Index
    direction: int
    offsets: Mapping[str, int]


def places_in(steps: Mapping[str, Sequence[RecurrenceStep]], number: int) -> dict[str, int]:
    """The tensors in the recurrence of this number, each with the place of its step."""
    return {name: own.place for name, each in steps.items() for own in each if own.number == number}


def offsets_in(steps: Mapping[str, Sequence[RecurrenceStep]], own: RecurrenceStep) -> dict[str, int]:
    """How much further than a tensor of a recurrence the others in it are computed at the same step."""
    members = ((name, other) for name, each in steps.items() for other in each if other.number == own.number)
    return {name: other.offset - own.offset for name, other in members}
