"""What an expression depends on, other than in jumps."""

from __future__ import annotations

from symbackprop.functions.elementary import INTEGER_FUNCTIONS
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
            return function not in INTEGER_FUNCTIONS and any(moves(each, tensor) for each in arguments)
        case Where(_, chosen, otherwise):
            return moves(chosen, tensor) or moves(otherwise, tensor)
        case Comparison() | Logic():
            return True  # there is no rule for it
    return any(moves(child, tensor) for child in expression.children)
