"""What an expression depends on, other than in jumps."""

from __future__ import annotations

from typing import TypeGuard

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.notation.expressions import (
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Logic,
    Reduction,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction


def moves(expression: Expression, tensor: str) -> bool:
    """Whether the expression moves with the tensor, other than in jumps as positions and conditions do."""
    if tensor not in expression.tensors:
        return False
    match expression:
        case Element() | MatrixFunction():
            return expression.tensor == tensor
        case Delta() | Reduction("argmax", _, _):
            return False
        case Apply(function, arguments):
            still = ALL_FUNCTIONS[function].stands_still
            return not still and any(moves(each, tensor) for each in arguments)
        case Where(_, chosen, otherwise):
            return moves(chosen, tensor) or moves(otherwise, tensor)
        case Comparison() | Logic():
            return True  # there is no rule for it
    return any(moves(child, tensor) for child in expression.children)


def is_stop(node: Expression) -> TypeGuard[Apply]:
    """Whether it is a stop(...): the value of its argument, which stands still."""
    return isinstance(node, Apply) and ALL_FUNCTIONS[node.function].is_identity


def stops_gradient(expression: Expression) -> bool:
    """Whether a stop(...) stands in the expression."""
    return any(map(is_stop, expression.walk()))
