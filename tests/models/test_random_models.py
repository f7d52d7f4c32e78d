"""Random models and their judges: the naive evaluator, the complex step, HIPS autograd, and the program."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import NaiveEvaluator
from tests.models.autograd_oracle import loss_and_gradients
from tests.models.random_models import SIZES, model_texts, parsed, random_values
from tests.models.step_checker import check_every_step, total_gradient
from tests.programs import numpy_source
from tests.sweeps import swept

MODELS = int(os.environ.get("SYMBACKPROP_RANDOM_MODELS", "60"))
MOST_EQUATIONS = (6, 8, 6, 12, 6, 8)  # a part each, so that several processes share the work
PARTS = len(MOST_EQUATIONS)
SETTINGS = settings(
    max_examples=MODELS // PARTS,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def assert_close(actual: object, expected: object, message: str) -> None:
    scale = max(1.0, float(np.max(np.abs(np.asarray(expected)), initial=0.0)))
    np.testing.assert_allclose(np.asarray(actual), expected, rtol=1e-8, atol=1e-9 * scale, err_msg=message)


def check_model(text: str, with_complex_step: bool = True) -> None:
    """Equations and program against autograd, and autograd against the slow but obvious complex step."""
    system = parsed(text)
    values = random_values(system)
    derivation = derive(system)
    known = evaluate(derivation.system, values, SIZES)
    for equation in derivation.equations:
        known[equation.tensor] = NaiveEvaluator(known, SIZES).array(equation.expression, equation.indices)
    loss, gradients = loss_and_gradients(system, values, SIZES, derivation.wrt)
    module = load_module(numpy_source(lower(derivation)), "random")
    parameters = {name: values[name] for name in module.PARAMETERS}
    others = {name: value for name, value in values.items() if name not in parameters}
    program_loss, program_gradients = module.value_and_grad(parameters, **others)
    assert_close(program_loss, loss, f"loss\n{text}")
    for name, equation in derivation.gradients.items():
        if with_complex_step:
            stepped = total_gradient(system, values, SIZES, name)
            assert_close(stepped, gradients[name], f"the judges differ on {name}\n{text}")
        assert_close(known[equation.tensor], gradients[name], f"equation of {name}\n{text}")
        assert_close(program_gradients[name], gradients[name], f"program of {name}\n{text}")


@pytest.mark.parametrize("part", swept(range(PARTS), 1))
def test_gradients_of_random_models(part: int) -> None:
    @SETTINGS
    @seed(part)
    @given(model_texts(MOST_EQUATIONS[part]))
    def gradients_agree(text: str) -> None:
        check_model(text, with_complex_step=part == 0)

    gradients_agree()


@pytest.mark.parametrize("part", swept(range(PARTS), 1))
def test_gradients_of_random_models_with_matrices(part: int) -> None:
    @settings(SETTINGS, max_examples=max(5, MODELS // 20 // PARTS))
    @seed(part)
    @given(model_texts(most_equations=4, most_matrices=2))
    def gradients_agree(text: str) -> None:
        check_model(text)
        system = parsed(text)
        check_every_step(derive(system), random_values(system), SIZES)

    gradients_agree()


@pytest.mark.parametrize("part", swept(range(PARTS), 1))
def test_every_step_of_random_derivations(part: int) -> None:
    @settings(SETTINGS, max_examples=max(10, MODELS // 10 // PARTS))
    @seed(part)
    @given(model_texts(most_equations=4))
    def steps_keep_the_value(text: str) -> None:
        system = parsed(text)
        check_every_step(derive(system), random_values(system), SIZES)

    steps_keep_the_value()
