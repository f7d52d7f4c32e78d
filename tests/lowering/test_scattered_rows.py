"""Sums with a delta of a lookup: what depends on the index is read at the place, and added up there."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from tests.programs import numpy_source

HEAD = "index n : N\nindex k : K\nindex d : D\ninput ids[n] in K\nparam C[k,d], x[n,d]\n"


@pytest.mark.parametrize(
    "loss", ["(C[ids[n],d] - x[n,d])^2", "x[n,d]*C[ids[n],d]^3", "tanh(C[ids[n],d]*x[n,d])"]
)
def test_rows_that_depend_on_the_place_are_read_there(loss: str) -> None:
    """C[k,d] - x[n,d] beside delta(ids[n],k) is C[ids[n],d] - x[n,d]: no mask over n, k and d."""
    derivation = derive(parse_system(f"{HEAD}loss E = sum(n, d, {loss})\n"), ["C"])
    source = numpy_source(lower(derivation))
    assert "scatter_add(ids, " in source and "np.arange(K)" not in source
    rng = np.random.default_rng(5)
    ids, rows, x = np.array([3, 0, 3, 1]), rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    module = load_module(source, "rows")
    found = module.grad({"C": rows, "x": x}, ids)["C"]
    step = 1e-6
    for place in np.ndindex(rows.shape):
        moved = np.zeros_like(rows)
        moved[place] = step
        above, below = (module.loss({"C": rows + sign * moved, "x": x}, ids) for sign in (1, -1))
        assert abs(found[place] - (above - below) / (2 * step)) < 1e-8
