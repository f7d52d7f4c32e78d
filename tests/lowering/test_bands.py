"""Scattered kernels as band matrices: where they are faster, and never other numbers."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.array.program import statements_in

HEAD = "index n : N\nindex c, e : C = 2\nindex o : O = 3\nindex r : R = 3\nindex s : S = 2\n"
IMAGE = (
    HEAD + "index i : I = 8\nindex j : J = 7\nindex a : A = {a}\nindex b : B = 6\n"
    "input x[n,c,i,j]\nparam w[o,c,r,s]\n"
)
LINE = HEAD + "index i : I = {i}\nindex a : A = 6\ninput x[n,c,i]\nparam w[o,c,r]\n"
LOSS = "loss E = sum(n, o, a{b}, sin(y[n,o,a{b}]))\n"
# What is differentiated, and along how many axes of the image the kernel becomes a band.
FORMS = {
    "two axes": (IMAGE.format(a=6) + "y[n,o,a,b] = sum(c, r, s, w[o,c,r,s]*x[n,c,a+r,b+s])\n", ",b", True),
    "a stride": (IMAGE.format(a=3) + "y[n,o,a,b] = sum(c, r, s, w[o,c,r,s]*x[n,c,2*a+r,b+s])\n", ",b", True),
    "padded": (
        IMAGE.format(a=8) + "y[n,o,a,b] = sum(c, r, s, w[o,c,r,s]*pad(x[n,c,a+r-1,b+s-1]))\n",
        ",b",
        True,
    ),
    "turned round": (LINE.format(i=8) + "y[n,o,a] = sum(c, r, w[o,c,size(r)-1-r]*x[n,c,a+r])\n", "", False),
    "one axis": (LINE.format(i=8) + "y[n,o,a] = sum(c, r, w[o,c,r]*x[n,c,a+r])\n", "", True),
    "strided along one axis": (
        LINE.format(i=13) + "y[n,o,a] = sum(c, r, w[o,c,r]*x[n,c,2*a+r])\n",
        "",
        True,
    ),
    "dilated": (LINE.format(i=10) + "y[n,o,a] = sum(c, r, w[o,c,r]*x[n,c,a+2*r])\n", "", False),
    "a long axis": (
        LINE.format(i=202).replace("A = 6", "A = 200") + "y[n,o,a] = sum(c, r, w[o,c,r]*x[n,c,a+r])\n",
        "",
        False,
    ),
    "no size": (
        LINE.format(i=8).replace("I = 8", "I") + "y[n,o,a] = sum(c, r, w[o,c,r]*pad(x[n,c,a+r-1]))\n",
        "",
        False,
    ),
    "many channels": (
        LINE.format(i=8).replace("O = 3", "O = 600") + "y[n,o,a] = sum(c, r, w[o,c,r]*x[n,c,a+r])\n",
        "",
        False,
    ),
    "one image": (
        LINE.format(i=8).replace(": N", ": N = 1") + "y[n,o,a] = sum(c, r, w[o,c,r]*x[n,c,a+r])\n",
        "",
        False,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_band_has_the_numbers_of_the_kernel(form: str) -> None:
    text, more, is_band = FORMS[form]
    derived = sb.loads(text + LOSS.format(b=more)).derive(wrt=["w", "x"])
    names = [line.name for line in statements_in(derived.fast_program.statements)]
    assert any(name.endswith("_band") for name in names) is is_band
    assert not any("_band" in line.name for line in statements_in(derived.program.statements))
    rng = np.random.default_rng(0)
    sizes = {axis.name: axis.size or {"N": 4, "I": 9}[axis.name] for axis in derived.model.system.axes}
    shapes = {
        tensor.name: [sizes[index.axis.name] for index in tensor.indices]
        for tensor in derived.model.system.tensors.values()
        if tensor.name in "xw"
    }
    x, w = (rng.normal(size=shapes[name]) for name in "xw")
    loss, gradients = derived.module().value_and_grad({"w": w}, x)
    fast = derived.module(fast=True)
    for again, others in (fast.value_and_grad({"w": w}, x), fast.bind({"w": w}, x)()):
        np.testing.assert_allclose(again, loss, rtol=1e-13)
        for name, wanted in gradients.items():
            np.testing.assert_allclose(others[name], wanted, rtol=1e-12, atol=1e-13)
