"""Pictures of a model: its network, its costs, its Jacobians, descents, the errors of numerical methods."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.errors import DerivationError, NotationError
from symbackprop.explanation.computations import Computations
from symbackprop.explanation.ways import operations_of_ways
from symbackprop.languages.phrases import worded
from symbackprop.pipeline import Model
from symbackprop.plotting.canvas import Picture, format_of
from symbackprop.plotting.charts import cost_chart, descent_chart, step_chart
from symbackprop.plotting.cost_curves import cost_curves
from symbackprop.plotting.descents import RATES, STEPS, descents
from symbackprop.plotting.drawings import jacobian_drawing, network_drawing
from symbackprop.plotting.jacobians import jacobian_pattern, reached_tensors, weighted
from symbackprop.plotting.network_layout import network_layout
from symbackprop.plotting.step_errors import step_errors
from symbackprop.targets.numpy.module import numpy_module
from symbackprop.verification.checked_module import ModuleUnderCheck, under_check
from symbackprop.verification.judged_equations import Equations

__all__ = [
    "Picture",
    "format_of",
    "plot_costs",
    "plot_jacobian",
    "plot_losses",
    "plot_network",
    "plot_steps",
]


def plot_network(model: Model, wrt: Sequence[str] | None = None) -> Picture:
    """Every equation a box below those that it reads, with the derivatives that the gradient keeps."""
    return network_drawing(network_layout(model.derive(wrt).derivation))


def plot_steps(model: Model, wrt: Sequence[str] | None = None, seed: int = 0) -> Picture:
    """The error of forward and central differences and of the complex step, against their step.

    VerificationError where no declared tensor of `wrt` is free to move, or the model is finite nowhere.
    """
    checked, equations = _judged(model, wrt)
    return step_chart(step_errors(checked, equations, seed), model.name)


def plot_losses(
    model: Model,
    wrt: Sequence[str] | None = None,
    rates: Sequence[float] = RATES,
    steps: int = STEPS,
    seed: int = 0,
) -> Picture:
    """The loss at each step of gradient descent on random data, a line for each rate.

    VerificationError where `wrt` names intermediates alone, or the model is finite nowhere.
    """
    checked, equations = _judged(model, wrt)
    return descent_chart(descents(checked, equations, rates, steps, seed), model.name)


def plot_jacobian(model: Model, of: str = "", wrt: Sequence[str] | None = None, seed: int = 0) -> Picture:
    """Where the derivatives of the tensor `of` by those of `wrt` are not 0.

    `of` is by default what the loss compares with its targets, `wrt` all inputs and parameters that it is
    computed from. DerivationError where there are none, VerificationError where there are too many elements.
    """
    of = of or _judged(model, wrt)[0].module.OUTPUTS[0]
    system, weights = weighted(model.system, of)
    wanted = wrt or reached_tensors(model.system, of)
    if not wanted:
        raise DerivationError(worded("'{of}' is computed from no input and no parameter", of=of))
    checked, equations = _judged(Model(system), wanted)
    return jacobian_drawing(jacobian_pattern(checked, equations, of, weights, seed), model.name)


def plot_costs(model: Model, wrt: Sequence[str] | None = None) -> Picture:
    """The operations of each way of differentiating, against the size of every open axis.

    NotationError where the model leaves no size open.
    """
    derived = model.derive(wrt)
    computations = Computations.of(numpy_module(derived.program).printed())
    curves = cost_curves(model.system, operations_of_ways(computations))
    if curves is None:
        raise NotationError(
            worded("every axis of '{model}' has a size", model=model.name),
            remedy=worded("leave one open: index b : B"),
        )
    return cost_chart(curves, model.name)


def _judged(model: Model, wrt: Sequence[str] | None) -> tuple[ModuleUnderCheck, Equations]:
    """The verified module of the gradient, and the equations that it is held against."""
    derived = model.derive(wrt)
    return under_check(derived.module()), Equations(model.system, derived.derivation)
