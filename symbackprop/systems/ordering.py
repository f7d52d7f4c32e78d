"""The order in which equations are computed, and the recurrences among them.

h[t,j] = where(t == 0, h0[j], tanh(sum(k, U[j,k]*h[t-1,k]) + x[t,j])) reads itself, but only at an earlier
step: that is a recurrence over t. Several equations may form one together, as those of an LSTM do, and over
axes of their own: in p[t] = f(z[t]), z[s] = where(s == 0, z0, g(p[s-1])) one step computes z[s] and p[s],
and the steps after the last of p compute z alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from symbackprop.errors import NotationError
from symbackprop.integers.bounds import Knowledge, by_length
from symbackprop.integers.guards import GuardedRead, guarded_reads
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import Axis, Comparison, Element, Expression, Index
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.systems.system import Equation

MOST_TRIES = 2_000  # of choices which index of each member is the step


@dataclass(frozen=True)
class Recurrence:
    """How the equations of a stage read one another: at steps of `axis` that come before.

    `places` says for each tensor which of its indices is the step. `direction` is 1 where earlier positions
    are read, so that the steps are taken upwards, and -1 where later ones are. `axis` is the longest of the
    axes of those indices: a tensor over a shorter one has no values at the steps beyond it.
    """

    axis: Axis
    places: Mapping[str, int]
    direction: int


@dataclass(frozen=True)
class Stage:
    """Equations that are computed together: a single one, or the members of a recurrence in their order."""

    equations: tuple[Equation, ...]
    recurrence: Recurrence | None = None


def in_reading_order(equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
    """Order equations so that each reads only earlier ones, keeping the given order where it can.

    Members of a recurrence come side by side, in the order of one step. Raises NotationError where equations
    depend on one another in a circle.
    """
    return tuple(equation for stage in stages_of(equations) for equation in stage.equations)


def stages_of(equations: Sequence[Equation]) -> tuple[Stage, ...]:
    """The equations in reading order, a recurrence as one stage; NotationError where there is a circle."""
    by_name = {equation.tensor: equation for equation in equations}
    component_of = {name: component for component in _components(_readings(by_name)) for name in component}
    ordered: dict[tuple[str, ...], Stage] = {}
    for first in by_name:
        pending = [component_of[first]]
        while pending:
            component = pending[-1]
            reads = (read for name in component for read in by_name[name].reads if read in by_name)
            waiting = [
                component_of[read]
                for read in reads
                if component_of[read] != component and component_of[read] not in ordered
            ]
            if waiting:
                pending.extend(reversed(waiting))
                continue
            pending.pop()
            if component not in ordered:
                ordered[component] = _stage(tuple(by_name[name] for name in by_name if name in component))
    return tuple(ordered.values())


def _readings(by_name: Mapping[str, Equation]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(read for read in equation.reads if read in by_name) for name, equation in by_name.items()
    }


def _components(graph: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """The strongly connected components (R. Tarjan, SIAM J. Comput. 1, 1972), without recursion."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_names: dict[str, None] = {}
    found: list[tuple[str, ...]] = []
    for root in graph:
        pending: list[tuple[str, Iterator[str]]] = [] if root in number else [(root, iter(graph[root]))]
        while pending:
            name, successors = pending[-1]
            if name not in number:
                number[name] = lowest[name] = len(number)
                open_names[name] = None
            following = next(successors, None)
            if following is None:
                pending.pop()
                if pending:
                    lowest[pending[-1][0]] = min(lowest[pending[-1][0]], lowest[name])
                if lowest[name] == number[name]:
                    found.append(_taken_from(open_names, name))
            elif following not in number:
                pending.append((following, iter(graph[following])))
            elif following in open_names:
                lowest[name] = min(lowest[name], number[following])
    return found


def _taken_from(open_names: dict[str, None], root: str) -> tuple[str, ...]:
    members = list(open_names)[list(open_names).index(root) :]
    for member in members:
        del open_names[member]
    return tuple(members)


def _stage(equations: tuple[Equation, ...]) -> Stage:
    """The members of one component, as a recurrence where they read one another."""
    names = {equation.tensor for equation in equations}
    if len(equations) == 1 and not names & set(equations[0].reads):
        return Stage(equations)
    for place in range(len(equations[0].indices)):
        found = (_recurrence_of(equations, places) for places in _step_places(equations, place))
        recurrence = next((each for each in found if each is not None), None)
        if recurrence is not None:
            return Stage(_in_order_of_a_step(equations, recurrence), recurrence)
    path = _circle(equations)
    raise NotationError(
        f"the equations depend on one another in a circle: {' needs '.join(path)}",
        place=equations[0].place,
        remedy="define each tensor by tensors that do not depend on it, or, for a recurrence, by itself at "
        "earlier (or later) positions of one index, as in h[t-1]",
    )


def _recurrence_of(equations: tuple[Equation, ...], places: Mapping[str, int]) -> Recurrence | None:
    """The recurrence with these indices as its step, if all reads lie on one side of it."""
    axes = by_length(tuple(dict.fromkeys([each.indices[places[each.tensor]].axis for each in equations])))
    sides = {side for equation in equations for _, side in _sides(equation, places)}
    directions = sides - {0}
    if axes is None or None in sides or len(directions) != 1 or _circle_within_a_step(equations, places):
        return None
    return Recurrence(axes[-1], places, -1 if directions == {1} else 1)


def _step_places(equations: tuple[Equation, ...], place: int) -> Iterator[Mapping[str, int]]:
    """Which index of each member may be the step, where it is this one of the first.

    Given up as soon as a read lies on no side of the step, or two lie on opposite ones. NotationError after
    MOST_TRIES of them.
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
                f"the step of the recurrence over {members} was not found",
                place=first.place,
                remedy="let its tensors have one index over the axis of the steps",
            )
        places, open_members = pending.pop()
        assigned = [each for each in equations if each.tensor in places]
        sides = {side for equation in assigned for _, side in _sides(equation, places)}
        if None in sides or {-1, 1} <= sides:
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


def _sides(equation: Equation, places: Mapping[str, int]) -> Iterator[tuple[str, int | None]]:
    """Each reading of a member, and whether it lies before the step (-1), at it (0) or after it (1)."""
    step = equation.indices[places[equation.tensor]]
    for read in guarded_reads(equation.expression):
        if read.whole.tensor in places:
            yield read.whole.tensor, _side(read, read.whole.positions[places[read.whole.tensor]], step)


def _side(read: GuardedRead, position: Expression, step: Index) -> int | None:
    offset = linear_form(subtract(position, step))
    if not offset.coefficients:
        return (offset.constant > 0) - (offset.constant < 0)
    return _proved_side(position, step, read.conditions)


@lru_cache(maxsize=10_000)
def _proved_side(position: Expression, step: Index, conditions: tuple[Expression, ...]) -> int | None:
    """What is looked up for a position is an integer from 0 on, of which nothing else is known."""
    looked_up = dict.fromkeys(node for node in position.walk() if isinstance(node, Element))
    numbers = {node: Index(f"@{place}", Axis(f"@{place}", "@")) for place, node in enumerate(looked_up)}

    def as_integers(node: Expression) -> Expression:
        return numbers.get(node, node) if isinstance(node, Element) else node

    position = rewrite_bottom_up(position, as_integers)
    known = Knowledge.of((position, step), [rewrite_bottom_up(each, as_integers) for each in conditions])
    if known.proves(Comparison("<", position, step)):
        return -1
    return 1 if known.proves(Comparison(">", position, step)) else None


def _within_a_step(equations: Sequence[Equation], places: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    return {
        equation.tensor: tuple(name for name, side in _sides(equation, places) if side == 0)
        for equation in equations
    }


def _circle_within_a_step(equations: Sequence[Equation], places: Mapping[str, int]) -> bool:
    graph = _within_a_step(equations, places)
    return any(len(members) > 1 or members[0] in graph[members[0]] for members in _components(graph))


def _in_order_of_a_step(equations: tuple[Equation, ...], recurrence: Recurrence) -> tuple[Equation, ...]:
    graph = _within_a_step(equations, recurrence.places)
    by_name = {equation.tensor: equation for equation in equations}
    return tuple(by_name[members[0]] for members in _components(graph))


def _circle(equations: tuple[Equation, ...]) -> list[str]:
    """A shortest way from the first equation back to itself."""
    graph = _readings({equation.tensor: equation for equation in equations})
    start = equations[0].tensor
    ways: dict[str, list[str]] = {start: [start]}
    pending = [start]
    for name in pending:
        for read in graph[name]:
            if read == start:
                return [*ways[name], start]
            if read not in ways:
                ways[read] = [*ways[name], read]
                pending.append(read)
    return [start]


def loop_carried_tensors(equations: Sequence[Equation]) -> frozenset[str]:
    """The members of all recurrences; NotationError where there is a circle."""
    stages = (stage for stage in stages_of(equations) if stage.recurrence is not None)
    return frozenset(equation.tensor for stage in stages for equation in stage.equations)


def at_step(recurrence: Recurrence, equation: Equation) -> Index:
    """The index of an equation that counts the steps."""
    return equation.indices[recurrence.places[equation.tensor]]


def computations(
    recurrence: Recurrence, equations: Sequence[Equation], sizes: Mapping[str, int]
) -> Iterator[tuple[int, Equation]]:
    """Each step with each equation that has values at it, in the order in which they are computed."""
    for step in range(sizes[recurrence.axis.name])[:: recurrence.direction]:
        for equation in equations:
            if step < sizes[equation.indices[recurrence.places[equation.tensor]].axis.name]:
                yield step, equation
