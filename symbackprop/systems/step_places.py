"""Which index of each member of a recurrence may count its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from symbackprop.errors import NotationError
from symbackprop.integers.bounds import by_length
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Axis
from symbackprop.systems.system import Equation

MOST_TRIES = 2_000  # of choices which index of each member is the step
Places = Mapping[str, int]  # for each tensor, which of its indices is the step


def places_of_steps(
    equations: tuple[Equation, ...], place: int, fits: Callable[[Places], bool]
) -> Iterator[Places]:
    """Which index of each member may be the step, where it is this one of the first.

    Given up as soon as the members with a step do not fit. NotationError after MOST_TRIES of them.
    """
    first, *others = _neighbours_together(equations)
    axis = first.indices[place].axis
    pending = [({first.tensor: place}, others)]
    tries = 0
    while pending:
        tries += 1
        if tries > MOST_TRIES:
            members = ", ".join(each.tensor for each in equations)
            raise NotationError(
                worded("the step of the recurrence over {members} was not found", members=members),
                place=first.place,
                remedy=worded("let its tensors have one index over the axis of the steps"),
            )
        places, open_members = pending.pop()
        if not fits(places):
            continue
        if not open_members:
            yield places
            continue
        member, *rest = open_members
        for own in reversed(_candidates(member, axis)):
            pending.append(({**places, member.tensor: own}, rest))


def _candidates(member: Equation, axis: Axis) -> list[int]:
    """The indices of a member that may count steps together with this axis; those over it come first."""
    places = [place for place, index in enumerate(member.indices) if by_length((index.axis, axis))]
    return sorted(places, key=lambda place: member.indices[place].axis != axis)


def _neighbours_together(equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
    """The members of a component, each but the first after one that reads it."""
    by_name = {equation.tensor: equation for equation in equations}
    found = {equations[0].tensor: equations[0]}
    for name in (order := [equations[0].tensor]):
        new = [read for read in by_name[name].reads if read in by_name and read not in found]
        found.update({read: by_name[read] for read in new})
        order += dict.fromkeys(new)
    return tuple(found.values())
