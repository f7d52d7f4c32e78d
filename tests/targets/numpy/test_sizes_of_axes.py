"""Axes that no tensor has, whose sizes are asked for only where they are needed; sizes written by name."""

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


PICTURE = (
    "index n : N\nindex i, j : {I}\nindex r, s : {R}\nindex o : {O}\ninput x[n,i,j]\nparam w[o,r,s]\n"
    "u[n,o,i,j] = sum(r, s, w[o,r,s]*pad(x[n,i+r-1,j+s-1]))\nloss E = 1/2*sum(n, o, i, j, u[n,o,i,j]^2)\n"
)


@pytest.mark.parametrize(
    ("sizes", "reshaped"),
    [
        ({"I": "I = 4", "R": "R = 3", "O": "O = 2"}, "reshape(2, 9)"),
        ({"I": "I = 4", "R": "R = 3", "O": "O = 4"}, "reshape(O, R * R)"),  # one number for two axes
        ({"I": "I", "R": "R = 3", "O": "O = 3"}, "reshape(O, R * R)"),
        ({"I": "I", "R": "R = 3", "O": "O"}, "reshape(O, 9)"),
    ],
)
def test_sizes_that_two_axes_share_are_written_by_name(sizes: dict[str, str], reshaped: str) -> None:
    derived = loads(PICTURE.format(**sizes)).derive()
    source = derived.to_numpy()  # which has run it
    assert reshaped in source
    assert ('SIZES["O"]' in source.partition("def _forward")[2]) == ("R * R" in reshaped)
    module, fast = derived.module(), derived.module(fast=True)
    rng = np.random.default_rng(2)
    given = {axis: int(said.partition("= ")[2] or 4) for axis, said in sizes.items()}
    params = {"w": rng.normal(size=(given["O"], given["R"], given["R"]))}
    x = rng.normal(size=(2, given["I"], given["I"]))
    expected = module.grad(params, x)["w"]
    np.testing.assert_allclose(fast.grad(params, x, fast.workspace())["w"], expected, rtol=1e-12)
    with pytest.raises(ValueError, match="w: expected shape"):
        module.grad({"w": params["w"][:1, :1, :1]}, x)
