"""Reductions over the places at which a lookup agrees with another: once for each value, not for each place.

    al[e] = exp(s[e])/sum(l, where(dst[l] == dst[e], exp(s[l]), 0))

looks at all pairs of places. The sum depends on dst[e] alone, whose values are the places n of an axis:

    al_sum[n] = sum(l, where(dst[l] == n, exp(s[l]), 0))
    al[e] = exp(s[e])/al_sum[dst[e]]

adds each exp(s[l]) to one number. Where a row reads what it is compared with, exp(s[l] - max[n]), it reads it
at its own place, exp(s[l] - max[dst[l]]); what depends on the group alone is a factor of the sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symbackprop.integers.guards import reads_inside
from symbackprop.notation.expressions import Element, Expression, Index, Reduction
from symbackprop.notation.substitution import fresh_index, indices_in, substitute
from symbackprop.rewriting.naming import NamingRule, by_tensor
from symbackprop.schedule.given_names import Grouped
from symbackprop.schedule.groups.contraction import READ_AT_A_LOOKUP
from symbackprop.schedule.groups.rules import (
    FACTOR_OF_A_GROUP,
    ROW_AT_ITS_PLACE,
    groups_of,
    with_replaced,
)
from symbackprop.schedule.named_equations import NamedEquation, Part, items_in_reading_order, rewritten
from symbackprop.schedule.occurrences import occurrence
from symbackprop.schedule.temporary_names import temporary_name
from symbackprop.schedule.terms import natural_order
from symbackprop.schedule.uses import Provider
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.system import Equation, Tensor

GROUPING = NamingRule(
    Grouped,
    where=("of q's indices no more is read than q", "the axis of q's values is one of an array"),
    example="b[j,k] = sum(k2, where(ids[k2] == ids[k], B[j,k2], 0))",
    near_miss="b[j,k] = sum(k2, where(ids[k2] == ids[k], exp(B[j,k2]*B[j,k]), 0))",
)


def with_groups(items: Sequence[NamedEquation], tensors: Mapping[str, Tensor]) -> tuple[NamedEquation, ...]:
    """The equations, with one of its own for each reduction over a group of places that lookups tell."""
    if all(tensor.values is None for tensor in tensors.values()):
        return tuple(items)
    grouping = _Grouping(items, tensors)
    found = [grouping.remaining(item) for item in items]
    return items_in_reading_order([*found, *grouping.added])


class _Grouping:
    """The equations of groups, found one after another in those that are looked through."""

    def __init__(self, items: Sequence[NamedEquation], tensors: Mapping[str, Tensor]) -> None:
        equations = tuple([item.equation for item in items])
        layouts = {name: tensor.indices for name, tensor in tensors.items()}
        layouts |= {equation.tensor: equation.indices for equation in equations}
        self._integers = frozenset(name for name, tensor in tensors.items() if tensor.values is not None)
        self._taken = set(layouts)
        self._axes = {name: [index.axis for index in indices] for name, indices in layouts.items()}
        self._places = {index.axis: index for indices in layouts.values() for index in indices}
        self._loop_carried = loop_carried_tensors(equations)
        self._known = by_tensor(equations)
        self._providers: dict[Expression, Provider] = {}
        self.added: list[NamedEquation] = []
        for equation in equations:
            if isinstance(equation.expression, Reduction) and equation.tensor not in self._loop_carried:
                self._provide(equation)

    def remaining(self, item: NamedEquation) -> NamedEquation:
        """The equation, reading the reductions over its groups from equations of their own."""
        before = item.equation.expression
        if not (self._looks_up(before) and self._loop_carried.isdisjoint(before.tensors)):
            return item
        item = rewritten(item, (READ_AT_A_LOOKUP, FACTOR_OF_A_GROUP, ROW_AT_ITS_PLACE))
        before = item.equation.expression
        after = self._read(before, item)
        return item.computing(after, GROUPING.steps(before, after, self._known))

    def _looks_up(self, expression: Expression) -> bool:
        """Whether declared integers are read in a sum or an extremum."""
        return not self._integers.isdisjoint(expression.tensors) and expression.binds

    def _read(self, node: Expression, consumer: NamedEquation) -> Expression:
        element = self._element(node, consumer) if isinstance(node, Reduction) else None
        if element is not None:
            return element
        children = tuple([self._read(child, consumer) for child in node.children])
        return node if children == node.children else node.with_children(children)

    def _element(self, node: Reduction, consumer: NamedEquation) -> Expression | None:
        """What is read for a reduction over a group; None for any other, and where that spares nothing."""
        for place, other in groups_of(node):
            axis = other.values
            if axis is None or axis not in self._places:
                continue
            index = fresh_index(self._places[axis], indices_in(node))
            stated = with_replaced(node, other, index)
            if node.kind == "argmax" and len(node.indices) > 1:
                continue  # which counts through several axes
            spared = other.free_indices - stated.free_indices
            if spared and place.free_indices <= {*node.indices} and reads_inside(stated, self._axes):
                guarded = place.tensor != other.tensor
                element = self._provided(stated, index, consumer, guarded)
                if node.kind == "argmax":
                    element = replace(element, values=node.indices[0].axis)
                return substitute(element, {index: other})
        return None

    def _provided(self, stated: Expression, index: Index, consumer: NamedEquation, guarded: bool) -> Element:
        key, free = occurrence(stated)
        if key not in self._providers:
            name = temporary_name(stated, consumer.equation.tensor, self._taken)
            own = natural_order(stated, (*consumer.equation.indices, *free))
            equation = Equation(name, (index, *(each for each in own if each != index)), stated)
            self._provide(equation)
            item = consumer.temporary(Part.SUBEXPRESSION, equation, guarded)
            self.added.append(self.remaining(item))
        return self._providers[key].element(free)

    def _provide(self, equation: Equation) -> None:
        """An equation that others may read: what it computes has its name from now on."""
        key, free = occurrence(equation.expression)
        if sorted(free, key=str) == sorted(equation.indices, key=str):
            slots = tuple(free.index(index) for index in equation.indices)
            self._providers.setdefault(key, Provider(equation.tensor, slots))
            self._taken.add(equation.tensor)
            self._known[equation.tensor] = equation
            self._axes[equation.tensor] = [each.axis for each in equation.indices]
