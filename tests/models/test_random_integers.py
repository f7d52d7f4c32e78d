"""Random integer arithmetic before every judge: positions, conditions, values, lookups, scatters."""

from __future__ import annotations

import os

import pytest

from tests.models.judges import judge
from tests.models.random_integers import IntegerModels

MODELS = int(os.environ.get("SYMBACKPROP_RANDOM_MODELS", "500")) * 3 // 25
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_gradients_of_random_integer_arithmetic(part: int) -> None:
    for seed in range(part, max(PARTS, MODELS), PARTS):
        model = IntegerModels(seed)
        try:
            judge(model.text(), sizes=model.sizes, steps=seed % 8 == 0)
        except Exception as error:
            raise AssertionError(f"seed {seed}:\n{model.text()}") from error
