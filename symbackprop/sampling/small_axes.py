"""The axes of a model while it is checked: large ones made small, every one with a size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from types import MappingProxyType

from symbackprop.errors import NotationError, VerificationError
from symbackprop.integers.choices import widths_of_clips
from symbackprop.integers.recognition import is_exact
from symbackprop.language.guarding import expect_reads_inside
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction, Size
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.sampling.finite_data import different_sizes
from symbackprop.sampling.related_sizes import following, free_axes, related_sizes, with_relations_kept
from symbackprop.semantics.integer_values import condition_holds, integer_value
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.system import Equation, Fact, System, Tensor

# What the overhead of one node costs in a step of a recurrence, and one of n^3 entries in an elimination.
VISITS_A_STEP, VISITS_A_MATRIX_ENTRY = 400, 10
MOST_VISITS = 100_000_000  # nodes that the naive evaluator visits
MOST_PLACES_MADE = 10_000  # for positions far out
LARGEST_SIZE = 12  # the naive evaluator loops over every index, once for every element that is moved


def with_small_axes(system: System) -> System:
    """The same equations with every declared size above `LARGEST_SIZE` left open.

    A derivation treats sizes as symbols, so that a gradient that is right for small arrays is the same one.
    Index arithmetic may depend on the sizes: the axes that it reads or counts keep theirs, unless that many
    values cannot be computed with; then they are scaled down together. Raises VerificationError where that
    leaves positions outside their axes.
    """
    opened = with_axes(system, large_axes(system))
    return opened if can_be_computed(opened) else scaled_down(opened)


def can_be_computed(system: System) -> bool:
    """Whether arrays of the declared sizes, with small ones for the others, can be computed with."""
    sizes = {axis.name: axis.size or LARGEST_SIZE for axis in system.axes}
    return most_elements(system, sizes) + evaluation_visits(system, sizes) <= MOST_VISITS


def most_elements(system: System, sizes: Mapping[str, int]) -> int:
    """How many numbers the largest tensor holds: a table of which little is read is drawn all the same."""
    return max(prod(sizes[name] for name in axis_names(each.indices)) for each in system.tensors.values())


def scaled_down(system: System) -> System:
    """With all large sizes in the proportion of the largest to a small one, where every read stays inside."""
    largest = max(system.axes, key=lambda axis: axis.size or 0)
    for small in range(LARGEST_SIZE, 2 * LARGEST_SIZE + 1):
        scaled = {
            axis: replace(axis, size=max(2, round((axis.size or 0) * small / (largest.size or 1))))
            for axis in system.axes
            if (axis.size or 0) > LARGEST_SIZE
        }
        try:
            candidate = with_axes(system, scaled)
            expect_reads_inside(candidate)
        except NotationError:
            continue
        return candidate
    raise VerificationError(
        worded(
            "{largest} = {size} values are too many to check a gradient on, and the positions "
            "in the equations leave no smaller size",
            largest=largest.name,
            size=f"{largest.size:,}",
        ),
        remedy=worded("check a copy of the model with a smaller size"),
    )


def large_axes(system: System, largest: int = LARGEST_SIZE) -> dict[Axis, Axis]:
    """The axes of declared sizes above `largest` that may be left open, each with the open one."""
    counted = axes_of_index_arithmetic(system)
    tied = _tied_names(system, counted)
    opened = {
        axis: replace(axis, size=None)
        for axis in system.axes
        if (axis.size or 0) > largest and axis not in counted and axis.name not in tied
    }
    return with_relations_kept(system, opened)


def _tied_names(system: System, axes: Iterable[Axis]) -> set[str]:
    """These axes' names and all that relations tie to them."""
    names = {axis.name for axis in axes}
    for _ in system.relations:
        names.update(*(each.axes for each in system.relations if names.intersection(each.axes)))
    return names


def with_axes(system: System, axes: Mapping[Axis, Axis]) -> System:
    """The system over other axes, and such as relations to them make of the others."""
    axes = with_relations_kept(system, axes)
    if not axes:
        return system

    def tensor(old: Tensor) -> Tensor:
        indices = tuple(_index(own, axes) for own in old.indices)
        return replace(old, indices=indices, values=axes.get(old.values, old.values) if old.values else None)

    def fact(old: Fact) -> Fact:
        return replace(old, left=_over(old.left, axes), right=_over(old.right, axes))

    return replace(
        system,
        axes=tuple(axes.get(axis, axis) for axis in system.axes),
        tensors={name: tensor(old) for name, old in system.tensors.items()},
        equations=tuple(equation_over(old, axes) for old in system.equations),
        facts=tuple(fact(old) for old in system.facts),
    )


def equation_over(equation: Equation, axes: Mapping[Axis, Axis]) -> Equation:
    """The equation over other axes."""
    indices = tuple(_index(own, axes) for own in equation.indices)
    return replace(equation, indices=indices, expression=_over(equation.expression, axes))


def _index(index: Index, axes: Mapping[Axis, Axis]) -> Index:
    return Index(index.name, axes.get(index.axis, index.axis))


def _over(expression: Expression, axes: Mapping[Axis, Axis]) -> Expression:
    def change(node: Expression) -> Expression:
        match node:
            case Index():
                return _index(node, axes)
            case Size(axis):
                return Size(axes.get(axis, axis))
            case Element(tensor, positions, Axis() as values):
                return Element(tensor, positions, axes.get(values, values))
            case MatrixFunction(_, _, axis, _, _):
                return replace(node, axis=axes.get(axis, axis))
            case Reduction(kind, indices, body):
                return Reduction(kind, tuple(_index(bound, axes) for bound in indices), body)
        return node

    return rewrite_bottom_up(expression, change)


def axis_names(indices: Iterable[Index]) -> tuple[str, ...]:
    """The names of the axes that these indices run over."""
    return tuple(index.axis.name for index in indices)


def model_sizes(system: System, wanted: Mapping[str, int] = MappingProxyType({})) -> dict[str, int]:
    """A small size for every axis of a model; those that meet in an equation differ, declared ones stay.

    Axes get the size that is `wanted` for them, where no relation gives it. An axis that is read at positions
    beyond its size becomes as long as the positions need.
    """
    fixed = related_sizes(system.axes, wanted)
    names = [axis.name for axis in system.axes]
    meeting = [equation.axes for equation in system.equations]
    return with_room(system, different_sizes(names, meeting, {**wanted, **fixed}))


def with_room(system: System, sizes: Mapping[str, int]) -> dict[str, int]:
    """The sizes, those of open axes as large as the positions at which they are read need.

    Positions that grow with the axis which they read, sum(m, m), need more than any size gives: an axis is
    made longer for those of its own once, and none without an end. The bounds of clips are in order.
    """
    sizes = dict(sizes)
    chosen = set(free_axes(system.axes))
    moved = [
        (index.axis, position, read.conditions)
        for read in system.reads
        for index, position in zip(
            system.tensors[read.element.tensor].indices, read.element.positions, strict=True
        )
        if index.axis.name in chosen and not isinstance(position, Index)
    ]
    for read_axis, position, _ in moved:
        for width in widths_of_clips(position, read_axis):
            sizes[read_axis.name] -= min(integer_value(width, {}, sizes, _unread), 0)
    reckoned = [(read_axis.name, position, conditions) for read_axis, position, conditions in moved]
    for _ in system.axes if reckoned else ():
        before = dict(sizes)
        for axis, position, conditions in reckoned:
            needed = _largest_position(position, conditions, sizes) + 1
            sizes[axis] = max(sizes[axis], min(needed, MOST_PLACES_MADE))
            sizes = following(system.axes, sizes) or sizes
        if sizes == before:
            break
        reckoned = [each for each in reckoned if each[0] not in _axes_within(each[1])]
    return sizes


def _axes_within(position: Expression) -> set[str]:
    return {node.axis.name for node in position.walk() if isinstance(node, Index | Size)}


def axes_of_index_arithmetic(system: System) -> set[Axis]:
    """The axes that are read at positions other than an index, and those of the indices in such positions."""
    found: set[Axis] = set()
    for read in system.reads:
        for index, position in zip(
            system.tensors[read.element.tensor].indices, read.element.positions, strict=True
        ):
            if not isinstance(position, Index | Element):
                found.add(index.axis)
                found.update(node.axis for node in position.walk() if isinstance(node, Index | Size))
    return found


def _largest_position(
    position: Expression, conditions: Sequence[Expression], sizes: Mapping[str, int]
) -> int:
    """The largest value of a position under the conditions on indices; -1 where it depends on data."""
    decided = [condition for condition in conditions if is_exact(condition)]
    if not is_exact(position):
        return -1
    indices = sorted(
        frozenset[Index]().union(*(part.free_indices for part in (position, *decided))),
        key=lambda index: index.name,
    )
    largest = -1
    for place in product(*(range(sizes[index.axis.name]) for index in indices)):
        at = dict(zip(indices, place, strict=True))
        if all(condition_holds(condition, at, sizes, _unread) for condition in decided):
            largest = max(largest, int(integer_value(position, at, sizes, _unread)))
    return largest


def _unread(element: Expression, at: Mapping[Index, int]) -> int:
    raise AssertionError(f"{element} is read where only indices stand")


def evaluation_visits(system: System, sizes: Mapping[str, int]) -> int:
    """About how many nodes the naive evaluator visits for all equations: its loops, all nested."""
    return sum(
        equation.expression.node_count * prod(sizes[axis] for axis in _loops_of(equation))
        for equation in system.equations
    )


def evaluation_cost(system: System) -> int:
    """About how many visits its evaluation is worth: a step of a recurrence, and a matrix, cost more.

    So does a tensor that is larger than all that is read of it.
    """
    sizes = model_sizes(system)
    steps = sum(
        prod(sizes[index.axis.name] for index in stage.recurrence.steps(each)) * each.expression.node_count
        for stage in stages_of(system.equations)
        if stage.recurrence is not None
        for each in stage.equations
    )
    nodes = (node for equation in system.equations for node in equation.expression.walk())
    matrices = sum(sizes[node.axis.name] ** 3 for node in nodes if isinstance(node, MatrixFunction))
    visits = evaluation_visits(system, sizes) + most_elements(system, sizes)
    return visits + VISITS_A_STEP * steps + VISITS_A_MATRIX_ENTRY * matrices


def _loops_of(equation: Equation) -> list[str]:
    bound = [
        index for node in equation.expression.walk() if isinstance(node, Reduction) for index in node.indices
    ]
    return list(axis_names(dict.fromkeys((*equation.indices, *bound))))
