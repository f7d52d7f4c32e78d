"""Programs of random expressions against the naive evaluator."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbackprop.array.interpreter import interpret
from symbackprop.notation.expressions import Expression
from symbackprop.semantics.evaluation import evaluate
from tests.array.random_expressions import SIZES, data, expressions, system_of
from tests.programs import lower_system

SLOW = settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(st.lists(expressions(), min_size=1, max_size=3), st.booleans())
def test_a_program_computes_what_the_equations_mean(drawn: list[Expression], reverse: bool) -> None:
    system = system_of(*drawn, reverse=reverse)
    expected = evaluate(system, data(), SIZES)
    computed = interpret(lower_system(system), data())
    for equation in system.equations:
        np.testing.assert_allclose(
            computed[equation.tensor], expected[equation.tensor].astype(float), rtol=1e-9, atol=1e-9
        )
