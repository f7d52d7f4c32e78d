"""Small models whose modules were once refused by their own verification, or could not be made."""

from __future__ import annotations

import pytest

import symbackprop as sb

FOUND = {
    # the bound s of one factor was taken for the s of another's guard, and moved there for ever
    "a sum over the past beside another": (
        "index b, b2 : B\nindex t, s : T\ninput x[b]\ntarget x4\nparam m5[s]\n"
        "h7[t,b] = sin(sum(b2, sum(s, where(s < t, tanh(h7[s,b2] + t), 0))*x4))/m5[t] + x[b]\n"
        "loss E = sum(t, b, h7[t,b])",
        ["x4"],
    ),
    # delta(p, c) put c, an index of another axis, where the tensor beside it is read at p
    "two axes read at one constant": (
        "index a : A\nindex c : C\nparam m[c], v[a]\nloss E = v[floor(1/2)]/m[floor(1/2)]",
        ["m", "v"],
    ),
    "two axes read in strides": (
        "index a : A\nindex c : C\nindex r : R\nparam m[c], v[a], w[r]\nloss E = sum(r, w[r]*v[2*r]*m[2*r])",
        ["m", "v", "w"],
    ),
    # dE/dv is 0, and dE/dp read it before it was there
    "an intermediate that the loss does not depend on": ("param p\nv = p\nloss E = 1", ["p", "v"]),
    # log(0) within a tensor that is finite all the same
    "an infinity inside": (
        "index t : T\nparam p, x[t]\nh[t] = pad(h[t-1])\nv[t] = tanh(log(h[t]))\n"
        "loss E = sum(t, v[t]*x[t]) + p",
        ["p"],
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_the_module_is_verified(name: str) -> None:
    text, wrt = FOUND[name]
    header = sb.loads(text).derive(wrt).to_numpy()[:700]
    assert "Verified before it was written" in header
