"""Is the gradient right? Held against central differences, the complex step and the naive evaluator.

A model is derived, generated and checked in one go; a module is checked as it stands in its file. Neither
comparison trusts the derivation: central differences know only the module's own loss, the complex step only
the naive evaluator, which knows only the equations. Derivatives inside a model are held, as it states them,
against difference quotients in a hundred digits; the complex step then trusts what came of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.emission.loading import load_module
from symbackprop.emission.numpy_module import numpy_source
from symbackprop.errors import VerificationError
from symbackprop.notation.evaluation import evaluate
from symbackprop.notation.substitution import holds_derivative
from symbackprop.notation.system import Role, System
from symbackprop.program.lowering import lower
from symbackprop.simplification.closed_form import derive
from symbackprop.simplification.symmetry import stated_symmetries
from symbackprop.verification.axes import (
    MOST_VISITS,
    axis_names,
    evaluation_visits,
    model_sizes,
    with_small_axes,
)
from symbackprop.verification.differences import Quotients, central_differences, complex_step, sample_of
from symbackprop.verification.facts import sample_obeying_facts
from symbackprop.verification.matrices import symmetric_part, unsound_matrices
from symbackprop.verification.module import CheckedCodeError, ModuleUnderCheck, load_file, under_check
from symbackprop.verification.report import (
    CENTRAL_DIFFERENCES,
    COMPLEX_STEP,
    INNER_QUOTIENTS,
    NAIVE_EVALUATOR,
    OWN_GRADIENT,
    OWN_LOSS,
    CheckReport,
    CheckRow,
    compare_arrays,
    compare_quotients,
    compare_sample,
    failure,
    largest_number,
    uncompared,
)
from symbackprop.verification.sampling import Values, different_sizes

Array: TypeAlias = NDArray[Any]

DECLARED = (Role.PARAMETER, Role.INPUT, Role.TARGET, Role.CONSTANT)
FEWEST_MOVED = 5  # elements of a tensor
NO_FACTS = System("", (), {}, ())
ATTEMPTS = 5  # draws of data until no element lies at a kink

Sampler: TypeAlias = Callable[[np.random.Generator], Values]
Further: TypeAlias = Callable[[Values, Any, Mapping[str, Any]], list[CheckRow]]


def check_model(system: System, seed: int = 0, wrt: Sequence[str] = ()) -> CheckReport:
    """Derive and generate the gradient and check it, by default that of every parameter.

    `wrt` may name inputs and intermediates too; these last are held against the complex step alone, for the
    module's loss cannot be asked about them. Without parameters, every input is checked. Raises
    VerificationError where no data can be found on which the model is finite and its facts hold.
    """
    free = system.with_role(Role.PARAMETER) or system.with_role(Role.INPUT)
    asked = tuple(wrt) or tuple(tensor.name for tensor in free)
    stated = with_small_axes(system)
    derivation = derive(stated, asked)
    system = derivation.system
    checked = under_check(load_module(numpy_source(lower(derivation)), system.name))
    sizes = model_sizes(stated)
    shapes = {tensor.name: axis_names(tensor.indices) for tensor in system.with_role(*DECLARED)}

    integers = {
        tensor.name: tensor.values.name for tensor in system.with_role(*DECLARED) if tensor.values is not None
    }

    def finite(values: Values) -> bool | str:
        known = evaluate(system, values, sizes)
        is_finite = all(bool(np.all(np.isfinite(array))) for array in known.values())
        return is_finite and (unsound_matrices(system, known) or True)

    def sample(rng: np.random.Generator) -> Values:
        return sample_obeying_facts(system, shapes, sizes, rng, finite, integers)

    def against_equations(values: Values, loss: Any, gradients: Mapping[str, Any]) -> list[CheckRow]:
        inner = _rows_of_inner_derivatives(stated, system, values, sizes)
        return [*inner, *_rows_against_equations(system, values, sizes, loss, gradients)]

    rows = _rows_without_kinks(checked, seed, sample, against_equations)
    return CheckReport(system.name, seed, sizes, rows)


def check_module(path: Path | str, seed: int = 0) -> CheckReport:
    """Check a generated module, edited by hand or not, against central differences of its own loss.

    Importing the file runs its code. Raises VerificationError where it cannot be imported, has not the names
    of a generated module, gives gradients of intermediates alone, or no finite loss on any data tried.
    """
    path = Path(path)
    checked = load_file(path)
    if not set(checked.asked) & set(checked.shapes):
        raise VerificationError(
            f"{path} gives gradients of intermediates alone, which its loss() cannot be asked about",
            remedy="check the model that it was generated from",
        )
    axes = [axis for names in checked.shapes.values() for axis in names]
    sizes = different_sizes(axes, checked.shapes.values(), checked.sizes)

    def finite(values: Values) -> bool:
        return bool(np.isfinite(checked.loss(values)))

    def sample(rng: np.random.Generator) -> Values:
        facts = checked.facts or NO_FACTS
        return sample_obeying_facts(facts, checked.shapes, sizes, rng, finite, checked.integers)

    def not_compared(values: Values, loss: Any, gradients: Mapping[str, Any]) -> list[CheckRow]:
        return [
            uncompared(name, "an intermediate: check the model") for name in gradients if name not in values
        ]

    rows = _rows_without_kinks(checked, seed, sample, not_compared)
    return CheckReport(path.name, seed, sizes, rows)


def _rows_without_kinks(
    checked: ModuleUnderCheck, seed: int, sample: Sampler, further: Further
) -> tuple[CheckRow, ...]:
    """The rows on the first draw on which every element can be compared, else on the last."""
    rng = np.random.default_rng(seed)
    for _ in range(ATTEMPTS):
        values = sample(rng)
        rows = _rows_on(checked, values, further)
        if not any(row.skipped for row in rows):
            break
    return tuple(rows)


def _rows_on(checked: ModuleUnderCheck, values: Values, further: Further) -> list[CheckRow]:
    try:
        loss, gradients = checked.value_and_grad(values)
        alone = checked.grad(values)
    except CheckedCodeError as error:
        return [failure("gradient", CENTRAL_DIFFERENCES, error.cause)]
    if set(gradients) != set(checked.asked) or set(alone) != set(gradients):
        note = f"gives gradients of {', '.join(gradients)}, FORMULAS has {', '.join(checked.asked)}"
        return [failure("gradient", CENTRAL_DIFFERENCES, note)]
    own_loss = np.asarray(checked.loss(values))
    quotients = {name: _differences(checked, values, name) for name in checked.asked if name in values}
    largest = largest_number(own_loss, *(quotient.values for quotient in quotients.values()))
    return [
        compare_arrays(checked.loss_name, OWN_LOSS, loss, own_loss, 0.0),
        _same_gradients(alone, gradients, largest),
        *(
            compare_quotients(name, _comparable(checked, gradients, name), found, largest)
            for name, found in quotients.items()
        ),
        *further(values, loss, gradients),
    ]


def _differences(checked: ModuleUnderCheck, values: Values, name: str) -> Quotients:
    """Central differences; a matrix that a fact calls symmetric is moved with its mirror image."""
    if not _is_symmetric(checked, name):
        return central_differences(checked.loss, values, name)

    def loss(point: Mapping[str, Array]) -> float:
        return checked.loss({**point, name: symmetric_part(point[name])})

    return central_differences(loss, values, name)


def _comparable(checked: ModuleUnderCheck, gradients: Mapping[str, Any], name: str) -> Any:
    """The gradient; of a matrix that a fact calls symmetric, what is seen along symmetric matrices."""
    gradient = np.asarray(gradients[name])
    is_square = gradient.ndim > 1 and gradient.shape[-1] == gradient.shape[-2]
    return symmetric_part(gradient) if is_square and _is_symmetric(checked, name) else gradient


def _is_symmetric(checked: ModuleUnderCheck, name: str) -> bool:
    return checked.facts is not None and name in stated_symmetries(checked.facts)


def _same_gradients(alone: Mapping[str, Any], gradients: Mapping[str, Any], largest: float) -> CheckRow:
    """One row, the worst of all tensors, for the gradients of grad() and those of value_and_grad()."""
    rows = [
        compare_arrays(name, OWN_GRADIENT, alone[name], np.asarray(gradients[name]), largest)
        for name in gradients
    ]
    worst = max(rows, key=lambda row: (not row.ok, row.worst))
    return worst if len(rows) == 1 or not worst.ok else replace(worst, tensor="all")


def _rows_of_inner_derivatives(
    stated: System, system: System, values: Values, sizes: Mapping[str, int]
) -> list[CheckRow]:
    """What stands in `system` for the equations with derivatives in them, against difference quotients."""
    names = [equation.tensor for equation in stated.equations if holds_derivative(equation.expression)]
    if not names:
        return []
    derived = evaluate(system, values, sizes, only=names)
    numerical = evaluate(stated, values, sizes, only=names)
    return [compare_arrays(name, INNER_QUOTIENTS, derived[name], numerical[name], 0.0) for name in names]


def _rows_against_equations(
    system: System, values: Values, sizes: Mapping[str, int], loss: Any, gradients: Mapping[str, Any]
) -> list[CheckRow]:
    """The loss and the gradients against the naive evaluator of the model's equations."""
    known = evaluate(system, values, sizes)
    name = str(system.loss)

    def naive_loss(point: Mapping[str, Array]) -> Any:
        return evaluate(system, point, sizes, only=[name])[name]

    most = max(FEWEST_MOVED, MOST_VISITS // (evaluation_visits(system, sizes) * len(gradients)))
    chosen = {asked: sample_of(known[asked], most) for asked in gradients}
    derivatives = {
        asked: complex_step(naive_loss, {**values, asked: known[asked]}, asked, chosen[asked])
        for asked in gradients
    }
    largest = largest_number(known[name], *derivatives.values())
    return [
        compare_arrays(name, NAIVE_EVALUATOR, loss, known[name], 0.0),
        *(
            compare_sample(asked, COMPLEX_STEP, gradients[asked], found, chosen[asked], largest)
            for asked, found in derivatives.items()
        ),
    ]
