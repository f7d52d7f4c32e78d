"""Masks, windows, pads and maxima in random recurrences, before every judge."""

from __future__ import annotations

import pytest

from symbackprop.errors import ProgramError
from tests.models.holding import hold_together
from tests.models.random_masks import SIZES, random_model
from tests.sweeps import swept


@pytest.mark.parametrize("seed", swept(range(60), 10))
def test_random_masks(seed: int) -> None:
    try:
        hold_together(random_model(seed), SIZES)
    except ProgramError as error:
        # An adjoint whose steps cannot be put in order is refused, with a reason; anything else is a failure.
        assert "depend on one another in a circle" in str(error)
        pytest.skip("the adjoint of the model that was drawn is refused, with a reason")
