"""What a module must be on one draw of data, and what is said where it is something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import MismatchError
from symbackprop.notation.substitution import holds_derivative
from symbackprop.numerics.differences import IMAGINARY_STEP, WIDER_IMAGINARY_STEP
from symbackprop.numerics.tolerance import agree, all_finite, largest_of
from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.kinks import RandomlyRounded, kinks_of, places_at
from symbackprop.semantics.evaluation import SystemEvaluator
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import System
from symbackprop.verification.checked_module import CheckedCodeError
from symbackprop.verification.locating import first_that_differs, lines_for
from symbackprop.verification.results import (
    REPORT,
    Compared,
    Subject,
    as_numbers,
    on_data,
    results,
    shown,
)

Array: TypeAlias = NDArray[Any]

ROUNDED_EVALUATIONS = 6  # each rounds what is not exact up or down, by chance
MOST_QUOTIENTS = 3  # elements of a derivative inside the model: each takes a hundred digits


def hold(subject: Subject, draw: Draw) -> bool:
    """Raise MismatchError where the module, or the unsimplified adjoint, is not what the equations are.

    False where nothing is said: the chain rule turned out to be undefined on these data, as for sqrt(h)^2 at
    h = 0, or at a kink it is a matter of rounding which side a program takes.
    """
    compared = [*_slope(subject, draw), *results(subject, draw, is_once=draw.is_at_kinks)]
    wrong = [each for each in compared if not agree(each.found, each.expected, 0.0)]
    if not wrong:
        return True
    if draw.is_at_kinks:
        return _hold_at_kinks(subject, draw, wrong)
    return agree_where_told(subject, draw, wrong)


def agree_where_told(subject: Subject, draw: Draw, compared: Sequence[Compared]) -> bool:
    """Raise MismatchError where one differs by more than rounding, and the chain rule is defined.

    False where it is not: there a module may say what it likes.
    """
    wrong = beyond_rounding(subject, draw, compared)
    if wrong:
        wider = subject.in_a_wider_range(draw)
        wrong = beyond_rounding(subject, wider, [_in_range(each, wider) for each in wrong])
    told = _where_told(subject, draw, wrong) if wrong else []
    is_told = all(new.found is old.found for new, old in zip(told, wrong, strict=True))
    for each in wrong if is_told else beyond_rounding(subject, draw, told):
        raise MismatchError(_message(subject, draw, each), remedy=REPORT)
    return not wrong


def _in_range(compared: Compared, wider: Draw) -> Compared:
    """The same, as expected in a wider range of numbers where those expect one of float64."""
    with np.errstate(over="ignore"):
        expected = np.asarray(compared.meaning(wider)).astype(np.float64)
    return replace(compared, expected=np.where(np.isfinite(expected), expected, compared.expected))


def beyond_rounding(subject: Subject, draw: Draw, compared: Sequence[Compared]) -> list[Compared]:
    """Those that differ by more than the rounding of their terms, looked at as long as there are any.

    A gradient that is 0 as a product of two differences, both 0, hides what its terms round to: there the
    closed form multiplied out says it, as far as the rounding of the largest number in sight.
    """
    left = [(each, 0.0) for each in compared if not agree(each.found, each.expected, 0.0)]
    left = _still_beyond(left, subject.rounded(draw), 0.0)
    vanishing = [(each, by) for each, by in left if largest_of([each.expected]) <= by]
    hidden = _still_beyond(vanishing, subject.rounded_closed_forms(draw), 0.0)
    known = {id(each) for each, _ in vanishing} - {id(each) for each, _ in hidden}
    return [each for each, _ in left if id(each) not in known]


def _still_beyond(
    left: Sequence[tuple[Compared, float]], moved: Iterator[Draw], largest: float
) -> list[tuple[Compared, float]]:
    """Those that differ by more than they have moved so far, and how far they have moved in all draws."""
    found = list(left)
    for one in moved if found else ():
        unsteady = [(each, max(by, largest_of([each.meaning(one) - each.expected]))) for each, by in found]
        found = [(each, by) for each, by in unsteady if not agree(each.found, each.expected, largest, by)]
        if not found:
            break
    return found


def _hold_at_kinks(subject: Subject, draw: Draw, wrong: Sequence[Compared]) -> bool:
    """Raise MismatchError where one differs; False where nothing is said.

    The chain rule is undefined there, or rounding decides which side of a kink is taken.
    What moves data by a rounding moves them off the kink: there operations alone say what that amounts to.
    """
    beyond = _beyond(draw, wrong)
    told = _beyond(draw, _where_told(subject, draw, beyond) if beyond else [])
    left = _still_beyond([(each, 0.0) for each in told], subject.rounded_at_kinks(draw), draw.largest)
    if left and not _rounding_decides(subject, draw):
        raise MismatchError(_message(subject, draw, left[0][0]), remedy=REPORT)
    return not beyond


def _beyond(draw: Draw, compared: Sequence[Compared]) -> list[Compared]:
    return [each for each in compared if not agree(each.found, each.expected, draw.largest)]


def _rounding_decides(subject: Subject, draw: Draw) -> bool:
    """Whether the data are so near a kink that other roundings of what is not exact may decide."""
    model, values, sizes = subject.model, draw.values, draw.sizes
    others = [RandomlyRounded.of(model, values, sizes, seed) for seed in range(ROUNDED_EVALUATIONS)]
    return places_at(kinks_of(model), draw.known, sizes, others) is None


def _where_told(subject: Subject, draw: Draw, wrong: Sequence[Compared]) -> list[Compared]:
    """The results, as expected where the chain rule is undefined, and a module may say what it likes.

    Where it is defined but for the rounding of what cancels in it, a module may find no number.
    """
    undefined = replace(draw, adjoints=subject.undefined_adjoints(draw.values, draw.sizes))
    if not all_finite(undefined.adjoints.values()):
        wrong = [replace(each, found=_where_defined(each, undefined)) for each in wrong]
    if all(all_finite([np.asarray(each.found)]) for each in wrong):
        return list(wrong)
    for cancelling in subject.cancelling(draw):
        wrong = [replace(each, found=_where_finite(each, cancelling)) for each in wrong]
    return list(wrong)


def _where_defined(compared: Compared, undefined: Draw) -> Any:
    """What was found, and what is expected where either is not finite, as the chain rule is somewhere."""
    return _found_where(compared, lambda found: np.isfinite(found) & np.isfinite(compared.meaning(undefined)))


def _where_finite(compared: Compared, cancelling: Draw) -> Any:
    """What was found, and what is expected where neither is finite."""
    return _found_where(
        compared, lambda found: np.isfinite(found) | np.isfinite(compared.meaning(cancelling))
    )


def _found_where(compared: Compared, told: Callable[[Array], Array]) -> Any:
    """What was found where that tells, and what is expected elsewhere."""
    found = np.asarray(compared.found)
    if found.shape != compared.expected.shape or found.dtype.kind != "f" or told(found).all():
        return compared.found
    return np.where(told(found), found, compared.expected)


def hold_inner_derivatives(model: System, draw: Draw) -> None:
    """Raise MismatchError where what stands for a derivative inside the model is no difference quotient."""
    evaluator = SystemEvaluator(draw.known, draw.sizes, system=model, given=draw.values)
    rng = np.random.default_rng(0)
    for equation in model.equations:
        expected = np.asarray(draw.known[equation.tensor])
        if not holds_derivative(equation.expression) or not expected.size:
            continue
        for flat in rng.permutation(expected.size)[:MOST_QUOTIENTS]:
            place = np.unravel_index(flat, expected.shape)
            at = dict(zip(equation.indices, map(int, place), strict=True))
            quotient = np.asarray(evaluator.expression(equation.expression, at), dtype=float)
            if not agree(expected[place], quotient, largest_of(draw.known.values())):
                raise MismatchError(
                    f"the derivative inside the model is {expected[place]:.15g}, a difference quotient of a "
                    f"hundred digits {quotient:.15g}, {on_data(draw.sizes)}\n"
                    f"equation: {equation_text(equation)}",
                    remedy=REPORT,
                )


def _slope(subject: Subject, draw: Draw) -> Iterator[Compared]:
    """How the loss moves in one direction of all tensors, by a complex step through the model's equations.

    It knows no rule of calculus, so that it sees what is wrong in the unsimplified adjoints as well. Tensors
    whose gradients all but vanish stand still: of them the complex step would show rounding alone.
    """
    rng = np.random.default_rng(0)
    directions = {}
    # An adjoint that is 0 but for the rounding of what cancels in it must not be scaled up to a slope.
    least = max(1e-3, 1e-4 * draw.largest)
    for name in (each for each in subject.derivation.wrt if each in draw.told):
        scale = max(float(np.hypot.reduce(np.ravel(draw.adjoints[name]), initial=0.0)), least)
        directions[name] = rng.normal(size=np.shape(draw.adjoints[name])) / scale

    def expected(other: Draw) -> Array:
        return np.asarray(sum(np.vdot(other.adjoints[name], each) for name, each in directions.items()))

    judged = expected(draw)
    slope = _slope_along(subject, draw, directions, IMAGINARY_STEP)
    if not agree(slope, judged, 0.0):
        # 1e-170 leaves kinks alone, but is lost in what is 1e-150 itself, where 1e-30 is not.
        wider = _slope_along(subject, draw, directions, WIDER_IMAGINARY_STEP)
        told = [each for each in (slope, wider) if np.isfinite(each)]
        if not told:
            return  # log(0) within the equations, say, in a place whose value is finite all the same
        slope = min(told, key=lambda each: abs(float(each - judged)))
    name = "the slope of the loss by a complex step"
    yield Compared(name, slope, judged, expected, "", "unsimplified adjoints")


def holds_along_one_direction(subject: Subject, draw: Draw) -> bool:
    """Whether loss and outputs are those of the equations, and the gradients their slope in one direction.

    The direction has a part of each tensor as large as another's, so that each gradient weighs as much. The
    adjoints of the draw are not looked at.
    """
    try:
        loss, gradients = subject.checked.value_and_grad(draw.values)
        outputs = subject.checked.forward(draw.values)
    except CheckedCodeError:
        return False
    numbers = {name: as_numbers(each, name, subject.module.program) for name, each in outputs.items()}
    numbers = {str(subject.model.loss): loss, **numbers}
    largest = largest_of((*draw.known.values(), *gradients.values()))
    rng, least = np.random.default_rng(0), 1e-3 * max(1.0, largest)  # what is 0 but for rounding stays small
    scales = {name: max(float(np.linalg.norm(each)), least) for name, each in gradients.items()}
    directions = {name: rng.normal(size=np.shape(each)) / scales[name] for name, each in gradients.items()}
    slope = _slope_along(subject, draw, directions, IMAGINARY_STEP)
    judged = np.asarray(sum(np.vdot(gradients[name], each) for name, each in directions.items()))
    return agree(judged, slope, 10.0) and all(
        agree(each, np.asarray(draw.known[name]), largest)
        for name, each in numbers.items()
        if name in draw.known
    )


def _slope_along(subject: Subject, draw: Draw, directions: Mapping[str, Array], step: float) -> Array:
    """dE along the directions, by an imaginary step of this size."""
    steps = {name: 1j * step * direction for name, direction in directions.items()}
    loss, model = str(subject.model.loss), subject.smooth_model if draw.is_at_kinks else subject.model
    moved = evaluate_system(model, draw.values, draw.sizes, added=steps, only=[loss])
    return np.asarray(np.imag(moved[loss]) / step, dtype=float)


def _message(subject: Subject, draw: Draw, wrong: Compared) -> str:
    """The result that is wrong, the equation where it goes wrong first, and the statement."""
    found, expected = np.asarray(wrong.found), wrong.expected
    if found.shape != expected.shape or found.dtype.kind != "f":
        how = f" is an array of {found.dtype} and shape {found.shape}, not {expected.shape}"
    else:
        place = np.unravel_index(int(np.argmax(_distance(found, expected))), expected.shape)
        at = f"[{','.join(map(str, place))}]" if place else ""
        how = f"{at} is {found[place]:.15g}, but {expected[place]:.15g} by the {wrong.judge}"
    first = f"{wrong.name}{how}, {on_data(draw.sizes)}"
    return "\n".join([first, *_place(subject, draw, wrong)])


def _distance(found: Array, expected: Array) -> Array:
    apart = np.abs(found - expected)
    return np.where(np.isfinite(apart), apart, np.inf)


def _place(subject: Subject, draw: Draw, wrong: Compared) -> list[str]:
    """The first closed form that is not its unsimplified adjoint, or the first statement not its equation."""
    derivation, module = subject.derivation, subject.module
    closed = evaluate_system(derivation.as_system(), draw.values, draw.sizes)
    largest = largest_of((*draw.known.values(), *draw.adjoints.values()))
    for adjoint in derivation.adjoints:
        name = adjoint.equation.tensor
        if adjoint.kept and not agree(closed[name], np.asarray(draw.adjoints[adjoint.tensor]), largest):
            return shown(module, adjoint.equation, lines_for(module.program, name))
    found = first_that_differs(module, subject.checked, draw.values, closed)
    if found is not None:
        return shown(module, found.origin.source, (found,))
    gradients = derivation.gradients
    asked = gradients[wrong.tensor].tensor if wrong.tensor in gradients else wrong.tensor
    equations = {**derivation.system.definitions, **{each.tensor: each for each in derivation.equations}}
    return [f"equation: {equation_text(equations[asked])}"] if asked in equations else []
