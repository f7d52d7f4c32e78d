"""Random integer arithmetic before every judge: positions, conditions, values, lookups, scatters."""

from __future__ import annotations

import os

import pytest

from tests.models.judges import judge
from tests.models.random_integers import IntegerModels
from tests.sweeps import swept

MODELS = int(os.environ.get("SYMBACKPROP_RANDOM_MODELS", "320")) * 3 // 25
PARTS = 6
# A guard of a read at floor((a - nums[a',c] - 3)/2) was named as a mask, where no check saw it.
FOUND = (118,)


@pytest.mark.parametrize("part", swept(range(PARTS), 1))
def test_gradients_of_random_integer_arithmetic(part: int) -> None:
    for seed in range(part, max(PARTS, MODELS), PARTS):
        _judged(seed)


@pytest.mark.parametrize("seed", FOUND)
def test_models_that_failed_once(seed: int) -> None:
    _judged(seed)


def _judged(seed: int) -> None:
    model = IntegerModels(seed)
    try:
        judge(model.text, sizes=model.sizes, steps=seed % 8 == 0)
    except Exception as error:
        raise AssertionError(f"seed {seed}:\n{model.text}") from error
