"""Axes that no tensor has, whose sizes are declared or given with the call; sizes written by name."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.pipeline import loads

HEAD = "index a, b : A{}\nindex t : T\nparam p[t]\n"
NEEDING = (
    "v[t] = sum(a, p[t])\nloss E = sum(t, v[t]^2)\n",
    "v[t] = mean(a, exp(a*p[t]))\nloss E = mean(t, v[t])\n",
    "loss E = sum(a, b, t, delta(a, b)*p[t])*sum(a, b, where(a < b, 1, 0))\n",
)


@pytest.mark.parametrize("equations", NEEDING)
def test_a_size_is_declared_or_given_with_the_call(equations: str) -> None:
    declared = loads(HEAD.format(" = 3") + equations).derive().module()
    given = loads(HEAD.format("") + equations).derive().module()
    params = {"p": np.array([0.5, -2.0])}
    assert given.loss(params, A=3) == declared.loss(params)
    assert np.isfinite(declared.loss(params))


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
