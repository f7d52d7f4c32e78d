"""What a module must be on one draw of data, and what is said where it is something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.program import Line
from symbackprop.derivation.result import Derivation
from symbackprop.emission.printed import PrintedModule
from symbackprop.errors import MismatchError
from symbackprop.notation.substitution import holds_derivative
from symbackprop.numerics.differences import IMAGINARY_STEP
from symbackprop.numerics.tolerance import agree, all_finite, largest_of
from symbackprop.sampling.draws import Draw
from symbackprop.sampling.finite_data import Values
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.semantics.evaluation import SystemEvaluator
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import DECLARED_ROLES, Equation, System
from symbackprop.verification.checked_module import CheckedCodeError, ModuleUnderCheck
from symbackprop.verification.locating import first_that_differs, line_raising, lines_for
from symbackprop.verification.rounding import moved_by_rounding
from symbackprop.verification.unsimplified import undefined_adjoints, unsimplified_adjoints

Array: TypeAlias = NDArray[Any]

ROUNDINGS = 1e-13
MOST_QUOTIENTS = 3  # elements of a derivative inside the model: each takes a hundred digits
REPORT = "this is a bug in symbackprop, and nothing was written; please report it with the model"


@dataclass(frozen=True)
class Subject:
    """A derivation, the module made of it, and that module imported; `model` is what it is held against."""

    derivation: Derivation
    model: System
    module: PrintedModule
    checked: ModuleUnderCheck

    def adjoints(self, values: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
        """The derivatives of the loss before any simplification."""
        known = evaluate_system(self.derivation.system, values, sizes)
        return unsimplified_adjoints(self.derivation, known, sizes)

    def undefined_adjoints(self, values: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
        """The same, not finite where the chain rule is undefined, though an adjoint be 0 there by chance."""
        known = evaluate_system(self.derivation.system, values, sizes)
        return undefined_adjoints(self.derivation, known, sizes)


def hold(subject: Subject, draw: Draw) -> bool:
    """Raise MismatchError where the module, or the unsimplified adjoint, is not what the equations are.

    False where the chain rule turned out to be undefined on these data, as for sqrt(h)^2 at h = 0.
    """
    largest = largest_of((*draw.known.values(), *draw.adjoints.values()))
    compared = [*_slope(subject, draw), *_results(subject, draw)]
    wrong = [each for each in compared if not agree(each.found, each.expected, largest)]
    if not wrong:
        return True
    moved = _perturbed(subject, draw)
    undefined = replace(draw, adjoints=subject.undefined_adjoints(draw.values, draw.sizes))
    is_defined = all_finite(undefined.adjoints.values())
    for each in wrong:
        unsteady = largest_of([each.meaning(moved) - each.expected])
        found = each.found if is_defined else _where_defined(each, undefined)
        if not agree(found, each.expected, largest, unsteady):
            raise MismatchError(_message(subject, draw, each), remedy=REPORT)
    return is_defined


def _where_defined(compared: _Compared, undefined: Draw) -> Any:
    """What was found, and what is expected where either is not finite, as the chain rule is somewhere."""
    found, meaning = np.asarray(compared.found), compared.meaning(undefined)
    if found.shape != compared.expected.shape or found.dtype.kind != "f":
        return found
    return np.where(np.isfinite(found) & np.isfinite(meaning), found, compared.expected)


def run_on_anything(subject: Subject) -> None:
    """Run a module for which no data are finite; MismatchError unless it computes something or refuses."""
    _run(subject, model_sizes(subject.model))


def run_on_empty_axes(subject: Subject) -> None:
    """Run a module on each open axis empty; MismatchError unless it computes something or refuses."""
    for axis in subject.model.axes:
        if axis.size is None:
            _run(subject, {**model_sizes(subject.model), axis.name: 0})


def _run(subject: Subject, sizes: Mapping[str, int]) -> None:
    rng = np.random.default_rng(0)
    values: Values = {}
    for tensor in subject.model.with_role(*DECLARED_ROLES):
        shape = tuple(sizes[index.axis.name] for index in tensor.indices)
        if tensor.values is None:
            values[tensor.name] = rng.uniform(0.5, 1.5, shape)
        else:
            values[tensor.name] = rng.integers(0, max(1, sizes[tensor.values.name]), shape)
    try:
        subject.checked.value_and_grad(values)
    except CheckedCodeError as error:
        if not isinstance(error.__cause__, ValueError | np.linalg.LinAlgError):
            said = [error.cause, _on_data(sizes), *_raised(subject, error)]
            raise MismatchError("\n".join(said), remedy=REPORT) from error


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
                    f"hundred digits {quotient:.15g}, {_on_data(draw.sizes)}\n"
                    f"equation: {equation_text(equation)}",
                    remedy=REPORT,
                )


@dataclass(frozen=True)
class _Compared:
    """A result, what it should be by a judge, and how that is read off a draw; `tensor` is what it is of."""

    name: str
    found: Any
    expected: Array
    meaning: Callable[[Draw], Array]
    tensor: str
    judge: str = "equations"


def _results(subject: Subject, draw: Draw) -> Iterator[_Compared]:
    """Loss, gradients and outputs of the module; MismatchError where it raises, or is no pure function."""
    loss, checked = str(subject.model.loss), subject.checked
    try:
        found_loss, gradients = checked.value_and_grad(draw.values)
        again_loss, again = checked.value_and_grad(draw.values)
        outputs = checked.forward(draw.values)
    except CheckedCodeError as error:
        said = [error.cause, _on_data(draw.sizes), *_raised(subject, error)]
        raise MismatchError("\n".join(said), remedy=REPORT) from error
    if set(gradients) != set(subject.derivation.wrt):
        raise MismatchError("the module gives other gradients than were asked for", remedy=REPORT)
    found = {loss: found_loss, **gradients}
    fault = _impurity(draw, found, {loss: again_loss, **again}, gradients) or _widened(subject, draw)
    if fault:
        raise MismatchError(fault, remedy=REPORT)
    yield _known(loss, found_loss, draw)
    for name, gradient in gradients.items():
        meaning = _adjoint_of(name)
        yield _Compared(f"the module's d{loss}/d{name}", gradient, meaning(draw), meaning, name)
    for name, output in outputs.items():
        if name in draw.known:
            yield _known(name, output, draw)


def _known(name: str, found: Any, draw: Draw) -> _Compared:
    return _Compared(
        name, found, np.asarray(draw.known[name]), lambda each: np.asarray(each.known[name]), name
    )


def _adjoint_of(name: str) -> Callable[[Draw], Array]:
    return lambda draw: np.asarray(draw.adjoints[name])


def _impurity(
    draw: Draw, found: Mapping[str, Any], again: Mapping[str, Any], gradients: Mapping[str, Any]
) -> str:
    """What a pure function would not do; "" where nothing of the kind is seen."""
    for name in found:
        if not np.array_equal(found[name], again[name], equal_nan=True):
            return f"the module gives another {name} the second time"
    held = {**draw.values, **{f"gradient of {name}": array for name, array in gradients.items()}}
    for (one, first), (other, second) in combinations(held.items(), 2):
        if other not in draw.values and np.may_share_memory(first, second):
            return f"{other} shares memory with {one}"
    return ""


def _widened(subject: Subject, draw: Draw) -> str:
    """Which result is no float32 where all data are; "" where all are."""
    narrow = {
        name: array if array.dtype.kind in "iu" else array.astype(np.float32)
        for name, array in draw.values.items()
    }
    if all(array.dtype.kind in "iu" for array in narrow.values()):
        return ""
    loss, gradients = subject.checked.value_and_grad(narrow)
    for name, found in {str(subject.model.loss): loss, **gradients}.items():
        if np.asarray(found).dtype != np.float32:
            return f"{name} is of {np.asarray(found).dtype} where the data are float32"
    return ""


def _slope(subject: Subject, draw: Draw) -> Iterator[_Compared]:
    """How the loss moves in one direction of all tensors, by a complex step through the model's equations.

    It knows no rule of calculus, so that it sees what is wrong in the unsimplified adjoints as well.
    """
    rng = np.random.default_rng(0)
    directions = {}
    # An adjoint that is 0 but for the rounding of what cancels in it must not be scaled up to a slope.
    least = max(1e-3, 1e-4 * largest_of((*draw.known.values(), *draw.adjoints.values())))
    for name in subject.derivation.wrt:
        scale = max(float(np.linalg.norm(draw.adjoints[name])), least)
        directions[name] = rng.normal(size=np.shape(draw.adjoints[name])) / scale
    steps = {name: 1j * IMAGINARY_STEP * direction for name, direction in directions.items()}
    loss = str(subject.model.loss)
    moved = evaluate_system(subject.model, draw.values, draw.sizes, added=steps, only=[loss])
    slope = np.asarray(np.imag(moved[loss]) / IMAGINARY_STEP, dtype=float)

    def expected(other: Draw) -> Array:
        return np.asarray(sum(np.vdot(other.adjoints[name], each) for name, each in directions.items()))

    if not np.isfinite(slope):
        return  # log(0) within the equations, say, in a place whose value is finite all the same
    name = "the slope of the loss by a complex step"
    yield _Compared(name, slope, expected(draw), expected, "", "unsimplified adjoints")


def _perturbed(subject: Subject, draw: Draw) -> Draw:
    """The draw with data that are off by a few hundred roundings."""
    values = moved_by_rounding(draw.values, ROUNDINGS, np.random.default_rng(1))
    known = evaluate_system(subject.model, values, draw.sizes)
    return Draw(draw.sizes, values, known, subject.adjoints(values, draw.sizes))


def _message(subject: Subject, draw: Draw, wrong: _Compared) -> str:
    """The result that is wrong, the equation where it goes wrong first, and the statement."""
    found, expected = np.asarray(wrong.found), wrong.expected
    if found.shape != expected.shape or found.dtype.kind != "f":
        how = f" is an array of {found.dtype} and shape {found.shape}, not {expected.shape}"
    else:
        place = np.unravel_index(int(np.argmax(_distance(found, expected))), expected.shape)
        at = f"[{','.join(map(str, place))}]" if place else ""
        how = f"{at} is {found[place]:.15g}, but {expected[place]:.15g} by the {wrong.judge}"
    first = f"{wrong.name}{how}, {_on_data(draw.sizes)}"
    return "\n".join([first, *_place(subject, draw, wrong)])


def _distance(found: Array, expected: Array) -> Array:
    apart = np.abs(found - expected)
    return np.where(np.isfinite(apart), apart, np.inf)


def _place(subject: Subject, draw: Draw, wrong: _Compared) -> list[str]:
    """The first closed form that is not its unsimplified adjoint, or the first statement not its equation."""
    derivation, module = subject.derivation, subject.module
    closed = evaluate_system(derivation.as_system(), draw.values, draw.sizes)
    largest = largest_of((*draw.known.values(), *draw.adjoints.values()))
    for adjoint in derivation.adjoints:
        name = adjoint.equation.tensor
        if adjoint.kept and not agree(closed[name], np.asarray(draw.adjoints[adjoint.tensor]), largest):
            return _shown(module, adjoint.equation, lines_for(module.program, name))
    found = first_that_differs(module, subject.checked, draw.values, closed)
    if found is not None:
        return _shown(module, found.origin.source, (found,))
    asked = derivation.gradients[wrong.tensor].tensor if wrong.tensor in draw.adjoints else wrong.tensor
    equations = {**derivation.system.definitions, **{each.tensor: each for each in derivation.equations}}
    return [f"equation: {equation_text(equations[asked])}"] if asked in equations else []


def _raised(subject: Subject, error: CheckedCodeError) -> list[str]:
    """The equation, and the statement of it, that raised an error; nothing where none did."""
    line = line_raising(error.__cause__ or error, subject.checked, subject.module)
    return [] if line is None else _shown(subject.module, line.origins[0].source, (line,))


def _shown(module: PrintedModule, equation: Equation, lines: Sequence[Line]) -> list[str]:
    """An equation, and the statement that computes it."""
    code = module.code_of(lines[0]) if lines else ""
    return [f"equation: {equation_text(equation)}", *([f"statement: {code}"] if code else [])]


def sizes_text(sizes: Mapping[str, int]) -> str:
    """N=2, I=3; "" where there are no axes."""
    return ", ".join(f"{axis}={size}" for axis, size in sizes.items())


def _on_data(sizes: Mapping[str, int]) -> str:
    return f"on data of {sizes_text(sizes) or 'no axes'}"
