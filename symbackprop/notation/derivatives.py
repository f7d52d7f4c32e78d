"""Derivatives as expressions: not worked out yet, or as a model states them."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.notation.expressions import Element
from symbackprop.notation.nodes import Axis as Axis
from symbackprop.notation.nodes import Expression as Expression
from symbackprop.notation.nodes import Index as Index


@dataclass(frozen=True, eq=False, repr=False)
class Derivative(Expression):
    """d numerator / d denominator, not worked out yet.

    `total` follows every path through the system (dE/dw); otherwise only the numerator's own equation is
    differentiated and every other tensor in it stands still (the local factor of the chain rule).
    """

    numerator: Element
    denominator: Element
    total: bool

    @property
    def children(self) -> tuple[Expression, ...]:
        """Numerator and denominator."""
        return (self.numerator, self.denominator)

    def with_children(self, children: tuple[Expression, ...]) -> Derivative:
        """The derivative of another element by another."""
        numerator, denominator = children
        assert isinstance(numerator, Element) and isinstance(denominator, Element)
        return Derivative(numerator, denominator, self.total)


def without_indices(derivative: Derivative) -> Derivative:
    """dE/dW2 for dE/dW2[k,j]: the chain rule in short."""
    numerator, denominator = derivative.numerator.tensor, derivative.denominator.tensor
    return Derivative(Element(numerator), Element(denominator), derivative.total)


@dataclass(frozen=True, eq=False, repr=False)
class PartialDerivative(Expression):
    """d expression / d denominator, not worked out yet, where every other tensor in it stands still."""

    expression: Expression
    denominator: Element

    @property
    def children(self) -> tuple[Expression, ...]:
        """What is differentiated, and by what."""
        return (self.expression, self.denominator)

    def with_children(self, children: tuple[Expression, ...]) -> PartialDerivative:
        """The derivative of another expression by another element."""
        expression, denominator = children
        assert isinstance(denominator, Element)
        return PartialDerivative(expression, denominator)


@dataclass(frozen=True, eq=False, repr=False)
class InnerDerivative(Expression):
    """diff(y[n], x[n,i]) as a model states it: the total derivative, through every equation in between.

    The numerator may be such a derivative itself. A derivation works it out before anything else.
    """

    numerator: Element | InnerDerivative
    denominator: Element

    @property
    def children(self) -> tuple[Expression, ...]:
        """Numerator and denominator."""
        return (self.numerator, self.denominator)

    def with_children(self, children: tuple[Expression, ...]) -> InnerDerivative:
        """The derivative of another element by another."""
        numerator, denominator = children
        assert isinstance(numerator, Element | InnerDerivative) and isinstance(denominator, Element)
        return InnerDerivative(numerator, denominator)
