"""Sizes that the relations of a model give or check, as whole numbers that a program computes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from symbackprop.array.ir import AxisSize, Elementwise, Literal
from symbackprop.array.value import Value
from symbackprop.array.whole_numbers import whole_number
from symbackprop.integers.solving import SizeStep, steps_of
from symbackprop.notation.expressions import Axis, Expression, Size
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.systems.system import DECLARED_ROLES, Role, System


@dataclass(frozen=True)
class RelatedSize:
    """The size of an axis is above/below, by a relation that `text` states between the axes `related`."""

    axis: Axis
    above: Value
    below: Value
    text: str
    related: tuple[str, ...]

    @cached_property
    def value(self) -> Value:
        """The quotient, which comes out even where the relation holds."""
        return self.above if self.is_whole else Elementwise("floor_divide", (self.above, self.below))

    @property
    def is_whole(self) -> bool:
        """Whether nothing is divided."""
        return self.below == Literal(1)

    @cached_property
    def sources(self) -> tuple[Axis, ...]:
        """The axes whose sizes it is computed from, each once."""
        nodes = (node for side in (self.above, self.below) for node in side.walk())
        return tuple(dict.fromkeys(node.axis for node in nodes if isinstance(node, AxisSize)))


def related_sizes(system: System) -> tuple[RelatedSize, ...]:
    """What follows from the sizes that the declared tensors have, and what is checked of those, in order."""
    tensors = system.with_role(*DECLARED_ROLES)
    known = {index.axis.name for tensor in tensors for index in tensor.indices}
    known |= {axis.name for axis in system.axes if axis.size is not None}
    return following(system, known)


def following(system: System, known: Iterable[str]) -> tuple[RelatedSize, ...]:
    """What relations make of known sizes."""
    axes = {axis.name: axis for axis in system.axes}
    steps = steps_of(system.relations, set(known))
    return tuple(
        _related(step, axes) for step in steps if any(axes[name].size is None for name in step.relation.axes)
    )


def _related(step: SizeStep, axes: Mapping[str, Axis]) -> RelatedSize:
    above, below = (_value(side, axes) for side in (step.above, step.below))
    return RelatedSize(axes[step.axis], above, below, step.relation.text, step.relation.axes)


def _value(expression: Expression, axes: Mapping[str, Axis]) -> Value:
    def over(node: Expression) -> Expression:
        return Size(axes[node.axis.name]) if isinstance(node, Size) else node

    return whole_number(rewrite_bottom_up(expression, over))


def needed_for(axes: Iterable[Axis], related: Iterable[RelatedSize]) -> tuple[RelatedSize, ...]:
    """Those that give the sizes of these axes, each after those that it is computed from."""
    wanted = set(axes)
    found: list[RelatedSize] = []
    for each in reversed(tuple(related)):
        if each.axis in wanted:
            found.insert(0, each)
            wanted.update(each.sources)
    return tuple(found)


def related_in_init(system: System, fan_in: Iterable[str] = ()) -> tuple[RelatedSize, ...]:
    """The sizes of parameters' axes that follow from those of others without a division.

    So do those of the axes `fan_in`, which scale what is drawn, be it by a division.
    """
    parameters = system.with_role(Role.PARAMETER)
    axes = dict.fromkeys(index.axis for tensor in parameters for index in tensor.indices)
    given: list[str] = []
    found: tuple[RelatedSize, ...] = ()
    for axis in sorted(axes, key=_length):
        if axis not in {each.axis for each in found}:
            given.append(axis.name)
            found = tuple(each for each in _followed(system, given) if each.axis in axes)
    known = {*given, *(each.axis.name for each in found)}
    others = [axis for axis in system.axes if axis.name in fan_in and axis.name not in known]
    declared = {axis.name for axis in system.axes if axis.size is not None}
    scaling = needed_for(others, following(system, {*given, *declared}))
    return (*found, *(each for each in scaling if each.axis.name not in known))


def _length(axis: Axis) -> int:
    """How long the formula of its size is: those of a few base sizes come before multiples of them."""
    return 0 if axis.formula is None else sum(1 for _ in axis.formula.walk())


def _followed(system: System, given: Iterable[str]) -> Iterator[RelatedSize]:
    """What follows from given sizes, step by step, and from nothing that follows by a division."""
    known = set(given)
    for each in following(system, given):
        if each.axis.name not in known and each.is_whole and {axis.name for axis in each.sources} <= known:
            known.add(each.axis.name)
            yield each
