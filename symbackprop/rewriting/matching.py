"""Matching an expression against a pattern whose free indices may stand for others, or for positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from symbackprop.integers.bounds import unproved_bounds
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
    Constant,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Reduction,
    Size,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import is_canonical_name

Bindings: TypeAlias = Mapping[Index, Expression]


def match(
    pattern: Expression, expression: Expression, variables: frozenset[Index], bindings: Bindings | None = None
) -> Iterator[Bindings]:
    """Every way to choose the variables so that the pattern is the expression.

    Both sides come with canonical bound names; terms and factors match in any order.
    """
    bindings = bindings or {}
    if isinstance(pattern, Index) and pattern in variables:
        yield from _match_variable(pattern, expression, bindings)
    elif type(pattern) is not type(expression) or label(pattern) != label(expression):
        return
    elif isinstance(pattern, Add | Multiply):
        yield from _match_unordered(pattern.children, expression.children, variables, bindings)
    else:
        yield from _match_in_order(pattern.children, expression.children, variables, bindings)


def _match_variable(variable: Index, expression: Expression, bindings: Bindings) -> Iterator[Bindings]:
    """A variable stands for an index of its axis, or for a position that is sure to lie inside it.

    It stands for no index that is bound in what is matched: sum(j, W[j,i]) is not sum(j, W[j,j]).
    """
    if any(is_canonical_name(index) for index in expression.free_indices):
        return
    if isinstance(expression, Index):
        fits = expression.axis == variable.axis
    else:
        fits = not expression.tensors and not unproved_bounds(expression, variable.axis)
    if fits and bindings.get(variable, expression) == expression:
        yield {**bindings, variable: expression}


def label(node: Expression) -> object:
    """What must agree besides the children for two nodes of one type to be the same."""
    match node:
        case Element(tensor, positions):
            return tensor, len(positions)
        case Apply(function, _):
            return function
        case MatrixFunction(kind, tensor, axis, batch, _):
            return kind, tensor, axis, len(batch)
        case Reduction(kind, indices, _):
            return kind, indices
        case Comparison(operator, _, _):
            return operator
        case Logic(operator, operands):
            return operator, len(operands)
        case Derivative(_, _, total):
            return total
        case Number() | Constant() | Size() | Index():
            return node
    return len(node.children)


def _match_in_order(
    patterns: tuple[Expression, ...],
    expressions: tuple[Expression, ...],
    variables: frozenset[Index],
    bindings: Bindings,
) -> Iterator[Bindings]:
    if not patterns:
        yield bindings
        return
    for extended in match(patterns[0], expressions[0], variables, bindings):
        yield from _match_in_order(patterns[1:], expressions[1:], variables, extended)


def _match_unordered(
    patterns: tuple[Expression, ...],
    expressions: tuple[Expression, ...],
    variables: frozenset[Index],
    bindings: Bindings,
) -> Iterator[Bindings]:
    if len(patterns) != len(expressions):
        return
    if not patterns:
        yield bindings
    for place, expression in enumerate(expressions):
        others = expressions[:place] + expressions[place + 1 :]
        for extended in match(patterns[0], expression, variables, bindings):
            yield from _match_unordered(patterns[1:], others, variables, extended)
