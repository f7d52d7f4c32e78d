"""What a derivation leaves behind: adjoint equations, gradients, and every step that led to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from symbackprop.notation.expressions import Derivative, Element, Expression
from symbackprop.notation.system import Equation, System
from symbackprop.rewriting.rule import Step


@dataclass(frozen=True)
class LocalDerivative:
    """One factor of the chain rule: how an equation's result moves with one tensor that it reads.

    `derivative` is d y[b,k] / d u2[b',k'], with indices of their own on both sides; `steps` lead from it to
    `value`, an expression with Kronecker deltas.
    """

    consumer: Equation
    tensor: str
    derivative: Derivative
    value: Expression
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class AdjointDerivation:
    """How the loss moves with one tensor, from the chain rule to its closed form.

    `total` is dE/dt[..]; the first step's `before` is `total` and the last step's `after` is the right-hand
    side of `equation`, whose name is the adjoint's (delta2, grad_W2). An adjoint that is not `kept` has been
    put into the one equation that used it.
    """

    tensor: str
    total: Derivative
    factors: tuple[LocalDerivative, ...]
    steps: tuple[Step, ...]
    equation: Equation
    kept: bool


@dataclass(frozen=True)
class Derivation:
    """The gradient of a system's loss.

    `adjoints` stand in the order in which they were derived, from the loss backwards, those not kept
    included. `equations` are the kept ones: with the system's own equations before them they are a system
    again. `gradients` maps each tensor that was asked for to its equation.
    """

    system: System
    wrt: tuple[str, ...]
    adjoints: tuple[AdjointDerivation, ...]

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """The adjoint equations that are computed, in an order in which each reads only earlier ones."""
        return tuple(adjoint.equation for adjoint in self.adjoints if adjoint.kept)

    @cached_property
    def gradients(self) -> Mapping[str, Equation]:
        """Name of each tensor that was asked for to the equation of its gradient, in the order of asking."""
        found = {adjoint.tensor: adjoint.equation for adjoint in self.adjoints}
        return {name: found[name] for name in self.wrt}

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step of the derivation, in order."""
        return tuple(
            step
            for adjoint in self.adjoints
            for step in (*(s for factor in adjoint.factors for s in factor.steps), *adjoint.steps)
        )

    @cached_property
    def meanings(self) -> Mapping[str, Element]:
        """Name of an adjoint to the element of the tensor that it belongs to: delta2 to u2[b,k]."""
        return {adjoint.equation.tensor: adjoint.total.denominator for adjoint in self.adjoints}
