"""The module and the program of a recurrence, held against the naive evaluator and the complex step."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import numpy as np

from symbackprop.array.interpreter import interpret
from symbackprop.array.program import Program
from symbackprop.derivation.result import Derivation
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.systems.system import System
from tests.models.step_checker import total_gradient


def drawn(system: System, sizes: Mapping[str, int], rng: np.random.Generator) -> dict[str, Array]:
    """N(0,1) for every tensor that the model declares, and any places for one of integers."""
    declared = [each for each in system.tensors.values() if each.name not in system.definitions]
    found: dict[str, Array] = {}
    for each in declared:
        shape = [sizes[index.axis.name] for index in each.indices]
        integers = each.values and rng.integers(sizes[each.values.name], size=shape)
        found[each.name] = rng.normal(size=shape) if integers is None else integers
    return found


def expect_agreement(
    derivation: Derivation,
    program: Program,
    module: ModuleType,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
) -> None:
    """Assert that the loss is the naive evaluator's, and each gradient that of the complex step."""
    params = {name: values[name] for name in derivation.gradients}
    others = {name: value for name, value in values.items() if name not in params}
    loss, grads = module.value_and_grad(params, **others)
    run = interpret(program, dict(values))
    np.testing.assert_allclose(loss, evaluate(derivation.system, values, sizes)["E"], rtol=1e-12)
    for wrt in params:
        wanted = total_gradient(derivation.system, values, sizes, wrt)
        np.testing.assert_allclose(grads[wrt], wanted, rtol=1e-9, atol=1e-12, err_msg=wrt)
        np.testing.assert_allclose(run[program.gradients[wrt]], wanted, rtol=1e-9, atol=1e-12)
