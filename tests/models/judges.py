"""A model before its judges: the naive evaluator, the complex step, HIPS autograd, and every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from tests.models.autograd_oracle import loss_and_gradients
from tests.models.classics import small_sample
from tests.models.step_checker import check_every_step, total_gradient
from tests.programs import numpy_source


def assert_close(actual: object, expected: object, message: str, rtol: float = 1e-8) -> None:
    scale = max(1.0, float(np.max(np.abs(np.asarray(expected)), initial=0.0)))
    np.testing.assert_allclose(
        np.asarray(actual), expected, rtol=rtol, atol=rtol / 10 * scale, err_msg=message
    )


def judge(
    text: str,
    wrt: Sequence[str] | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    steps: bool = True,
    program: bool = True,
    derivation: Derivation | None = None,
) -> Derivation:
    """Hold a model's gradient, as equations and as a program, against every judge; return its derivation.

    That may be at hand.
    """
    system = parse_system(text)
    values, sizes = small_sample(system, sizes)
    derivation = derivation or derive(system, wrt)
    known = evaluate(derivation.as_system(), values, sizes)
    loss, gradients = loss_and_gradients(system, values, sizes, derivation.wrt)
    for name, equation in derivation.gradients.items():
        stepped = total_gradient(system, values, sizes, name)
        assert_close(stepped, gradients[name], f"the judges differ on {name}")
        assert_close(known[equation.tensor], gradients[name], f"equation of {name}")
    if steps:
        assert check_every_step(derivation, values, sizes) > 0
    if program:
        judge_program(derivation, values, loss, gradients)
    return derivation


def judge_program(
    derivation: Derivation, values: dict[str, Array], loss: float, gradients: dict[str, Array]
) -> None:
    """The emitted module in both precisions, which must not change what it is given."""
    module = load_module(numpy_source(lower(derivation)), "judged")
    for dtype, rtol in ((np.float64, 1e-8), (np.float32, 2e-3)):
        given = {name: _as(dtype, array) for name, array in values.items()}
        before = {name: array.copy() for name, array in given.items()}
        parameters = {name: given[name] for name in module.PARAMETERS}
        others = {name: array for name, array in given.items() if name not in parameters}
        found, found_gradients = module.value_and_grad(parameters, **others)
        assert_close(found, loss, f"loss in {dtype.__name__}", rtol)
        for name, expected in gradients.items():
            assert found_gradients[name].dtype == dtype, name
            assert_close(found_gradients[name], expected, f"program of {name}, {dtype.__name__}", rtol)
        assert all(np.array_equal(before[name], given[name]) for name in given)


def _as(dtype: type, array: Array) -> Array:
    return array if array.dtype.kind in "iu" else array.astype(dtype)
