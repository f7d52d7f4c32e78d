"""The axes of a model while it is checked: large ones made small, every one with a size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symbackprop.notation.expressions import Expression, Index, Reduction, Size
from symbackprop.notation.substitution import elements_of, rewrite_bottom_up
from symbackprop.notation.system import Equation, Fact, System, Tensor
from symbackprop.verification.sampling import different_sizes

LARGEST_SIZE = 12  # the naive evaluator loops over every index, once for every element that is moved


def with_small_axes(system: System) -> System:
    """The same equations with every declared size above `LARGEST_SIZE` left open.

    A derivation treats sizes as symbols, so that a gradient that is right for small arrays is the same one.
    """
    opened = {axis: replace(axis, size=None) for axis in system.axes if (axis.size or 0) > LARGEST_SIZE}
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
    """A small size for every axis of a model; those that meet in an equation differ, declared ones stay."""
    fixed = {axis.name: axis.size for axis in system.axes if axis.size is not None}
    meeting = [_axes_of(equation) for equation in system.equations]
    return different_sizes((axis.name for axis in system.axes), meeting, fixed)


def _axes_of(equation: Equation) -> set[str]:
    bound = {
        index.axis.name
        for node in equation.expression.walk()
        if isinstance(node, Reduction)
        for index in node.indices
    }
    read = {
        index.axis.name
        for element in elements_of(equation.expression)
        for position in element.positions
        for index in position.free_indices
    }
    return bound | read | set(axis_names(equation.indices))
