"""Which indices a recurrence keeps apart from step to step, as that of the samples in a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from symbackprop.notation.expressions import Index
from symbackprop.notation.substitution import canonical_bound_names, elements_of
from symbackprop.systems.system import Equation

# For each index of what stands still, where each member has the same; None where they are told apart.
Ties = tuple[Mapping[str, int] | None, ...]


def ties_to_try(equations: Sequence[Equation], fixed: Sequence[Index]) -> Iterator[Ties]:
    """For each of the `fixed` indices the place where every member keeps an index over its axis, or None.

    All that may be tied come first, then one alone, and none at last. dy[m]/dh[n,t] may be
    delta(m,n)*dy_dh[n,t] where each h[n,t] is read for h[n,t+1] alone; whether it is, the derivatives
    themselves have to say.
    """
    found: list[Mapping[str, int] | None] = []
    for index in fixed:
        kept = (_kept_places(equations, place) for place in _over(equations[0], index))
        taken = [places for places in found if places is not None]
        found.append(next((each for each in kept if each is not None and each not in taken), None))
    tied = [number for number, places in enumerate(found) if places is not None]
    choices = chain([tied], ([number] for number in tied if len(tied) > 1), [[]] if tied else [])
    for choice in choices:
        yield tuple([places if number in choice else None for number, places in enumerate(found)])


def _over(equation: Equation, index: Index) -> Iterator[int]:
    return (place for place, own in enumerate(equation.indices) if own.axis == index.axis)


def _kept_places(equations: Sequence[Equation], place: int) -> Mapping[str, int] | None:
    """The place of each member at which all members read it at their own index; None where one does not."""
    by_name = {equation.tensor: equation for equation in equations}
    places = {equations[0].tensor: place}
    for name in (pending := [equations[0].tensor]):
        own = by_name[name].indices[places[name]]
        for element in elements_of(canonical_bound_names(by_name[name].expression)):
            if element.tensor not in by_name:
                continue
            if element.tensor not in places and own in element.positions:
                places[element.tensor] = element.positions.index(own)
                pending.append(element.tensor)
            if element.tensor not in places or element.positions[places[element.tensor]] != own:
                return None
    return places if len(places) == len(by_name) else None
