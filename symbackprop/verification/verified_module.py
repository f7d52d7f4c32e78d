"""A module is run before anyone gets it, against what its model's equations mean.

Loss and outputs are held against the equations, each gradient against the adjoints as they were before any
simplification, and those against one complex step through the equations. What the header says is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.printed import PrintedModule
from symbackprop.emission.target import Target
from symbackprop.errors import MismatchError, SymbackpropError, UncertainError, VerificationError
from symbackprop.languages.phrases import marked, worded
from symbackprop.notation.expressions import Axis
from symbackprop.notation.substitution import holds_derivative
from symbackprop.sampling.draws import Draws
from symbackprop.sampling.small_axes import (
    equation_over,
    evaluation_cost,
    large_axes,
    scaled_down,
    with_axes,
)
from symbackprop.systems.system import System
from symbackprop.verification.checked_module import ModuleUnderCheck, under_check
from symbackprop.verification.conformance import hold, hold_inner_derivatives
from symbackprop.verification.empty_axes import hold_on_empty_axes, run_on_anything
from symbackprop.verification.results import REPORT, Subject, sizes_text

VERIFIED = "Verified before it was written: loss and gradients are those of the equations, on random data"
NO_DATA = marked("Run, but not verified: no data were found on which loss and gradient are finite.")
# Nodes that the fast evaluator visits in about half a second.
MOST_VISITS = 20_000_000


def verification_of(target: Target, derivation: Derivation, module: PrintedModule) -> str:
    """What the header says of a module that has been run and agrees with its equations.

    Raises MismatchError where it does not: the message names the equation and the first statement that
    differs. Where the declared sizes would take too long, smaller ones are tried; UncertainError where there
    are none.
    """
    subject = _subject_of(target, derivation, module)
    shown: dict[str, None] = {}
    for draw in Draws(subject.model, subject.adjoints, asked=frozenset(subject.derivation.wrt)):
        is_defined = hold(subject, draw)
        if not draw.is_at_kinks:  # there no difference quotient is a derivative
            hold_inner_derivatives(subject.derivation.model, draw)
        if is_defined and draw.is_named:
            shown[sizes_text(draw.sizes)] = None
    if not shown:
        run_on_anything(subject)
        return NO_DATA
    hold_on_empty_axes(subject)
    sizes = " and ".join(each for each in shown if each)
    return f"{VERIFIED} of sizes {sizes}." if sizes else f"{VERIFIED}."


def _subject_of(target: Target, derivation: Derivation, module: PrintedModule) -> Subject:
    """What is held against its equations: the module itself, or that of the same model on smaller axes.

    Axes that no index arithmetic depends on are left open, which changes no equation. Where that is not
    enough all large ones are made smaller in proportion, and the gradient is derived again.
    """
    model = computed_model(derivation)
    if evaluation_cost(model) <= MOST_VISITS:
        return Subject(derivation, model, module, _imported(target, module))
    axes = large_axes(derivation.model)
    opened = with_axes(model, axes)
    if evaluation_cost(opened) <= MOST_VISITS:
        module = target.emitted(derivation_over(derivation, axes))
        return Subject(derivation, opened, module, _imported(target, module))
    try:
        derivation = derive(scaled_down(with_axes(derivation.model, axes)), derivation.wrt)
    except VerificationError as error:
        raise UncertainError(
            worded("the module cannot be run before it is handed out: {said}", said=error.cause),
            remedy=worded(
                "generate it with --no-verify (verify=False), or a copy of the model with smaller sizes"
            ),
        ) from error
    module = target.emitted(derivation)
    return Subject(derivation, computed_model(derivation), module, _imported(target, module))


def computed_model(derivation: Derivation) -> System:
    """The model, or the one in which its inner derivatives, held apart, have been worked out."""
    stated = any(holds_derivative(equation.expression) for equation in derivation.model.equations)
    return derivation.system if stated else derivation.model


def derivation_over(derivation: Derivation, axes: Mapping[Axis, Axis]) -> Derivation:
    """The derivation's equations over other axes, as far as lowering reads them."""
    adjoints = tuple(
        replace(adjoint, equation=equation_over(adjoint.equation, axes)) for adjoint in derivation.adjoints
    )
    return replace(derivation, system=with_axes(derivation.system, axes), adjoints=adjoints)


def _imported(target: Target, module: PrintedModule) -> ModuleUnderCheck:
    try:
        return under_check(target.load(module.text, module.program.model))
    except SymbackpropError as error:
        raise MismatchError(error.cause, remedy=REPORT) from error
    except Exception as error:
        raise MismatchError(
            f"the module cannot be imported: {type(error).__name__}: {error}", remedy=REPORT
        ) from error
