"""Equations that define whole numbers, id[n] = argmin(k, ...), and are positions by their names: C[id[n],d].

An expression holds what the name stands for, which says that the position lies inside its axis and that
nothing is differentiated there; printers show the name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.integers.own_axes import OwnAxes
from symbackprop.integers.recognition import has_positions
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute


@dataclass(frozen=True)
class WholeDefinition:
    """tensor[indices] = expression, a whole number for all values of the indices."""

    tensor: str
    indices: tuple[Index, ...]
    expression: Expression

    def at(self, positions: tuple[Expression, ...]) -> Expression:
        """What tensor[positions] stands for."""
        return substitute(self.expression, dict(zip(self.indices, positions, strict=True)))

    def named(self, expression: Expression) -> Expression:
        """The element that an expression is by this definition, or the expression as it is."""
        found: dict[Index, Expression] = {}
        if not _aligned(self.expression, expression, frozenset(self.indices), found):
            return expression
        if found.keys() != set(self.indices):
            return expression
        positions = tuple([found[index] for index in self.indices])
        same = canonical_bound_names(self.at(positions)) == canonical_bound_names(expression)
        return Element(self.tensor, positions) if same else expression


# What printers show in the place of an expression: a word of the language, a number as typed, a definition;
# and the axes that a pad(...) is read by.
Word: TypeAlias = str | WholeDefinition | OwnAxes


def with_definitions(expression: Expression, definitions: Mapping[str, WholeDefinition]) -> Expression:
    """The expression with what defines them for the whole numbers among its values."""
    if expression.tensors.isdisjoint(definitions):
        return expression
    match expression:
        case Element(tensor, positions) if tensor in definitions:
            return definitions[tensor].at(positions)
        case Element() | Delta() | MatrixFunction():
            return expression
    children = tuple([with_definitions(each, definitions) for each in expression.children])
    return expression.with_children(children)


def with_clips(expression: Expression, clips: Mapping[str, WholeDefinition]) -> Expression:
    """The expression with what defines them for the clipped numbers that it rounds: floor(p[t])."""
    if expression.tensors.isdisjoint(clips):
        return expression

    def change(node: Expression) -> Expression:
        if not isinstance(node, Apply) or not ALL_FUNCTIONS[node.function].is_integer:
            return node
        return node.with_children(tuple([with_definitions(each, clips) for each in node.children]))

    return rewrite_bottom_up(expression, change)


def is_clip(expression: Expression) -> bool:
    """Whether it is a number between bounds that indices and sizes alone decide: clip(u, 0, size(t) - 1)."""
    match expression:
        case Apply("max" | "min" as outer, arguments):
            inner = [each for each in arguments if each.tensors]
            match inner:
                case [Apply("max" | "min" as function, bounded)] if function != outer:
                    return any(not each.tensors for each in bounded)
    return False


def with_names(expression: Expression, words: Collection[Word]) -> Expression:
    """The expression with the names of definitions in its positions and conditions, for printers."""
    definitions = [word for word in words if isinstance(word, WholeDefinition)]
    if not definitions:
        return expression

    def named(value: Expression) -> Expression:
        for definition in definitions:
            found = definition.named(value)
            if found is not value:
                return found
        if isinstance(value, Add | Multiply | Where | Apply | Comparison) and not has_positions(value):
            return value.with_children(tuple(map(named, value.children)))
        return value

    def change(node: Expression) -> Expression:
        is_whole = has_positions(node) or isinstance(node, Comparison)
        return node.with_children(tuple(map(named, node.children))) if is_whole else node

    return rewrite_bottom_up(expression, change)


def _aligned(
    pattern: Expression, expression: Expression, variables: Collection[Index], found: dict[Index, Expression]
) -> bool:
    """Whether two expressions are of one shape; notes what stands where the pattern has a variable."""
    if isinstance(pattern, Index) and pattern in variables:
        return found.setdefault(pattern, expression) == expression
    if type(pattern) is not type(expression) or len(pattern.children) != len(expression.children):
        return False
    return all(
        _aligned(one, other, variables, found)
        for one, other in zip(pattern.children, expression.children, strict=True)
    )
