"""Models whose sizes are related in the form that was published: T + 1 states, packed gates, a cut output."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.emission.loading import load_module
from symbackprop.lowering.programs import lower
from tests.models.classics import RELATED_SIZES, load_classic, small_sample
from tests.models.judges import assert_close
from tests.models.published import assert_as_published, evaluated
from tests.models.step_checker import total_gradient
from tests.programs import numpy_source

# No axis is of the size that another one is by accident, where that is cheap.
SIZES = {
    "gaussian_mixture_packed": {"N": 1, "K": 2, "D": 3, "A": 6},
    "gru_packed": {"N": 1, "T": 2, "S": 3, "D": 1, "H": 2, "K": 4},
    "linear_chain_crf": {"N": 1, "T": 3, "R": 2, "K": 2},
    "local_level_filter": {"T": 3, "S": 4},
    "lstm_diagonal": {"T": 2, "S": 3, "B": 2, "K": 8},
    "lstm_packed": {"N": 1, "T": 2, "S": 3, "D": 1, "H": 2, "K": 8},
    "mixture_density": {"N": 2, "K": 3, "D": 1, "O": 9},
    "recurrent_states": {"N": 1, "T": 2, "S": 3, "D": 1, "H": 2},
    "selective_scan": {"T": 2, "S": 3, "D": 1, "N": 2},
    "thirty_layers": {"B": 1, "L": 30, "S": 31, "D": 1},
}


def test_every_model_has_sizes() -> None:
    assert set(SIZES) == {path.stem for path in RELATED_SIZES.iterdir()}


@pytest.mark.parametrize("name", SIZES)
def test_as_published(name: str) -> None:
    classic = load_classic(name, RELATED_SIZES)
    derivation = derive(classic.system, classic.wrt)
    assert sum(replayed(derivation).values()) >= len(derivation.steps)
    assert_as_published(derivation, classic)
    values, sizes = small_sample(classic.system, SIZES[name])
    ours = evaluated(derivation.system, derivation.equations, values, sizes)
    theirs = evaluated(derivation.system, tuple(classic.published.values()), values, sizes)
    for tensor in classic.published:
        np.testing.assert_allclose(ours[tensor], theirs[tensor], rtol=1e-9, atol=1e-12, err_msg=tensor)
    module = load_module(numpy_source(lower(derivation)), name)
    params = {tensor: values[tensor] for tensor in module.PARAMETERS}
    grads = module.grad(params, **{tensor: values[tensor] for tensor in values.keys() - params})
    for tensor in classic.wrt:
        stepped = total_gradient(derivation.system, values, sizes, tensor)
        assert_close(theirs[f"grad_{tensor}"], stepped, f"the complex step of {tensor}")
        assert_close(grads[tensor], stepped, f"the module's {tensor}")
