"""One equation of a gradient, and the ways to write it down."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.integers.whole_definitions import Word
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.faces import Formula
from symbackprop.pages.notebook import Sides, sides_of
from symbackprop.systems.printing import text
from symbackprop.systems.shorthands import spelled
from symbackprop.systems.system import Equation
from symbackprop.typesetting.formulas import latex


@dataclass(frozen=True, repr=False)
class Gradient(Formula):
    """dE/dW2[k,j] = ...: one equation of the result."""

    derivative: Derivative
    equation: Equation
    shorthands: frozenset[Word] = frozenset()

    def __str__(self) -> str:
        return " = ".join(map(text, self.sides))

    @property
    def sides(self) -> Sides:
        """The derivative, and its closed form as it is printed."""
        return self.derivative, spelled(self.equation.expression, self.shorthands)

    def latex(self) -> str:
        """The equation in math mode."""
        return " = ".join(map(latex, self.sides))


@sides_of.register
def _sides_of_gradient(value: Gradient) -> Sides:
    return value.sides
