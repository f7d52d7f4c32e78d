"""Axes read in digits, and counted through in them, in values, sums and adjoints: reshapes and slices."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import text
from tests.models.judges import judge
from tests.programs import numpy_source

PATCHES = (
    "index n : N\nindex c : C\nindex h : H = I/R\nindex w : W = J/R\nindex i : I\nindex j : J\n"
    "index r, s : R\nindex p : P = H*W\ninput x[n,c,i,j], dy[n,p]\nparam K[c,r,s]\n"
    "z[n,p] = sum(c, r, s, K[c,r,s]*x[n,c,size(r)*floor(p/size(w)) + r,size(r)*mod(p, size(w)) + s])\n"
    "loss E = sum(n, p, dy[n,p]*z[n,p]^3)\n"
)
UNSHUFFLED = (
    "index r : R\nindex c : C\nindex o : O = R*R*C\nindex i : I = R*P\nindex j : J = R*Q\nindex p : P\n"
    "index q : Q\nparam x[c,i,j], k[r]\n"
    "y[o,p,q] = x[mod(o, size(c)),size(r)*p + floor(o/(size(c)*size(r))),"
    "size(r)*q + mod(floor(o/size(c)), size(r))]\n"
    "loss E = sum(o, p, q, y[o,p,q]^2) + sum(r, k[r])\n"
)
BUTTERFLY = (
    "index b : B\nindex m : M\nindex k : K = 2*B*M\nparam x[k], w[m]\n"
    "u[b,m] = x[2*size(m)*b + m]\nv[b,m] = w[m]*x[2*size(m)*b + size(m) + m]\n"
    "y[k] = u[floor(k/(2*size(m))),mod(k, size(m))]"
    " + (1 - 2*mod(floor(k/size(m)), 2))*v[floor(k/(2*size(m))),mod(k, size(m))]\n"
    "loss E = sum(k, y[k]^3)\n"
)
GROUPS_OF_THREE = (
    "index g : G = 4\nindex s : S = 3\nindex c : C = 12\nparam x[c]\ninput dy[c]\n"
    "m[g] = mean(s, x[3*g + s])\ny[c] = (x[c] - m[floor(c/3)])^2\nloss E = sum(c, dy[c]*y[c])\n"
)
CHANNEL_SHUFFLE = (
    "index g : G\nindex k : K\nindex c : C = G*K\nparam w[c], x[c], o[g]\n"
    "z[g,k] = w[g*size(k) + k]*x[g*size(k) + k]\n"
    "y[c] = z[mod(c, size(g)),floor(c/size(g))]\nloss E = sum(c, y[c]^2) + sum(g, o[g])\n"
)
INDEX_ARRAYS = ("np.pad", "scatter_add", "np.clip", "np.take", "np.where", "np.minimum")


@pytest.mark.parametrize(
    ("model", "wrt", "sizes"),
    [
        (PATCHES, ["K"], {"N": 1, "C": 2, "I": 2, "J": 4, "R": 2, "H": 1, "W": 2, "P": 2}),
        (UNSHUFFLED, ["k"], {"R": 2, "C": 2, "O": 8, "P": 1, "Q": 2, "I": 2, "J": 4}),
        (GROUPS_OF_THREE, ["x"], {"G": 4, "S": 3, "C": 12}),
        (CHANNEL_SHUFFLE, ["x", "w", "o"], {"G": 2, "K": 3, "C": 6}),
    ],
    ids=["patches", "unshuffled", "groups of a number", "channel shuffle"],
)
def test_digits_are_axes(model: str, wrt: list[str], sizes: dict[str, int]) -> None:
    derivation = judge(model, wrt, sizes=sizes, steps=False)
    source, _, _ = numpy_source(lower(derivation)).partition("def _checked")
    assert ".reshape(" in source and "np.arange" not in source
    assert not any(word in source for word in INDEX_ARRAYS)


def test_a_digit_without_an_axis_has_one_of_a_reshaped_array() -> None:
    """The 2 of 2*B*M is nobody's size: one half of each block is read, and all are written."""
    derivation = sb.loads(BUTTERFLY).derive(["w"])
    source, module = derivation.to_numpy(), derivation.module()
    assert "[:, 1]" in source and "np.arange(K)" not in source
    for size in ((3, 4), (1, 1), (2, 1)):
        rng = np.random.default_rng(3)
        x, w = rng.normal(size=(size[0], 2, size[1])), rng.normal(size=size[1])
        y = np.stack([x[:, 0] + w * x[:, 1], x[:, 0] - w * x[:, 1]], axis=1)
        loss, grads = module.value_and_grad({"x": x.reshape(-1), "w": w})
        np.testing.assert_allclose(loss, np.sum(y**3))
        np.testing.assert_allclose(grads["w"], np.sum(3 * (y[:, 0] ** 2 - y[:, 1] ** 2) * x[:, 1], axis=0))


def test_what_may_leave_its_digit_is_looked_up() -> None:
    near = BUTTERFLY.replace("x[2*size(m)*b + m]", "x[size(m)*b + 2*m]")
    assert "np.arange(M)" in sb.loads(near).derive(["w"]).to_numpy()


PAIRS = (
    "index t : T\nindex i : I\nindex e : D = 2*I\ninput c[t,i], s[t,i], w[t,i]\nparam k[t,e]\n"
    "u[t,i] = k[t,2*i]*c[t,i] - k[t,2*i + 1]*s[t,i]\nv[t,i] = k[t,2*i]*s[t,i] + k[t,2*i + 1]*c[t,i]\n"
    "loss E = sum(t, i, w[t,i]*u[t,i]*v[t,i]^2)\n"
)


def test_the_gradient_of_pairs_is_stored_place_by_place() -> None:
    derivation = judge(PAIRS, ["k"], sizes={"T": 2, "I": 2, "D": 4}, steps=False)
    form = {each.tensor: text(each.expression) for each in derivation.equations}["grad_k"]
    assert "mod(e, 2) == 1" in form and "mod(e - 1" not in form and ">=" not in form
    source = numpy_source(lower(derivation))
    assert "grad_k[:, ::2] = " in source and "grad_k[:, 1::2] = " in source
    assert not any(word in source for word in INDEX_ARRAYS)


def test_a_pair_that_may_lack_its_second_place_keeps_its_bound() -> None:
    odd = PAIRS.replace("D = 2*I", "D").replace("k[t,2*i + 1]", "pad(k[t,2*i + 1])")
    form = {each.tensor: text(each.expression) for each in sb.loads(odd).derive(["k"]).derivation.equations}
    assert "floor((e - 1)/2)" in form["grad_k"]


@pytest.mark.parametrize(("blocks", "places"), [(1, 3), (3, 1), (1, 1)])
def test_a_digit_of_one_place_is_no_axis(blocks: int, places: int) -> None:
    declared = f"index f : F = {blocks}\nindex a : M = {places}\nindex i : I = {blocks * places}\n"
    read = f"o[floor(i/{places}),mod(i, {places})]"
    text = (
        f"{declared}index n : N\nparam o[f,a], w[n,i]\ny[n,i] = w[n,i]*{read}\nloss E = sum(n, i, y[n,i]^2)\n"
    )
    rng = np.random.default_rng(4)
    o, w = rng.normal(size=(blocks, places)), rng.normal(size=(2, blocks * places))
    loss, grads = sb.loads(text).derive().module().value_and_grad({"o": o, "w": w})
    np.testing.assert_allclose(loss, np.sum((w * o.reshape(-1)) ** 2))
    np.testing.assert_allclose(grads["o"], 2 * o * np.sum(w**2, axis=0).reshape(o.shape))
