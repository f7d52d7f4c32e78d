"""Random models of partial functions: the gradient is finite and right wherever what is read is."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from tests.models.judges import assert_close
from tests.models.lazy import lazy_gradient, lazy_loss
from tests.models.random_partial import SIZES, data, model_text
from tests.programs import numpy_source
from tests.sweeps import swept


def check(seed: int) -> int:
    """Hold the module of a seed's model against the judge; return how many tensors were compared."""
    text = model_text(seed)
    system = parse_system(text)
    module = load_module(numpy_source(lower(derive(system))), "partial")
    compared = 0
    for draw in range(2):
        values = data(1000 * seed + draw)
        loss = lazy_loss(system, values, SIZES)
        if not np.isfinite(loss):
            continue
        parameters = {name: values[name] for name in module.PARAMETERS}
        others = {name: array for name, array in values.items() if name not in parameters}
        with np.errstate(all="ignore"):
            found, gradients = module.value_and_grad(parameters, **others)
        assert_close(found, loss, f"loss\n{text}")
        for name in parameters:
            expected = lazy_gradient(system, values, SIZES, name)
            finite = np.isfinite(expected)
            assert_close(np.asarray(gradients[name])[finite], expected[finite], f"{name}\n{text}\n{values}")
            compared += 1
    return compared


@pytest.mark.parametrize("seed", swept(range(20), 5))
def test_what_is_not_chosen_leaves_the_gradient_finite(seed: int) -> None:
    check(seed)
