"""A model's module and interpreter against its equations, the complex step and a central difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.interpreter import interpret
from symbackprop.array.program import Program
from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.system import Role, System
from tests.models.judges import assert_close
from tests.models.step_checker import total_gradient
from tests.programs import numpy_source

Values: TypeAlias = dict[str, NDArray[np.float64]]
STEP = 1e-5


def values_of(system: System, sizes: Mapping[str, int], seed: int) -> Values:
    """Normal numbers for the declared tensors."""
    rng = np.random.default_rng(seed)
    return {
        name: 0.7
        * rng.standard_normal([index.axis.size or sizes[index.axis.name] for index in tensor.indices])
        for name, tensor in system.tensors.items()
        if tensor.role is not Role.DERIVED
    }


def hold_together(text: str, every_size: Iterable[Mapping[str, int]], seed: int = 0) -> Program:
    """Module and interpreter against the naive evaluator, the complex step and a central difference."""
    derivation = derive(parse_system(text))
    program = lower(derivation)
    module = load_module(numpy_source(program), "masks")
    for sizes in every_size:
        all_sizes = {**sizes, **program.sizes}
        values = values_of(derivation.system, all_sizes, seed)
        _hold_program(derivation, program, module, values, all_sizes)
        _hold_gradients(derivation, values, all_sizes, np.random.default_rng(seed))
    return program


def _hold_program(
    derivation: Derivation, program: Program, module: ModuleType, values: Values, sizes: Mapping[str, int]
) -> None:
    """Module and interpreter against the equations' meaning."""
    known = evaluate(derivation.as_system(), values, sizes)
    interpreted = interpret(program, values)
    params = {name: values[name] for name in module.PARAMETERS}
    others = {name: array for name, array in values.items() if name not in params}
    loss, gradients = module.value_and_grad(params, **others)
    assert_close(loss, known["E"], f"module's loss at {sizes}")
    assert_close(interpreted["E"], known["E"], f"interpreter's loss at {sizes}")
    for name, equation in derivation.gradients.items():
        assert_close(interpreted[equation.tensor], known[equation.tensor], f"interpreter's {name} at {sizes}")
        assert_close(gradients[name], known[equation.tensor], f"module's {name} at {sizes}")


def _hold_gradients(
    derivation: Derivation, values: Values, sizes: Mapping[str, int], rng: np.random.Generator
) -> None:
    """The gradient's equations against the complex step, and along one direction a central difference."""
    system = derivation.system
    known = evaluate(derivation.as_system(), values, sizes)
    expected = 0.0
    moved: dict[str, Values] = {"ahead": dict(values), "behind": dict(values)}
    for name, equation in derivation.gradients.items():
        wanted = total_gradient(system, values, sizes, name)
        assert_close(known[equation.tensor], wanted, f"equation of {name} at {sizes}")
        direction = rng.standard_normal(wanted.shape)
        expected += float(np.sum(direction * wanted))
        moved["ahead"][name] = values[name] + STEP * direction
        moved["behind"][name] = values[name] - STEP * direction
    ahead, behind = (float(evaluate(system, moved[side], sizes)["E"]) for side in ("ahead", "behind"))
    assert_close((ahead - behind) / (2 * STEP), expected, f"central difference at {sizes}", 1e-5)
