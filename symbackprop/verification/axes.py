"""The axes of a model while it is checked: large ones made small, every one with a size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod

from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction, Size
from symbackprop.notation.guards import guarded_reads
from symbackprop.notation.integer_values import condition_holds, integer_value
from symbackprop.notation.matrices import MatrixFunction
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.notation.system import Equation, Fact, System, Tensor
from symbackprop.verification.sampling import different_sizes

LARGEST_SIZE = 12  # the naive evaluator loops over every index, once for every element that is moved


def with_small_axes(system: System) -> System:
    """The same equations with every declared size above `LARGEST_SIZE` left open.

    A derivation treats sizes as symbols, so that a gradient that is right for small arrays is the same one.
    Index arithmetic may depend on the sizes: the axes that it reads or counts keep theirs.
    """
    counted = axes_of_index_arithmetic(system)
    opened = {
        axis: replace(axis, size=None)
        for axis in system.axes
        if (axis.size or 0) > LARGEST_SIZE and axis not in counted
    }
    if not opened:
        return system

    def index(old: Index) -> Index:
        return Index(old.name, opened.get(old.axis, old.axis))

    def node(old: Expression) -> Expression:
        match old:
            case Index():
                return index(old)
            case Size(axis):
                return Size(opened.get(axis, axis))
            case MatrixFunction(_, _, axis, _, _):
                return replace(old, axis=opened.get(axis, axis))
            case Reduction(kind, indices, body):
                return Reduction(kind, tuple(index(bound) for bound in indices), body)
        return old

    def equation(old: Equation) -> Equation:
        expression = rewrite_bottom_up(old.expression, node)
        return replace(old, indices=tuple(index(own) for own in old.indices), expression=expression)

    def tensor(old: Tensor) -> Tensor:
        return replace(old, indices=tuple(index(own) for own in old.indices))

    def fact(old: Fact) -> Fact:
        return replace(old, left=rewrite_bottom_up(old.left, node), right=rewrite_bottom_up(old.right, node))

    return replace(
        system,
        axes=tuple(opened.get(axis, axis) for axis in system.axes),
        tensors={name: tensor(old) for name, old in system.tensors.items()},
        equations=tuple(equation(old) for old in system.equations),
        facts=tuple(fact(old) for old in system.facts),
    )


def axis_names(indices: Iterable[Index]) -> tuple[str, ...]:
    """The names of the axes that these indices run over."""
    return tuple(index.axis.name for index in indices)


def model_sizes(system: System) -> dict[str, int]:
    """A small size for every axis of a model; those that meet in an equation differ, declared ones stay.

    An axis that is read at positions beyond its size becomes as long as the positions need.
    """
    fixed = {axis.name: axis.size for axis in system.axes if axis.size is not None}
    meeting = [_axes_of(equation) for equation in system.equations]
    sizes = different_sizes((axis.name for axis in system.axes), meeting, fixed)
    for _ in system.axes:
        for equation in system.equations:
            for read in guarded_reads(equation.expression):
                for index, position in zip(
                    system.tensors[read.element.tensor].indices, read.element.positions, strict=True
                ):
                    if index.axis.name not in fixed and not isinstance(position, Index):
                        needed = _largest_position(position, read.conditions, sizes) + 1
                        sizes[index.axis.name] = max(sizes[index.axis.name], needed)
    return sizes


def axes_of_index_arithmetic(system: System) -> set[Axis]:
    """The axes that are read at positions other than an index, and those of the indices in such positions."""
    found: set[Axis] = set()
    for equation in system.equations:
        for read in guarded_reads(equation.expression):
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
    decided = [condition for condition in conditions if not condition.tensors]
    if position.tensors:
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


def _axes_of(equation: Equation) -> set[str]:
    bound = {
        index.axis.name
        for node in equation.expression.walk()
        if isinstance(node, Reduction)
        for index in node.indices
    }
    read = {
        index.axis.name
        for node in equation.expression.walk()
        if isinstance(node, Element | MatrixFunction)
        for index in node.free_indices
    }
    return bound | read | set(axis_names(equation.indices))


def evaluation_visits(system: System, sizes: Mapping[str, int]) -> int:
    """About how many nodes the naive evaluator visits for all equations: its loops, all nested."""
    return sum(
        equation.expression.node_count * prod(sizes[axis] for axis in _loops_of(equation))
        for equation in system.equations
    )


def _loops_of(equation: Equation) -> list[str]:
    bound = [
        index for node in equation.expression.walk() if isinstance(node, Reduction) for index in node.indices
    ]
    return list(axis_names(dict.fromkeys((*equation.indices, *bound))))
