"""Loop-carried values that a step reads: one variable for each, 0 beyond the ends.

    where(t + 1 < size(t), sum(k, U[k,j]*delta[t+1,k]) + g[t+1,j], 0)

is sum(k, U[k,j]*delta_after[k]) + g_after[j], where delta_after[k] is delta[t+1,k], or 0 after the last step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.integers.guards import reads_inside
from symbackprop.integers.linear import linear_form
from symbackprop.integers.recognition import has_positions
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Axis,
    Element,
    Expression,
    Index,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.schedule.occurrences import is_slice, key_of
from symbackprop.schedule.temporary_names import temporary_name
from symbackprop.schedule.terms import free_in_order, natural_order
from symbackprop.systems.partial import Ranges
from symbackprop.systems.system import Equation

Axes = Mapping[str, Sequence[Axis]]


def with_named_slices(
    items: Sequence[NamedEquation], counters: tuple[Index, ...], axes: Axes, ranges: Ranges
) -> list[list[NamedEquation]]:
    """The equations of one step, each after an equation for each slice that it is the first to read.

    `ranges` are those of all tensors: what was taken out of the loop may be undefined where no step reads it.
    """
    naming = _WheresNamed(frozenset(counters), axes, ranges, set(axes))
    return [naming.added(item) for item in items]


def _guarding_reads(node: Expression, counters: frozenset[Index], axes: Axes, ranges: Ranges) -> Expression:
    """where(c, f, 0), with the `where` around those elements alone that need it, if they make f zero."""
    if not isinstance(node, Where) or node.condition.tensors:
        return node
    node = _step_first(node, counters)
    if node.otherwise != ZERO or not _is_by_step(node, counters) or reads_inside(node.chosen, axes):
        return node
    return _guarded(node.chosen, node.condition, axes, ranges) or node


def _step_first(node: Where, counters: frozenset[Index]) -> Where:
    """where(t > 0 and j > 0, f, g) = where(t > 0, where(j > 0, f, g), g): the step decides for arrays."""
    parts = conjuncts(node.condition)
    about_step = [part for part in parts if _is_about_step(part, counters)]
    others = [part for part in parts if part not in about_step]
    if not (about_step and others):
        return node
    inner = Where(conjunction(others), node.chosen, node.otherwise)
    return Where(conjunction(about_step), inner, node.otherwise)


def _guarded(expression: Expression, condition: Expression, axes: Axes, ranges: Ranges) -> Expression | None:
    """An expression that is 0 where the condition does not hold; None where that cannot be seen."""
    match expression:
        case Element():
            return Where(condition, expression, ZERO)
        case Add(terms):
            parts = [_guarded(term, condition, axes, ranges) for term in terms]
            return Add(tuple(part for part in parts if part is not None)) if all(parts) else None
        case Reduction("sum", indices, body) if not condition.free_indices & frozenset(indices):
            inner = _guarded(body, condition, axes, ranges)
            return None if inner is None else Reduction("sum", indices, inner)
        case Multiply(factors):
            outside = [factor for factor in factors if not reads_inside(factor, axes)]
            others = [factor for factor in factors if factor not in outside]
            guarded = {factor: _guarded(factor, condition, axes, ranges) for factor in outside}
            if guarded and all(guarded.values()) and not any(map(ranges.needs_its_mask, others)):
                return Multiply(tuple(guarded.get(factor) or factor for factor in factors))
    return None


@dataclass
class _WheresNamed:
    """A `where` by the step gets a variable: `h_before` for h[t-1], 0 before the first step."""

    counters: frozenset[Index]
    axes: Axes
    ranges: Ranges
    taken: set[str]
    names: dict[Expression, Element] = field(default_factory=dict)
    items: list[NamedEquation] = field(default_factory=list)

    def added(self, item: NamedEquation) -> list[NamedEquation]:
        """An equation, behind the variables that it is the first to read."""
        known = len(self.items)
        expression = rewrite_bottom_up(
            item.equation.expression,
            lambda node: _guarding_reads(node, self.counters, self.axes, self.ranges),
        )
        if not _is_by_step(expression, self.counters):
            expression = self._with_names(expression, item)
        self.items.append(item.computing(expression))
        return self.items[known:]

    def _with_names(self, node: Expression, consumer: NamedEquation) -> Expression:
        """The node with a variable for each `where` in it that may be made outside of the others.

        A `where` of positions stays where it is: a variable holds real numbers.
        """
        if has_positions(node):
            return node
        if _is_by_step(node, self.counters) and reads_inside(node, self.axes):
            return self._variable(node, consumer)
        children = tuple([self._with_names(child, consumer) for child in node.children])
        return node if children == node.children else node.with_children(children)

    def _variable(self, node: Expression, consumer: NamedEquation) -> Expression:
        free = free_in_order(node)
        key = key_of(node, free)
        if key not in self.names:
            self.names[key] = self._introduced(node, free, consumer)
        numbered = {Index(f"@{place}", index.axis): index for place, index in enumerate(free)}
        return substitute(self.names[key], numbered)

    def _introduced(self, node: Expression, free: tuple[Index, ...], consumer: NamedEquation) -> Element:
        """The variable's equation joins the others; returned is its element at the key's indices."""
        name = self._name(node, consumer)
        self.taken.add(name)
        indices = natural_order(node, (*consumer.equation.indices, *free))
        self.items.append(consumer.temporary(Part.OTHER_STEP, Equation(name, indices, node)))
        numbers: dict[Index, Expression] = {
            index: Index(f"@{place}", index.axis) for place, index in enumerate(free)
        }
        return Element(name, tuple(numbers[index] for index in indices))

    def _name(self, node: Expression, consumer: NamedEquation) -> str:
        """`h_before`, `delta_after`; another `where` is called after the equation that it is a part of."""
        element = node.children[1]
        if not (is_slice(node) and isinstance(element, Element)):
            return temporary_name(node, consumer.equation.tensor, self.taken)
        ahead = [
            linear_form(subtract(each, index)).constant
            for each in element.positions
            for index in self.counters & each.free_indices
        ]
        if not any(ahead):
            return temporary_name(node, consumer.equation.tensor, self.taken)
        side = "after" if max(ahead) > 0 else "before"
        return numbered_name(f"{element.tensor}_{side}", self.taken)


def _is_by_step(node: Expression, counters: frozenset[Index]) -> bool:
    """Whether the node is a `where` by the steps alone."""
    return isinstance(node, Where) and _is_about_step(node.condition, counters)


def _is_about_step(condition: Expression, counters: frozenset[Index]) -> bool:
    return bool(condition.free_indices) and condition.free_indices <= counters and not condition.tensors
