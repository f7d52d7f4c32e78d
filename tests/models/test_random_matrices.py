"""Random models with matrix functions against the naive evaluator and its complex step."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from tests.models.judges import assert_close
from tests.models.random_matrices import Writer, values_of
from tests.models.step_checker import total_gradient
from tests.programs import numpy_source
from tests.sweeps import swept

RUNS = 40


def check(seed: int, depth: int = 2) -> None:
    writer = Writer(seed, depth)
    text = writer.model()
    system = parse_system(text)
    values = values_of(seed, writer.sizes)
    derivation = derive(system)
    module = load_module(numpy_source(lower(derivation)), "random")
    parameters = {name: values[name] for name in module.PARAMETERS}
    others = {name: values[name] for name in module.INPUTS}
    loss, gradients = module.value_and_grad(parameters, **others)
    assert_close(loss, evaluate(system, values, writer.sizes)["E"], text)
    for name in derivation.wrt:
        expected = total_gradient(system, values, writer.sizes, name)
        assert np.all(np.isfinite(gradients[name])), (name, text)
        assert_close(gradients[name], expected, f"{name}\n{text}", rtol=1e-7)


@pytest.mark.parametrize("seed", swept(range(RUNS), 8))
def test_a_random_model_with_matrices(seed: int) -> None:
    check(seed, depth=1 + seed % 2)
