"""What two nodes of one type have to agree in besides their children."""

from __future__ import annotations

from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import (
    Apply,
    Comparison,
    Constant,
    Element,
    Expression,
    Index,
    Logic,
    Number,
    Reduction,
    Size,
)
from symbackprop.notation.matrix_functions import MatrixFunction


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
