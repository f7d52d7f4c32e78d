"""A module is run before anyone gets it, against what its model's equations mean.

Loss and outputs are held against the equations, each gradient against the adjoints as they were before any
simplification, and those against one complex step through the equations. What the header says is made here.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.printed import PrintedModule
from symbackprop.emission.target import Lowered, Target
from symbackprop.errors import MismatchError, SymbackpropError, UncertainError, VerificationError
from symbackprop.languages.phrases import marked, worded
from symbackprop.memoization.equal_blocks import longest_chain, with_three_blocks
from symbackprop.notation.expressions import Axis
from symbackprop.notation.substitution import holds_derivative
from symbackprop.passes.renaming import Formulas, shape_of
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
from symbackprop.verification.conformance import hold, hold_inner_derivatives, holds_along_one_direction
from symbackprop.verification.empty_axes import hold_on_empty_axes, run_on_anything
from symbackprop.verification.results import REPORT, Subject, sizes_text

VERIFIED = "Verified before it was written: loss and gradients are those of the equations, on random data"
NO_DATA = marked("Run, but not verified: no data were found on which loss and gradient are finite.")
# Nodes that the fast evaluator visits in about half a second.
MOST_VISITS, MOST_AT_FULL_SIZE = 20_000_000, 100_000_000
FEWEST_BLOCKS = 8
FEWEST_LEFT_OUT = 150  # equations: with fewer, a shorter model's module takes longer than it spares


def verification_of(
    target: Target,
    derivation: Derivation,
    module: PrintedModule,
    shortens: bool = True,
    few: Lowered | None = None,
) -> str:
    """What the header says of a module that has been run and agrees with its equations.

    If it `shortens`, a module of very many equal blocks is run on a few data, that of three of them on all,
    or of as many as a derivation with `few` has whose program is known.
    Raises MismatchError where it does not: the message names the equation and the first statement that
    differs. Where the declared sizes would take too long, smaller ones are tried; UncertainError where there
    are none.
    """
    subject = _subject_of(target, derivation, module)
    shorter = _of_few_blocks(target, derivation, module, few) if shortens else None
    if shorter is not None and _is_joined_rightly(subject):
        subject = _subject_of(target, *shorter)
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


def _is_joined_rightly(subject: Subject) -> bool:
    """Whether the module is what its equations say on the first data that come."""
    draws = list(Draws(subject.model, subject.adjoints).without_adjoints())
    return bool(draws) and all(holds_along_one_direction(subject, draw) for draw in draws)


def _of_few_blocks(
    target: Target, derivation: Derivation, module: PrintedModule, few: Lowered | None
) -> tuple[Derivation, PrintedModule] | None:
    """The derivation of a deep model with few of its equal blocks, and its module.

    What a statement computes does not depend on how many others like it there are. None where there are few
    blocks, or a statement is, but for names, none of the shorter module's.
    """
    found = few.derivation if few else _with_three_blocks(derivation)
    if found is None or len(derivation.model.equations) - len(found.model.equations) < FEWEST_LEFT_OUT:
        return None
    emitted, written = target.printed(few.program) if few else target.emitted(found), Formulas()
    is_known = _shapes(module, written) <= _shapes(emitted, written)
    return (found, emitted) if is_known else None


def _shapes(module: PrintedModule, written: Formulas) -> set[Hashable]:
    """What the statements are but for names; of those that one function computes, of one call."""
    by_text = {(each.first, each.last): each.line for each in module.lines}
    return {shape_of(line, written) for line in by_text.values()}


def _with_three_blocks(derivation: Derivation) -> Derivation | None:
    chain = longest_chain(derivation.model.equations)
    if chain is None or chain.count < FEWEST_BLOCKS or (chain.count - 3) * chain.length < FEWEST_LEFT_OUT:
        return None
    shorter = with_three_blocks(derivation.model, chain)
    if shorter is None:
        return None
    wanted = [name for name in derivation.wrt if name in shorter.tensors]
    return derive(shorter, wanted) if wanted else None


def _subject_of(target: Target, derivation: Derivation, module: PrintedModule) -> Subject:
    """What is held against its equations: the module itself, or that of the same model on smaller axes.

    Axes that no index arithmetic depends on are left open, which changes no equation. Where that is not
    enough all large ones are made smaller in proportion, if that can be, and the gradient is derived again.
    """
    model = computed_model(derivation)
    if evaluation_cost(model) <= MOST_VISITS:
        return Subject(derivation, model, module, _imported(target, module))
    axes = large_axes(derivation.model)
    opened = with_axes(model, axes)
    smaller = None if evaluation_cost(opened) <= MOST_VISITS else _scaled_down(derivation, axes, opened)
    if smaller is None:
        module = target.emitted(derivation_over(derivation, axes))
        return Subject(derivation, opened, module, _imported(target, module))
    module = target.emitted(smaller)
    return Subject(smaller, computed_model(smaller), module, _imported(target, module))


def _scaled_down(derivation: Derivation, axes: Mapping[Axis, Axis], opened: System) -> Derivation | None:
    """The derivation on axes made smaller; None where none fit, as of 400 = 16*5*5, but patience does."""
    try:
        return derive(scaled_down(with_axes(derivation.model, axes)), derivation.wrt)
    except VerificationError as error:
        if evaluation_cost(opened) <= MOST_AT_FULL_SIZE:
            return None
        raise UncertainError(
            worded("the module cannot be run before it is handed out: {said}", said=error.cause),
            remedy=worded(
                "generate it with --no-verify (verify=False), or a copy of the model with smaller sizes"
            ),
        ) from error


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
