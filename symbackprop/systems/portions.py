"""Expressions that are too wide or too deep for one formula, read as several equations.

E = w0*x0 + ... + w499*x499 is read as E_part = w0*x0 + ... + w31*x31, ..., E = E_part + ... + E_part_16,
and so is a product of many factors or a function of a function of a function. A person would name such parts,
and what walks an expression after that never meets one that is wider than MOST_TERMS or deeper than
MOST_LEVELS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.integers.guards import by_itself, guarded_children
from symbackprop.notation.derivatives import InnerDerivative
from symbackprop.notation.expressions import (
    Add,
    Axis,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import is_about_indices
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.system import Equation, System

MOST_TERMS = 32
MOST_LEVELS = 16
_WHOLE = (Element, Delta, MatrixFunction, InnerDerivative)


def system_in_portions(system: System) -> System:
    """The system, with equations of their own for the parts of what is too wide or too deep."""
    layouts = {name: tensor.indices for name, tensor in system.tensors.items()}
    equations = in_portions(system.equations, layouts, {*layouts, *(axis.name for axis in system.axes)})
    return system if equations == system.equations else system.with_equations(equations)


def in_portions(
    equations: Sequence[Equation], layouts: Mapping[str, Sequence[Index]], taken: set[str]
) -> tuple[Equation, ...]:
    """The equations, each after those of its parts; `layouts` are all tensors', `taken` the names in use."""
    groups = portions_of(equations, layouts, taken)
    return tuple(equation for group in groups for equation in group)


def portions_of(
    equations: Sequence[Equation], layouts: Mapping[str, Sequence[Index]], taken: set[str]
) -> tuple[tuple[Equation, ...], ...]:
    """For each equation its parts, in the order of reading, and what is left of it, which comes last."""
    large = {equation.tensor for equation in equations if is_large(equation.expression)}
    if not large:
        return tuple((equation,) for equation in equations)
    axes = {name: [index.axis for index in indices] for name, indices in layouts.items()}
    loop_carried = loop_carried_tensors(equations)
    taken = set(taken)
    found: list[tuple[Equation, ...]] = []
    for equation in equations:
        parts: list[Equation] = []
        if equation.tensor in large:
            cutting = _Cutting(equation, axes, loop_carried, taken)
            expression = cutting.portioned(equation.expression, ()).expression
            parts, equation = cutting.parts, replace(equation, expression=expression)
        found.append((*parts, equation))
    return tuple(found)


def is_large(expression: Expression) -> bool:
    """Whether it is wider than MOST_TERMS or deeper than MOST_LEVELS somewhere."""
    if expression.node_count <= min(MOST_TERMS, MOST_LEVELS):
        return False
    pending = [(expression, 1)]
    while pending:
        node, level = pending.pop()
        if level > MOST_LEVELS or (isinstance(node, Add | Multiply) and len(node.children) > MOST_TERMS):
            return True
        if not _is_whole(node):
            pending += [(child, level + 1) for child in node.children]
    return False


def _is_whole(node: Expression) -> bool:
    """Whether the node is read as it is: its positions are no values."""
    return isinstance(node, _WHOLE) or is_about_indices(node)


@dataclass(frozen=True)
class _Portion:
    """An expression within the bounds, and how many levels of values it has."""

    expression: Expression
    levels: int


@dataclass
class _Cutting:
    """The parts of one equation; a part takes its guard with it (`integers.guards.by_itself`)."""

    equation: Equation
    axes: Mapping[str, Sequence[Axis]]
    loop_carried: frozenset[str]
    taken: set[str]
    parts: list[Equation] = field(default_factory=list)

    def portioned(self, expression: Expression, conditions: tuple[Expression, ...]) -> _Portion:
        """The expression with names for its parts, innermost first."""
        if _is_whole(expression):
            return _Portion(expression, 1)
        inner = list(guarded_children(expression, conditions))
        portions = [self.portioned(child, around) for child, around in inner]
        children = [
            self._named(portion.expression, around) if portion.levels >= MOST_LEVELS else portion
            for portion, (_, around) in zip(portions, inner, strict=True)
        ]
        levels = 1 + max((portion.levels for portion in children), default=0)
        return _Portion(self._narrow(expression, [each.expression for each in children], conditions), levels)

    def _narrow(
        self, whole: Expression, children: list[Expression], conditions: tuple[Expression, ...]
    ) -> Expression:
        """The node over these children, a few together under one name where they are many."""
        if isinstance(whole, Add | Multiply):
            while len(children) > MOST_TERMS:
                groups = [
                    children[start : start + MOST_TERMS] for start in range(0, len(children), MOST_TERMS)
                ]
                named = [self._group(whole, group, conditions) for group in groups]
                if len(named) == len(children):
                    break  # nothing of it can be named
                children = named
        return whole if tuple(children) == whole.children else whole.with_children(tuple(children))

    def _group(
        self, whole: Expression, group: list[Expression], conditions: tuple[Expression, ...]
    ) -> Expression:
        together = group[0] if len(group) == 1 else whole.with_children(tuple(group))
        return together if len(group) == 1 else self._named(together, conditions).expression

    def _named(self, part: Expression, conditions: tuple[Expression, ...]) -> _Portion:
        """A name for the part, which is computed before; the part itself where it cannot stand alone."""
        # What no condition guards is read in any case: a position that is outside is outside here as well.
        alone = by_itself(part, self.axes, conditions, self.loop_carried) if conditions else part
        own = part.free_indices <= {*self.equation.indices}
        in_recurrence = not part.tensors.isdisjoint(self.loop_carried)
        if (
            alone is None
            or not part.tensors
            or isinstance(part, Comparison | Logic)
            or (in_recurrence and not own)
        ):
            return _Portion(part, MOST_LEVELS)
        indices = _in_order(part, self.equation)
        name = numbered_name(f"{self.equation.tensor}_part", self.taken)
        self.taken.add(name)
        self.parts.append(Equation(name, indices, alone))
        return _Portion(Element(name, indices), 1)


def _in_order(part: Expression, equation: Equation) -> tuple[Index, ...]:
    """The free indices, those of the left-hand side first and in its order."""
    free = part.free_indices
    seen = dict.fromkeys(index for index in equation.indices if index in free)
    seen.update(dict.fromkeys(node for node in part.walk() if isinstance(node, Index) and node in free))
    return tuple(seen)
