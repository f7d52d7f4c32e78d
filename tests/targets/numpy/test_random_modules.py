"""Emitted modules of random expressions against the naive evaluator."""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from symbackprop.emission.loading import load_module
from symbackprop.notation.expressions import Expression
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.system import System
from tests.array.random_expressions import LAYOUTS, SIZES, data, expressions, system_of
from tests.programs import lower_system, numpy_source

SLOW = settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


LARGEST_IN_FLOAT32 = 1e30


def outputs_of(module: ModuleType, values: dict[str, NDArray[Any]]) -> dict[str, Any]:
    results = module.forward({}, *(values[name] for name in LAYOUTS))
    return dict(zip(module.OUTPUTS, [results] if len(module.OUTPUTS) == 1 else results, strict=True))


@SLOW
@given(st.lists(expressions(), min_size=1, max_size=3), st.booleans())
def test_a_module_computes_what_the_equations_mean(drawn: list[Expression], reverse: bool) -> None:
    system: System = system_of(*drawn, reverse=reverse)
    source = numpy_source(lower_system(system))
    module = load_module(source, "random")
    expected = {name: array.astype(float) for name, array in evaluate(system, data(), SIZES).items()}
    assume(all(np.all(np.abs(array) < LARGEST_IN_FLOAT32) for array in expected.values()))
    computed = outputs_of(module, data())
    single = outputs_of(module, {name: array.astype(np.float32) for name, array in data().items()})
    for name, value in computed.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-9)
        assert value.shape == expected[name].shape
        assert (value.dtype, single[name].dtype) == (np.float64, np.float32)
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef) and function.name != "_checked":
            assert not any(isinstance(node, ast.For | ast.While) for node in ast.walk(function))
    assert "einsum" not in source
