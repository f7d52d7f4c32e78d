"""An axis that no tensor has: its size is asked for where it is needed, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.errors import EmissionError
from symbackprop.pipeline import loads

HEAD = "index a, b : A{}\nindex t : T\nparam p[t]\n"
NEEDING = (
    "v[t] = sum(a, p[t])\nloss E = sum(t, v[t]^2)\n",
    "v[t] = mean(a, exp(a*p[t]))\nloss E = mean(t, v[t])\n",
    "loss E = sum(a, b, t, delta(a, b)*p[t])*sum(a, b, where(a < b, 1, 0))\n",
)


@pytest.mark.parametrize("equations", NEEDING)
def test_where_it_is_needed_the_message_names_it_and_the_remedy(equations: str) -> None:
    derivation = loads(HEAD.format("") + equations).derive()
    with pytest.raises(EmissionError, match="the size of axis A cannot be read") as raised:
        derivation.to_numpy()
    assert raised.value.remedy == "declare it: index a : A = 10"


@pytest.mark.parametrize("equations", NEEDING)
def test_a_declared_size_will_do(equations: str) -> None:
    module = loads(HEAD.format(" = 3") + equations).derive().module()
    assert np.isfinite(module.loss({"p": np.ones(2)}))


def test_an_equation_that_nothing_needs_needs_no_size() -> None:
    module = loads(HEAD.format("") + "v[t] = sum(a, t)\nloss E = sum(t, p[t])\n").derive().module()
    assert module.loss({"p": np.ones(2)}) == 2.0
