"""Equations as a program computes them: what the model names, and what several equations share."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.notation.expressions import Comparison, Expression, Logic, Reduction
from symbackprop.schedule.kinds import Kind
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class NamedEquation:
    """An equation as it is computed, and the text of the formula that it stands for.

    A guarded one is read only by branches of a `where`.
    """

    equation: Equation
    formula: str
    guarded: bool = False

    @property
    def kind(self) -> Kind:
        """What the tensor's array holds."""
        return kind_of(self.equation.expression)


def kind_of(expression: Expression) -> Kind:
    """What the array of a named expression holds: a condition, places of maxima, or numbers."""
    match expression:
        case Comparison() | Logic():
            return Kind.BOOLEAN
        case Reduction("argmax", _, _):
            return Kind.INTEGER
    return Kind.REAL
