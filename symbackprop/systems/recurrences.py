"""The recurrences among equations that read one another.

h[t,j] = where(t == 0, h0[j], tanh(sum(k, U[j,k]*h[t-1,k]) + x[t,j])) reads itself, but only at an earlier
step: that is a recurrence over t. Several equations may form one together, as those of an LSTM do, and over
axes of their own: in p[t] = f(z[t]), z[s] = where(s == 0, z0, g(p[s-1])) one step computes z[s] and p[s],
and the steps after the last of p compute z alone.

Where p[t] reads z[t+1] and z[s] reads p[s-2], one step computes z[s] and p[s-1]: the members are computed at
offsets from the step.

What is still a circle within one step may be a recurrence over another index: D[i,j] of D[i-1,j] and D[i,j-1]
is one over i, each step of which is one over j (R. Allen, K. Kennedy, ACM TOPLAS 9, 1987).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.integers.bounds import by_length
from symbackprop.integers.guards import GuardedRead, guarded_reads
from symbackprop.integers.linear import linear_form
from symbackprop.integers.pointers import proved_side
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import (
    Axis,
    Expression,
    Index,
    Number,
    Size,
)
from symbackprop.systems.components import strongly_connected
from symbackprop.systems.lags import common_steps, ends_in_order, lags_of
from symbackprop.systems.step_places import Places, places_of_steps
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class Recurrence:
    """How the equations of a stage read one another: at steps of `axis` that come before.

    `places` says for each tensor which of its indices is the step. `direction` is 1 where earlier positions
    are read, so that the steps are taken upwards, and -1 where later ones are. `axis` is the longest of the
    axes of those indices: a tensor over a shorter one has no values at the steps beyond it. `body` is what
    one step computes, in order; a recurrence in it is one over another index, at each step anew. A tensor
    that has one of the `offsets` is computed at the step plus that.
    """

    axis: Axis
    places: Places
    direction: int
    body: tuple[Stage, ...]
    offsets: Mapping[str, int] = field(default_factory=dict)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The members, in the order of one step."""
        return tuple(equation for stage in self.body for equation in stage.equations)

    @property
    def nested(self) -> Iterator[Recurrence]:
        """The recurrence itself, and those within its steps."""
        yield self
        for stage in self.body:
            if stage.recurrence is not None:
                yield from stage.recurrence.nested

    def around(self, tensor: str) -> tuple[Recurrence, ...]:
        """The recurrences of the nest that step through a tensor, the outermost first."""
        return tuple(each for each in self.nested if tensor in each.places)

    def steps(self, equation: Equation) -> tuple[Index, ...]:
        """The indices of a member that count steps, the outermost first."""
        return tuple(at_step(each, equation) for each in self.around(equation.tensor))

    def backwards(self, adjoints: Mapping[str, Equation]) -> Recurrence:
        """The recurrence of these tensors' adjoints, each of the same indices: all of it the other way."""
        places = {adjoints[name].tensor: place for name, place in self.places.items() if name in adjoints}
        stages = (stage.backwards(adjoints) for stage in reversed(self.body))
        body = tuple(each for each in stages if each.equations)
        offsets = {adjoints[name].tensor: by for name, by in self.offsets.items() if name in adjoints}
        return Recurrence(self.axis, places, -self.direction, body, offsets)


@dataclass(frozen=True)
class Stage:
    """Equations that are computed together: a single one, or the members of a recurrence in their order."""

    equations: tuple[Equation, ...]
    recurrence: Recurrence | None = None

    @property
    def nested(self) -> Iterator[Recurrence]:
        """The recurrence and those within its steps; none of a single equation."""
        if self.recurrence is not None:
            yield from self.recurrence.nested

    def backwards(self, adjoints: Mapping[str, Equation]) -> Stage:
        """The stage of the tensors' adjoints."""
        if self.recurrence is not None:
            recurrence = self.recurrence.backwards(adjoints)
            return Stage(recurrence.equations, recurrence)
        return Stage(tuple(adjoints[each.tensor] for each in self.equations if each.tensor in adjoints))


def at_step(recurrence: Recurrence, equation: Equation) -> Index:
    """The index of an equation that counts the steps."""
    return equation.indices[recurrence.places[equation.tensor]]


def computations(
    recurrence: Recurrence, sizes: Mapping[str, int], at: Mapping[str, dict[Index, int]] | None = None
) -> Iterator[tuple[Equation, dict[Index, int]]]:
    """The equations in the order in which they are computed, each with the steps at which its indices stand.

    One that has no values at a step is left out. `at` are the steps of the recurrences around.
    """
    offsets = (0, *recurrence.offsets.values())
    last = max(sizes[at_step(recurrence, each).axis.name] for each in recurrence.equations) - min(offsets)
    for step in range(-max(offsets), last)[:: recurrence.direction]:
        here: dict[str, dict[Index, int]] = {}
        for equation in recurrence.equations:
            index = at_step(recurrence, equation)
            own = step + recurrence.offsets.get(equation.tensor, 0)
            if 0 <= own < sizes[index.axis.name] and (at is None or equation.tensor in at):
                here[equation.tensor] = {**(at or {}).get(equation.tensor, {}), index: own}
        for stage in recurrence.body:
            if stage.recurrence is not None:
                yield from computations(stage.recurrence, sizes, here)
            elif stage.equations[0].tensor in here:
                yield stage.equations[0], here[stage.equations[0].tensor]


def selection(equation: Equation, at: Mapping[Index, int]) -> tuple[int | slice, ...]:
    """The part of the tensor's array where these of its indices stand at their steps."""
    return tuple(at.get(index, slice(None)) for index in equation.indices)


def stage_of(equations: tuple[Equation, ...], around: tuple[Places, ...] = ()) -> Stage | None:
    """The equations of one component as a stage; None where they run in a circle.

    `around` are the steps of recurrences that it is a part of: what is read there at other ones is known.
    """
    first = equations[0]
    if len(equations) == 1 and first.tensor not in _read_within(first, around):
        return Stage(equations)
    for nests in (False, True):
        for place in range(len(first.indices)):
            for places in places_of_steps(
                equations, place, lambda own: _lie_on_one_side(equations, own, around)
            ):
                found = _recurrence(equations, places, around, nests)
                if found is not None:
                    return Stage(found.equations, found)
    shifted = None if around else _shifted_recurrence(equations)
    return None if shifted is None else Stage(shifted.equations, shifted)


def _shifted_recurrence(equations: tuple[Equation, ...]) -> Recurrence | None:
    """The recurrence of members that read one another at fixed distances, each so far from the step."""
    tensors = [each.tensor for each in equations]
    for place in range(len(equations[0].indices)):
        for places in places_of_steps(equations, place, lambda own: lags_of(equations, own) is not None):
            lags = lags_of(equations, places) or ()
            steps, axes = common_steps(tensors, lags), _axes_by_length(equations, places)
            if steps is None or axes is None:
                continue
            own = [each.indices[places[each.tensor]].axis for each in equations]
            if (
                ends_in_order(
                    end_of(axis, steps.offsets[name]) for name, axis in zip(tensors, own, strict=True)
                )
                is None
            ):
                continue
            graph = {
                each: [lag.read for lag in lags if lag.reader == each and not steps.ahead(lag)]
                for each in tensors
            }
            body = [Stage(members) for members in _components(graph, equations)]
            is_circle = any(lag.reader == lag.read and not steps.ahead(lag) for lag in lags)
            if not is_circle and all(len(each.equations) == 1 for each in body):
                return Recurrence(axes[-1], places, steps.direction, tuple(body), steps.offsets)
    return None


def end_of(axis: Axis, offset: int) -> Expression:
    """The step after the last one of a tensor that is computed at such an offset from it."""
    return linear_form(subtract(Size(axis), Number(offset))).expression()


def _axes_by_length(equations: tuple[Equation, ...], places: Places) -> tuple[Axis, ...] | None:
    return by_length(tuple(dict.fromkeys([each.indices[places[each.tensor]].axis for each in equations])))


def _recurrence(
    equations: tuple[Equation, ...], places: Places, around: tuple[Places, ...], nests: bool
) -> Recurrence | None:
    """The recurrence with these indices as its step, if all reads lie on one side of it.

    One that nests has others within its steps.
    """
    axes = _axes_by_length(equations, places)
    directions = {side for equation in equations for _, side in _sides(equation, places, around)} - {0}
    if axes is None or None in directions or len(directions) != 1:
        return None
    body: list[Stage] = []
    for members in _within_a_step(equations, (*around, places)):
        stage = stage_of(members, (*around, places)) if nests or len(members) == 1 else None
        if stage is None or (stage.recurrence is not None and not nests):
            return None
        body.append(stage)
    return Recurrence(axes[-1], places, -1 if directions == {1} else 1, tuple(body))


def _within_a_step(
    equations: tuple[Equation, ...], around: tuple[Places, ...]
) -> Iterator[tuple[Equation, ...]]:
    """The components of what is read within one step, each after those that it reads."""
    by_name = {equation.tensor: equation for equation in equations}
    graph = {
        name: [read for read in _read_within(equation, around) if read in by_name]
        for name, equation in by_name.items()
    }
    return _components(graph, equations)


def _components(
    graph: Mapping[str, Sequence[str]], equations: tuple[Equation, ...]
) -> Iterator[tuple[Equation, ...]]:
    for members in strongly_connected(graph):
        yield tuple(equation for equation in equations if equation.tensor in members)


def _lie_on_one_side(equations: tuple[Equation, ...], places: Places, around: tuple[Places, ...]) -> bool:
    """Whether no read of what has a step lies on no side of it, nor two on opposite ones."""
    assigned = [each for each in equations if each.tensor in places]
    sides = {side for each in assigned for _, side in _sides(each, places, around)}
    return None not in sides and not {-1, 1} <= sides


def _read_within(equation: Equation, around: tuple[Places, ...]) -> dict[str, None]:
    """The tensors that are read within the steps around."""
    return dict.fromkeys(read.whole.tensor for read in _reads_within(equation, around))


def _reads_within(equation: Equation, around: tuple[Places, ...]) -> Iterator[GuardedRead]:
    for read in guarded_reads(equation.expression):
        sides = (_side(read, equation, places) for places in around if read.whole.tensor in places)
        if all(side == 0 for side in sides):
            yield read


def _sides(
    equation: Equation, places: Places, around: tuple[Places, ...]
) -> Iterator[tuple[str, int | None]]:
    """Each reading of a member, and whether it lies before the step (-1), at it (0) or after it (1)."""
    for read in _reads_within(equation, around):
        if read.whole.tensor in places:
            yield read.whole.tensor, _side(read, equation, places)


def _side(read: GuardedRead, equation: Equation, places: Places) -> int | None:
    step = equation.indices[places[equation.tensor]]
    position = read.whole.positions[places[read.whole.tensor]]
    offset = linear_form(subtract(position, step))
    if not offset.coefficients:
        return (offset.constant > 0) - (offset.constant < 0)
    return proved_side(position, step, read.conditions)
