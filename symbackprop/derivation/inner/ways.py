"""Which way a derivative inside the model is taken, as the recurrences between its two tensors ask."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from symbackprop.derivation.inner.steps_within import (
    Places,
    places_within_step,
    recurrences_by_tensor,
    tensors_between,
)
from symbackprop.notation.derivatives import Derivative
from symbackprop.systems.recurrences import Recurrence
from symbackprop.systems.system import System


@dataclass(frozen=True)
class Way:
    """How dy[p]/dx[q] is found.

    Within one step of a recurrence, where `places` says which index of each tensor is the step. Or together
    with the derivatives of, or by, other `members` of a recurrence: `forwards` dw/dx for all of them, else
    dy/dw. Or by itself, from y backwards. `is_carried` is x where it is loop-carried.
    """

    places: Places | None = None
    members: tuple[str, ...] = ()
    forwards: bool = False
    between: frozenset[str] = field(default_factory=frozenset)
    is_carried: bool = False


def way_of(system: System, derivative: Derivative) -> Way:
    """The way through a system's recurrences.

    Forwards from x where y is loop-carried itself, or has more indices than x: dh[t]/dw is a recurrence over
    the steps of h, dh[t]/dh[s] would have two indices over them. Backwards from y elsewhere.
    """
    above, below = derivative.numerator, derivative.denominator
    recurrences = recurrences_by_tensor(system)
    between = tensors_between(system, above.tensor, below.tensor) if recurrences else frozenset()
    if recurrences.keys().isdisjoint(between):
        return Way()
    places = places_within_step(system, above, below, recurrences)
    if places is not None:
        return Way(places)
    is_carried = below.tensor in recurrences
    if above.tensor in recurrences:
        return Way(None, _members(recurrences[above.tensor], between), True, between, is_carried)
    if len(above.positions) > len(below.positions):
        return Way(None, (above.tensor,), True, between, is_carried)
    if is_carried:
        return Way(None, _members(recurrences[below.tensor], between)[::-1], False, between, True)
    return Way(between=between)


def _members(recurrence: Recurrence, between: Collection[str]) -> tuple[str, ...]:
    """In the order of one step."""
    return tuple([each.tensor for each in recurrence.equations if each.tensor in between])
