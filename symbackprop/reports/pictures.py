"""Pictures of a model: its network, its costs, its Jacobians, descents, the errors of numerical methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike

from symbackprop.derivation.reverse import tensors_named
from symbackprop.errors import DerivationError, NotationError
from symbackprop.explanation.programs.computations import Computations
from symbackprop.explanation.ways import operations_of_ways
from symbackprop.languages.phrases import worded
from symbackprop.pipeline import Model
from symbackprop.plotting.canvas import Picture, format_of, shown_in
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
    "shown_in",
]


def plot_network(model: Model, wrt: str | Sequence[str] | None = None, lang: str = "en") -> Picture:
    """Every equation a box below those that it reads, with the derivatives that the gradient keeps."""
    language = shown_in(lang)
    return network_drawing(network_layout(model.derive(wrt).derivation, language), language)


def plot_steps(
    model: Model, wrt: str | Sequence[str] | None = None, seed: int = 0, lang: str = "en"
) -> Picture:
    """The error of forward and central differences and of the complex step, against their step.

    VerificationError where no declared tensor of `wrt` is free to move, or the model is finite nowhere.
    """
    checked, equations = _judged(model, wrt)
    return step_chart(step_errors(checked, equations, seed), model.name, shown_in(lang))


def plot_losses(
    model: Model,
    wrt: str | Sequence[str] | None = None,
    rates: Sequence[float] = RATES,
    steps: int = STEPS,
    seed: int = 0,
    data: Mapping[str, ArrayLike] | None = None,
    lang: str = "en",
) -> Picture:
    """The loss at each step of gradient descent, a line for each rate.

    `data` gives arrays of declared tensors by name: inputs, targets, a start for parameters. What it leaves
    out is random, from the seed; by default everything is. VerificationError where `wrt` names intermediates
    alone, the data do not fit the model, or the model is finite nowhere.
    """
    checked, equations = _judged(model, wrt)
    found = descents(checked, equations, rates, steps, seed, data or {})
    return descent_chart(found, model.name, shown_in(lang), bool(data))


def plot_jacobian(
    model: Model, of: str = "", wrt: str | Sequence[str] | None = None, seed: int = 0, lang: str = "en"
) -> Picture:
    """Where the derivatives of the tensor `of` by those of `wrt` are not 0.

    `of` is by default what the loss compares with its targets, `wrt` all inputs and parameters that it is
    computed from. DerivationError where there are none, VerificationError where there are too many elements.
    """
    of = of or _judged(model, wrt)[0].module.OUTPUTS[0]
    system, weights = weighted(model.system, of)
    wanted = tensors_named(wrt) or reached_tensors(model.system, of)
    if not wanted:
        raise DerivationError(worded("'{of}' is computed from no input and no parameter", of=of))
    checked, equations = _judged(Model(system), wanted)
    pattern = jacobian_pattern(checked, equations, of, weights, seed)
    return jacobian_drawing(pattern, model.name, shown_in(lang))


def plot_costs(model: Model, wrt: str | Sequence[str] | None = None, lang: str = "en") -> Picture:
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
    return cost_chart(curves, model.name, shown_in(lang))


def _judged(model: Model, wrt: str | Sequence[str] | None) -> tuple[ModuleUnderCheck, Equations]:
    """The verified module of the gradient, and the equations that it is held against."""
    derived = model.derive(wrt)
    return under_check(derived.module()), Equations(model.system, derived.derivation)
