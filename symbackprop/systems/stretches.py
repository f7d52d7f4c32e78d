"""The stretches of a recurrence's steps in which the same tensors have values: a loop each.

A tensor has them from its first step on to the end of its axis, both moved by its offset from the step. Where
starts and ends may cross in short axes, the stretches between are empty unless they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from symbackprop.integers.guards import always_holds
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import add
from symbackprop.notation.expressions import Apply, Comparison, Expression, Number
from symbackprop.systems.lags import ends_in_order
from symbackprop.systems.recurrences import Recurrence, at_step, end_of
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class Stretch:
    """Steps at which `tensors` have values, `shifts` ahead of the place of `lead` that counts them."""

    tensors: tuple[str, ...]
    lead: str
    shifts: Mapping[str, int]
    start: Expression
    stop: Expression


def stretches_of(recurrence: Recurrence, equations: Mapping[str, Equation]) -> Iterator[Stretch]:
    """Those of these members, the first one first."""
    offsets = {name: recurrence.offsets.get(name, 0) for name in equations}
    own = {name: end_of(at_step(recurrence, each).axis, offsets[name]) for name, each in equations.items()}
    starts, ends = sorted({-offset for offset in offsets.values()}), ends_in_order(own.values())
    assert ends is not None  # or it would be no recurrence
    for first, following in pairwise((*starts, None)):
        assert first is not None
        for before, last in pairwise((None, *ends)):
            assert last is not None
            rest = ends[ends.index(last) :]
            members = [name for name in equations if -offsets[name] <= first and own[name] in rest]
            start = Number(first) if before is None else _extremum("max", before, Number(first))
            stop = last if following is None else _extremum("min", last, Number(following))
            if members and not always_holds(Comparison("<=", stop, start)):
                lead = next((name for name in members if own[name] == last), members[0])
                yield _counted_by(lead, members, offsets, (start, stop))


def _counted_by(
    lead: str, members: list[str], offsets: Mapping[str, int], ends: tuple[Expression, Expression]
) -> Stretch:
    start, stop = (_moved(each, offsets[lead]) for each in ends)
    shifts = {name: offsets[name] - offsets[lead] for name in members}
    return Stretch(tuple(members), lead, shifts, start, stop)


def _moved(end: Expression, by: int) -> Expression:
    match end:
        case Apply("max" | "min" as function, arguments):
            return Apply(function, tuple(_moved(each, by) for each in arguments))
    return linear_form(add(end, Number(by))).expression()


def _extremum(function: str, one: Expression, other: Expression) -> Expression:
    """The larger or the smaller of two, as far as that is known."""
    larger, smaller = (one, other) if function == "max" else (other, one)
    if always_holds(Comparison(">=", larger, smaller)):
        return one
    if always_holds(Comparison(">=", smaller, larger)):
        return other
    return Apply(function, (one, other))
