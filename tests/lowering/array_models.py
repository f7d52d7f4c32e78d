"""Models of index arithmetic and lookups, run by the interpreter and by the emitted module."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.interpreter import interpret
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.system import Role, System
from tests.programs import lower_system, numpy_source

TOLERANCE = {np.float64: 1e-9, np.float32: 2e-4}


def draw(system: System, sizes: dict[str, int], dtype: type, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Arrays for the declared tensors: normal, or for integer tensors any positions."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for tensor in system.with_role(Role.INPUT, Role.TARGET, Role.PARAMETER, Role.CONSTANT):
        shape = [sizes[index.axis.name] for index in tensor.indices]
        if tensor.values is None:
            arrays[tensor.name] = rng.normal(size=shape).astype(dtype)
        else:
            arrays[tensor.name] = rng.integers(0, sizes[tensor.values.name], size=shape)
    return arrays


def run(module: ModuleType, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """The outputs of a module by name."""
    params = {name: arrays[name] for name in module.PARAMETERS}
    others = [arrays[name] for name in arrays if name not in params and name not in module.TARGETS]
    results = module.forward(params, *others)
    results = results if len(module.OUTPUTS) > 1 else (results,)
    return dict(zip(module.OUTPUTS, results, strict=True))


def check(text: str, sizes: dict[str, int], dtype: type, seed: int = 0) -> str:
    """Interpreter and module against the naive evaluator; the module's text."""
    system = parse_system(text)
    arrays = draw(system, sizes, dtype, seed)
    before = {name: array.copy() for name, array in arrays.items()}
    program = lower_system(system)
    source = numpy_source(program)
    doubles = {
        name: array.astype(np.float64) if array.dtype == dtype else array for name, array in arrays.items()
    }
    expected = evaluate(system, doubles, sizes)
    interpreted = interpret(program, arrays)
    for name, result in run(load_module(source, "arrays"), arrays).items():
        wanted = np.asarray(expected[name], dtype=np.float64)
        np.testing.assert_allclose(interpreted[name], wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
        np.testing.assert_allclose(result, wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
        assert (result.shape, result.dtype) == (wanted.shape, dtype)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name])
    return source
