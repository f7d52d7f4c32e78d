"""One equation of a gradient, and the ways to write it down."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from symbackprop.derivation.result import Derivation
from symbackprop.integers.whole_definitions import Word
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.faces import Formula
from symbackprop.pages.notebook import Sides, sides_of, symbols_for
from symbackprop.systems.printing import text
from symbackprop.systems.shorthands import spelled
from symbackprop.systems.system import Equation
from symbackprop.typesetting.formulas import Typesetter
from symbackprop.typesetting.names import NameLatex
from symbackprop.typesetting.symbols import symbols_in


@dataclass(frozen=True, repr=False)
class Gradient(Formula):
    """dE/dW2[k,j] = ...: one equation of the result; `symbols` are those of its model's tensors."""

    derivative: Derivative
    equation: Equation
    shorthands: frozenset[Word] = frozenset()
    symbols: Mapping[str, NameLatex] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return " = ".join(map(text, self.sides))

    @property
    def sides(self) -> Sides:
        """The derivative, and its closed form as it is printed."""
        return self.derivative, spelled(self.equation.expression, self.shorthands)

    def latex(self) -> str:
        """The equation in math mode."""
        return " = ".join(map(Typesetter(self.symbols).latex, self.sides))


@sides_of.register
def _sides_of_gradient(value: Gradient) -> Sides:
    return value.sides


@symbols_for.register
def _symbols_for_gradient(value: Gradient) -> Mapping[str, NameLatex]:
    return value.symbols


class Gradients(dict[str, Gradient]):
    """Name of each tensor asked for to the equation of its gradient.

    Another name is a KeyError that says what was derived; `tensors` are the names that might have been.
    """

    def __init__(self, gradients: Mapping[str, Gradient], tensors: Collection[str] = ()) -> None:
        super().__init__(gradients)
        self._tensors = tuple(tensors)

    def __missing__(self, name: str) -> Gradient:
        if name in self._tensors:
            asked = ", ".join((*self, name))
            raise KeyError(f'derived were {", ".join(self)}; to have {name}, too: derive(wrt="{asked}")')
        close = get_close_matches(str(name).casefold(), [each.casefold() for each in self], n=1, cutoff=0.7)
        alike = [each for each in self if each.casefold() in close]
        advice = f"; did you mean '{alike[0]}'?" if alike else ""
        raise KeyError(f"the model has no tensor '{name}'; derived were {', '.join(self)}{advice}")

    def __getattr__(self, name: str) -> Gradient:
        is_tensor = not name.startswith("_") and name in self._tensors
        advice = f'; write gradients["{name}"]' if is_tensor else ""
        raise AttributeError(f"gradients have no attribute '{name}'{advice}", name=name)


def gradients_of(derivation: Derivation) -> Gradients:
    """Name of each tensor asked for to the equation of its gradient."""
    totals = {adjoint.tensor: adjoint.total for adjoint in derivation.adjoints}
    words, symbols = derivation.system.shorthands, symbols_in(derivation)
    found = {
        name: Gradient(totals[name], equation, words, symbols)
        for name, equation in derivation.gradients.items()
    }
    return Gradients(found, tuple(derivation.system.tensors))
