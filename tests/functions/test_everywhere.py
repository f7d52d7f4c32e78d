"""Random models with each function: equations, steps and module against the complex step and autograd."""

from __future__ import annotations

import os

import pytest

from symbackprop.functions.table import FUNCTIONS
from tests.functions.random_functions import model_text
from tests.models.judges import judge

NAMES = [name for name, record in FUNCTIONS.items() if name != "trigamma" and not record.shown_by_definition]
SEEDS = int(os.environ.get("SYMBACKPROP_RANDOM_FUNCTIONS", "1"))


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("function", NAMES)
def test_gradients_of_models_with_a_function(function: str, seed: int) -> None:
    judge(model_text(function, seed))


def test_a_seed_gives_one_model() -> None:
    texts = {model_text(name, seed) for name in NAMES for seed in range(3)}
    assert len(texts) == 3 * len(NAMES)
    assert model_text("tanh", 1) == model_text("tanh", 1)
