"""What stands for a derivative inside a model, wherever its pattern of indices occurs again."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.derivatives import Derivative, InnerDerivative
from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.notation.substitution import rewrite_bottom_up, substitute


def innermost_derivative(expression: Expression) -> InnerDerivative | None:
    """The first derivative whose numerator is a tensor's element."""
    for node in expression.walk():
        if isinstance(node, InnerDerivative) and isinstance(node.numerator, Element):
            return node
    return None


@dataclass(frozen=True)
class KnownDerivative:
    """What stands for a derivative, at the positions where it was found."""

    derivative: Derivative
    value: Expression

    def at(self, derivative: Derivative) -> Expression:
        """What stands for it at other positions."""
        found_at = positions_of(self.derivative)
        return substitute(self.value, dict(zip(found_at, positions_of(derivative), strict=True)))


def positions_of(derivative: Derivative) -> tuple[Index, ...]:
    """The indices at which numerator and denominator stand, in that order."""
    positions = (*derivative.numerator.positions, *derivative.denominator.positions)
    return tuple(position for position in positions if isinstance(position, Index))


def pattern_of(derivative: Derivative) -> tuple[str, str, tuple[int, ...]]:
    """The two tensors, and which of their positions share an index."""
    positions = positions_of(derivative)
    places = tuple(positions.index(position) for position in positions)
    return derivative.numerator.tensor, derivative.denominator.tensor, places


def put_in_place(expression: Expression, node: InnerDerivative, value: Expression) -> Expression:
    """The expression with another one in the place of the derivative; put together anew above a number."""

    def replaced(each: Expression) -> Expression:
        if each == node:
            return value
        return each if isinstance(value, Element) else normalised(each)

    return rewrite_bottom_up(expression, replaced)
