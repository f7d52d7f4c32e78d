"""Random index arithmetic before every judge."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.models.judges import judge
from tests.models.random_positions import model_texts
from tests.sweeps import swept

MODELS = int(os.environ.get("SYMBACKPROP_RANDOM_MODELS", "150")) // 5
PARTS = 6
SETTINGS = settings(
    max_examples=max(1, MODELS // PARTS),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("part", swept(range(PARTS), 1))
def test_gradients_of_random_index_arithmetic(part: int) -> None:
    @SETTINGS
    @seed(part)
    @given(model_texts())
    def gradients_agree(text: str) -> None:
        judge(text, steps=part == 0)

    gradients_agree()


def test_a_guard_is_not_left_out_with_the_condition_of_another_read() -> None:
    """Found above: the delta says that -b is no place below 0, and not that b + 1 is a place of x."""
    judge(
        "index a : A = 2\nindex b : B = 3\nindex c : C = 1\nparam x[a,b], t[b,c]\n"
        "y[a,b] = max(c, pad(x[a,b + 1])*pad(t[floor((-b)/2),c]))\nloss E = sum(a, b, y[a,b]^2)\n",
        steps=True,
    )
