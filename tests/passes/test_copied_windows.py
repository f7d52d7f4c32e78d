"""Windows that the products of both passes read are copied once, in the forward pass."""

import pytest

from symbackprop.pipeline import ModelDerivation, loads
from symbackprop.reports.variants import to_numpy_as

IMAGE = (
    "index n : N\nindex c : C = 2\nindex o : O = 4\nindex i, j : I = 7\n"
    "index a, b : A = 5\nindex r, s : R = 3\n"
    "input x[n,c,i,j]\nparam w[o,c,r,s]\n"
    "u[n,o,a,b] = sum(c, r, s, w[o,c,r,s]*x[n,c,a + r,b + s])\nloss E = sum(n, o, a, b, tanh(u[n,o,a,b])^2)\n"
)
PADDED = IMAGE.replace("A = 5", "A = 7").replace("x[n,c,a + r,b + s]", "pad(x[n,c,a + r - 1,b + s - 1])")
STRIDED = IMAGE.replace("A = 5", "A = 3").replace("a + r,b + s", "2*a + r,2*b + s")
SEQUENCE = (
    "index n : N\nindex c : C = 2\nindex o : O = 4\nindex t : T = 9\nindex a : A = 6\nindex r : R = 4\n"
    "input x[n,c,t]\nparam w[o,c,r]\n"
    "u[n,o,a] = sum(c, r, w[o,c,r]*x[n,c,a + r])\nloss E = sum(n, o, a, sin(u[n,o,a]))\n"
)


def derived(text: str, wrt: str = "w") -> ModelDerivation:
    return loads(text).derive(wrt=[wrt])


@pytest.mark.parametrize("text", [IMAGE, PADDED, STRIDED, SEQUENCE])
def test_windows_of_two_products_are_copied_once(text: str) -> None:
    source = derived(text).to_numpy()
    (defined,) = [line for line in source.splitlines() if "_windows = " in line]
    assert defined.endswith(".copy()")
    assert source.count("_windows.reshape(") == 2


def test_windows_of_one_product_stay_a_view() -> None:
    """Near miss: no gradient of the kernel, so that the copy of the forward product is the only one."""
    source = derived(IMAGE, "x").to_numpy()
    assert "x_windows.reshape(" in source
    assert ".copy()" not in source


def test_with_less_memory_they_are_copied_again() -> None:
    source, _ = to_numpy_as(derived(IMAGE), less_memory=True)
    assert source.count("= windows(x, ") == 2
