"""The place of a maximum over a kernel's axes is counted in a loop over its offsets, from a known maximum."""

import numpy as np
import pytest

from symbackprop.emission.loading import load_module
from symbackprop.pipeline import loads
from tests.lowering.array_models import check

ROWS = "index n : N\nindex q : Q = 12\nindex p : P = 4\nindex r : R = 3\ninput x[n,q], d[n,p]\n"
IMAGES = (
    "index n : N\nindex i : I = 6\nindex j : J = 12\nindex a : A = 3\nindex b : B = 4\nindex v : V = 2\n"
    "index w : W = 3\ninput x[n,i,j], d[n,a,b]\n"
)
AT_ROWS = "where(argmax(r, x[n,3*floor(q/3) + r]) == mod(q, 3), d[n,floor(q/3)], 0)"
AT_IMAGES = (
    "where(argmax(v, w, x[n,2*floor(i/2) + v,3*floor(j/3) + w]) == 3*mod(i, 2) + mod(j, 3), "
    "d[n,floor(i/2),floor(j/3)], 0)"
)
FORMS = {
    "one axis": f"{ROWS}y[n,q] = {AT_ROWS}",
    "two axes": f"{IMAGES}y[n,i,j] = {AT_IMAGES}",
    "of a function": ROWS
    + "y[n,q] = "
    + AT_ROWS.replace("x[n,3*floor(q/3) + r]", "sin(x[n,3*floor(q/3) + r])"),
    "stated before": f"{ROWS}m[n,p] = max(r, x[n,3*p + r])\ny[n,q] = m[n,floor(q/3)] + {AT_ROWS}",
    "of other places": f"{ROWS}m[n,p] = max(r, x[n,11 - 3*p - r])\ny[n,q] = m[n,floor(q/3)] + {AT_ROWS}",
    "in another order": f"{IMAGES}m[b,a,n] = max(v, w, x[n,2*a + v,3*b + w])\n"
    f"y[n,i,j] = m[floor(j/3),floor(i/2),n]*{AT_IMAGES}",
}
POOL = (
    "index n : N\nindex i : I = 6\nindex p : P = 3\nindex v : V = 2\ninput x[n,i]\nparam c\n"
    "u[n,i] = c*x[n,i]\nm[n,p] = max(v, u[n,2*p + v])\nloss E = sum(n, p, m[n,p]*(1 + p)^2)\n"
)


@pytest.mark.parametrize("n", [3, 1, 0])
@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str, n: int) -> None:
    sizes = {"N": n, "Q": 12, "P": 4, "R": 3, "I": 6, "J": 12, "A": 3, "B": 4, "V": 2, "W": 3}
    source = check(FORMS[form] + "\n", sizes, np.float32)
    assert "np.argmax" not in source
    assert source.count("np.maximum(") == (2 if form == "of other places" else 1)


def test_windows_that_overlap_keep_their_argmax() -> None:
    """Near miss: an element may be the maximum of several windows."""
    text = POOL.replace("P = 3", "P = 5").replace("2*p + v", "p + v")
    assert "np.argmax" in loads(text).derive(wrt=["x"]).to_numpy()


def test_a_tie_belongs_to_the_first_and_each_window_to_one_place() -> None:
    module = load_module(loads(POOL).derive(wrt=["x"]).to_numpy(), "pool")
    x = np.array([[2.0, 2, -np.inf, -np.inf, -1, 0], [3, np.nan, 1, 2, 0, 0]])
    grad = module.value_and_grad({"c": np.ones(())}, x)[1]["x"]
    assert np.array_equal(grad[0], [1, 0, 4, 0, 0, 9])
    assert np.array_equal(grad[1, 2:], [0, 4, 9, 0])
    assert np.count_nonzero(grad[1, :2]) == 1
