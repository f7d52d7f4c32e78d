"""Equations and steps that know the model that they are of, and are set in its symbols.

An equation or a step of the engine has names alone: what sets them stands in rooms above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symbackprop.derivation.result import Derivation
from symbackprop.integers.whole_definitions import Word
from symbackprop.pages.notebook import Sides, sides_of, symbols_for
from symbackprop.rewriting.rule import Step
from symbackprop.systems.printing import text
from symbackprop.systems.shorthands import spelled
from symbackprop.systems.system import Equation, System
from symbackprop.typesetting.names import NameLatex
from symbackprop.typesetting.symbols import stated_symbols, symbols_in, symbols_of

Symbols = Mapping[str, NameLatex]


@dataclass(frozen=True, repr=False)
class ModelEquation(Equation):
    """An equation of a model or of its gradient, in the symbols and shorthands of that model."""

    symbols: Symbols = field(default_factory=dict, compare=False)
    shorthands: frozenset[Word] = field(default=frozenset(), compare=False)

    def __str__(self) -> str:
        return " = ".join(map(text, sides_of(self)))


@dataclass(frozen=True, repr=False)
class ModelStep(Step):
    """A step of a model's derivation, in the symbols of that model."""

    symbols: Symbols = field(default_factory=dict, compare=False)


def equations_of_model(system: System) -> tuple[ModelEquation, ...]:
    """The system's equations, in its symbols."""
    symbols = symbols_of(tuple(system.tensors), stated_symbols(system))
    return _equations_in(system.equations, symbols, system)


def equations_of_gradient(derivation: Derivation) -> tuple[ModelEquation, ...]:
    """The adjoint equations that are computed, in the symbols of their model."""
    return _equations_in(derivation.equations, symbols_in(derivation), derivation.system)


def steps_of_gradient(derivation: Derivation) -> tuple[ModelStep, ...]:
    """The steps of a derivation, in order, in the symbols of its model.

    Those that a formula does not show, a product within a product put together, are left out: each step still
    begins where the one before it ends.
    """
    symbols = symbols_in(derivation)
    seen = [step for step in derivation.steps if text(step.before) != text(step.after)]
    return tuple([ModelStep(each.rule, each.place, each.before, each.after, symbols) for each in seen])


def _equations_in(
    equations: Iterable[Equation], symbols: Symbols, system: System
) -> tuple[ModelEquation, ...]:
    words = system.shorthands
    return tuple(
        [
            ModelEquation(each.tensor, each.indices, each.expression, each.place, symbols, words)
            for each in equations
        ]
    )


@sides_of.register
def _sides_of_equation(value: ModelEquation) -> Sides:
    return value.element, spelled(value.expression, value.shorthands)


@symbols_for.register
def _symbols_for_equation(value: ModelEquation) -> Symbols:
    return value.symbols


@symbols_for.register
def _symbols_for_step(value: ModelStep) -> Symbols:
    return value.symbols
