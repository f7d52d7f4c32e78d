"""The derivative of an expression by an element, where the one depends on the other."""

from __future__ import annotations

from symbackprop.notation.derivatives import PartialDerivative
from symbackprop.notation.expressions import ZERO, Element, Expression
from symbackprop.systems.dependence import moves


def derivative(expression: Expression, by: Element) -> Expression:
    """d expression / d by, still to be worked out; 0 where the expression does not depend on that tensor."""
    return PartialDerivative(expression, by) if moves(expression, by.tensor) else ZERO
