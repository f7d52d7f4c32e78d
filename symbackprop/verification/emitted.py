"""A module is run before anyone gets it, against what its model's equations mean.

Loss and outputs are held against the equations, each gradient against the adjoints as they were before any
simplification, and those against one complex step through the equations. What the header says is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.derivation.result import Derivation
from symbackprop.emission.loading import load_module
from symbackprop.emission.numpy_module import NumpyModule, numpy_module
from symbackprop.errors import MismatchError, SymbackpropError
from symbackprop.notation.expressions import Axis
from symbackprop.notation.substitution import holds_derivative
from symbackprop.program.lowering import lower
from symbackprop.verification.axes import (
    equation_over,
    evaluation_visits,
    large_axes,
    model_sizes,
    with_axes,
)
from symbackprop.verification.draws import Draws
from symbackprop.verification.holding import REPORT, Subject, hold, hold_inner_derivatives
from symbackprop.verification.module import ModuleUnderCheck, under_check

VERIFIED = "Verified before it was written: loss and gradients are those of the equations, on random data"
NO_DATA = "Run, but not verified: no data were found on which loss and gradient are finite."
# Nodes that the fast evaluator visits in about half a second.
MOST_VISITS = 20_000_000


def verification_of(derivation: Derivation, module: NumpyModule) -> str:
    """What the header says of a module that has been run and agrees with its equations.

    Raises MismatchError where it does not: the message names the equation and the first statement that
    differs. Axes of many values are left open for it, where no index arithmetic depends on their sizes.
    """
    model = derivation.model
    if any(holds_derivative(equation.expression) for equation in model.equations):
        # `hold_inner_derivatives` sees to the derivatives that have been worked out in it.
        model = derivation.system
    axes = large_axes(model) if evaluation_visits(model, model_sizes(model)) > MOST_VISITS else {}
    if axes:
        model, module = with_axes(model, axes), numpy_module(lower(_over(derivation, axes)))
    subject = Subject(derivation, model, module, _imported(module))
    shown: dict[str, None] = {}
    for draw in Draws(model, subject.adjoints):
        hold(subject, draw)
        hold_inner_derivatives(derivation.model, draw)
        shown[", ".join(f"{axis}={size}" for axis, size in draw.sizes.items())] = None
    if not shown:
        return NO_DATA
    sizes = " and ".join(each for each in shown if each)
    return f"{VERIFIED} of sizes {sizes}." if sizes else f"{VERIFIED}."


def _over(derivation: Derivation, axes: Mapping[Axis, Axis]) -> Derivation:
    """The derivation's equations over other axes, as far as lowering reads them."""
    adjoints = tuple(
        replace(adjoint, equation=equation_over(adjoint.equation, axes)) for adjoint in derivation.adjoints
    )
    return replace(derivation, system=with_axes(derivation.system, axes), adjoints=adjoints)


def _imported(module: NumpyModule) -> ModuleUnderCheck:
    try:
        return under_check(load_module(module.text(), module.program.model))
    except SymbackpropError as error:
        raise MismatchError(error.cause, remedy=REPORT) from error
    except Exception as error:
        raise MismatchError(
            f"the module cannot be imported: {type(error).__name__}: {error}", remedy=REPORT
        ) from error
