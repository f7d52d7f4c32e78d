"""The order in which equations are computed: each after those that it reads, a recurrence as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

from symbackprop.errors import NotationError, Place
from symbackprop.integers.linear import linear_form
from symbackprop.languages.phrases import Message, joined, marked, worded
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import Element, Expression, Index, Where
from symbackprop.notation.matrix_functions import readings
from symbackprop.systems.components import strongly_connected
from symbackprop.systems.printing import text
from symbackprop.systems.recurrences import Stage, stage_of
from symbackprop.systems.system import Equation


def in_reading_order(equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
    """Order equations so that each reads only earlier ones, keeping the given order where it can.

    Members of a recurrence come side by side, in the order of one step. Raises NotationError where equations
    depend on one another in a circle.
    """
    return tuple(equation for stage in stages_of(equations) for equation in stage.equations)


def stages_of(equations: Sequence[Equation]) -> tuple[Stage, ...]:
    """The equations in reading order, a recurrence as one stage; NotationError where there is a circle."""
    by_name = {equation.tensor: equation for equation in equations}
    if _is_in_order(equations, by_name):
        return tuple([Stage((equation,)) for equation in equations])
    component_of = {
        name: component for component in strongly_connected(_readings(by_name)) for name in component
    }
    places = {name: place for place, name in enumerate(by_name)}
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
                members = tuple([by_name[name] for name in sorted(component, key=places.__getitem__)])
                ordered[component] = _stage(_Members(members, tuple(map(id, members))))
    return tuple(ordered.values())


def _is_in_order(equations: Sequence[Equation], by_name: Mapping[str, Equation]) -> bool:
    """Whether each reads only earlier ones, as those of most models do: there is no recurrence then."""
    earlier: set[str] = set()
    for equation in equations:
        if any(read in by_name and read not in earlier for read in equation.reads):
            return False
        earlier.add(equation.tensor)
    return True


def _readings(by_name: Mapping[str, Equation]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(read for read in equation.reads if read in by_name) for name, equation in by_name.items()
    }


@dataclass(frozen=True)
class _Members:
    """The equations of one component, these very ones: equal ones may have their terms in another order."""

    equations: tuple[Equation, ...] = field(compare=False)
    numbers: tuple[int, ...]


@lru_cache(maxsize=200)
def _stage(members: _Members) -> Stage:
    """The members of a component, as a recurrence where they read one another; each evaluation asks again."""
    equations = members.equations
    stage = stage_of(equations)
    if stage is not None:
        return stage
    raise in_a_circle(
        _circle(equations), equations[0].place, _side_unknown(equations) or _both_sides(equations)
    )


def in_a_circle(tensors: Sequence[str], place: Place | None, remedy: Message | None = None) -> NotationError:
    """The error of tensors of which each needs the next, the last one the first again."""
    path = joined(marked("{before} needs {after}"), tensors)
    return NotationError(
        worded("the equations depend on one another in a circle: {path}", path=path),
        place=place,
        remedy=remedy
        or worded(
            "define each tensor by tensors that do not depend on it, or, for a recurrence, by "
            "itself at earlier (or later) positions of one index, as in h[t-1], or of two, as "
            "in D[i-1,j] and D[i,j-1]"
        ),
    )


def _side_unknown(equations: tuple[Equation, ...]) -> Message | None:
    """What to do where a member is read at a place that is looked up, on no side of the step for sure."""
    members = {equation.tensor: equation for equation in equations}
    for equation in equations:
        for read in readings(equation.expression):
            own = members[read.tensor].indices if read.tensor in members else ()
            for index, position in zip(own, read.positions, strict=False):
                step = next((each for each in equation.indices if each.axis == index.axis), None)
                if position.tensors and step is not None:
                    return worded(
                        "read it under a condition by which the position comes before the step "
                        "(or after it): where({position} < {step}, {read}, 0)",
                        position=text(position),
                        step=step.name,
                        read=text(read),
                    )
    return None


def _both_sides(equations: tuple[Equation, ...]) -> Message | None:
    """What to do where a condition chooses whether an equation reads itself before or behind its step."""
    for equation in equations:
        chosen = (node for node in equation.expression.walk() if isinstance(node, Where))
        for node, (place, step) in product(chosen, enumerate(equation.indices)):
            branches = [_sides(each, equation.tensor, place, step) for each in (node.chosen, node.otherwise)]
            sides = {**branches[0], **branches[1]}
            if all(len(each) == 1 for each in branches) and len(sides) == 2:
                return worded(
                    "let the steps run one way: read {earlier} alone and, where they run the other way, turn "
                    "round what is read, as in where(d > 0, x[{step}], x[size({step}) - 1 - {step}]), and "
                    "then {tensor} in the same way",
                    earlier=text(sides[True]),
                    step=step.name,
                    tensor=text(equation.element),
                )
    return None


def _sides(expression: Expression, tensor: str, place: int, step: Index) -> dict[bool, Element]:
    """What is read of a tensor at a fixed distance from a step, by whether that is before it."""
    found: dict[bool, Element] = {}
    for read in readings(expression):
        if isinstance(read, Element) and read.tensor == tensor:
            offset = linear_form(subtract(read.positions[place], step))
            if not offset.coefficients and offset.constant:
                found.setdefault(offset.constant < 0, read)
    return found


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
