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
    # the range of the slice was empty, and h[2] beside it read all the same
    "a fixed step in a range that may be empty": (
        "index t, s : T\nparam p, q[s]\nh[t] = q[t] + sum(s, where(s + 1 <= t and s == 2, h[s]*p, 0))\n"
        "loss E = sum(t, h[t])",
        ["p", "q"],
    ),
    # a condition that takes an inverse guarded that very inverse
    "an inverse beside a comparison of it": (
        "index c, d : C\nindex t : T\nparam p\ninput m[t,c,d]\n"
        "h[t,c] = where(not t > 0, p, min(sin(pad(h[t - 1,c]))/inv(m[t])[c,c], 1))\n"
        "loss E = sum(t, c, h[t,c])",
        ["p"],
    ),
    # delta(ids[a], a) read x[a] at ids[a], and that at ids[ids[a]], for ever
    "a second derivative through a lookup": (
        "index a : A\ninput ids[a] in A\nconst x[a]\nparam v\nu[a] = sigmoid(v*x[a])*x[ids[a]]\n"
        "g[a] = diff(u[a], x[a])\nh[a] = diff(g[a], x[a])\nloss E = sum(a, h[a])",
        ["v"],
    ),
    # real parts of 1e-80 in the complex step decided which of the equal terms comes first
    "a maximum of terms that are all equal": (
        "index c : C\nindex t, s : T = 5\ninput x[c]\nparam p[c]\n"
        "h[c,t] = max(s, where(s + 1 <= t, h[1,s], 0))*x[c]\nloss E = sum(c, t, h[c,t]) + sum(c, p[c])",
        ["p", "x", "h"],
    ),
    # delta(t, 2) was contracted first, and the adjoint at every step read the one at 2
    "a recurrence that one step leaves": (
        "index t : T\nparam p\ninput x[t]\nh[t] = pad(h[t-1])*delta(t, 2)*p + x[t]*p\n"
        "loss E = sum(t, h[t]^2)",
        ["p"],
    ),
    # padding one axis of an inverse gave the shortened axis beside it another name
    "an inverse in a range, read at a window": (
        "index a, b : A\nindex c : C\nparam v[a], m[c,a,b]\n"
        "loss E = sum(c, sum(a, b, inv(m[c])[a,1]*where(c - 2 >= 0, 1, 0)*pad(v[b - a])))",
        ["v", "m"],
    ),
    # (i*h)^(3/2)/h is no slope, unless h is very small
    "a power at its singular point": (
        "index a : A\nparam p, q[a]\nv = where(p > 9, 1, 0)\nw = (3*v)^(3/2) + p\n"
        "loss E = sum(a, w^2 + q[a])",
        ["p", "v"],
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_the_module_is_verified(name: str) -> None:
    text, wrt = FOUND[name]
    header = sb.loads(text).derive(wrt).to_numpy()[:700]
    assert "Verified before it was written" in header


@pytest.mark.parametrize(
    ("value", "said"), [("tanh(log(h[t]))", "Verified before"), ("log(h[t])", "Run, but not verified")]
)
def test_a_loss_that_is_infinite_on_all_data_is_not_called_verified(value: str, said: str) -> None:
    """log(0) within a finite loss is no hindrance: tanh takes it to -1."""
    text = f"index t : T\nparam p, x[t]\nh[t] = pad(h[t-1])\nv[t] = {value}\nloss E = sum(t, v[t]*x[t]) + p"
    assert said in sb.loads(text).derive(["p"]).to_numpy()[:700]
