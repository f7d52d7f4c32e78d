"""What the remainder of an index chooses is computed remainder by remainder: slices with a step, no masks."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module
from symbackprop.lowering.programs import lower
from tests.lowering.array_models import check
from tests.models.judges import judge
from tests.programs import numpy_source

TURNED = (
    "index t : T\nindex i : I\nindex e : D = 2*I\nparam q[t,e]\ninput dy[t,e], c[t,i]\n"
    "r[t,e] = where(mod(e, 2) == 0, q[t,e] - pad(q[t,e+1])*c[t,floor(e/2)], "
    "q[t,e] + pad(q[t,e-1])*c[t,floor(e/2)])\nloss E = sum(t, e, dy[t,e]*r[t,e]^2)\n"
)
STAGE = (
    "index i : I\nindex k : K = 2*I\nparam x[k], w[i]\n"
    "y[k] = where(k < size(i), x[2*mod(k,size(i))] + w[mod(k,size(i))]*x[2*mod(k,size(i))+1], "
    "x[2*mod(k,size(i))] - w[mod(k,size(i))]*x[2*mod(k,size(i))+1])\nloss E = sum(k, y[k]^3)\n"
)
COLUMNS = (
    "index c : C\nindex i : I = {stride}*A + {more}\nindex a : A\nindex f : F = C*R\nindex r : R = {width}\n"
    "index d : D\nparam x[c,i], W[f,d]\nv[a,f] = x[floor(f/{width}),{stride}*a + mod(f,{width})]\n"
    "y[a,d] = sum(f, v[a,f]*W[f,d])\nloss E = sum(a, d, y[a,d]^3)\n"
)
IMAGE = (
    "index i : I = 2*A + 1\nindex j : J = 2*B + 1\nindex a : A\nindex b : B\nindex p : P = A*B\n"
    "index f : F = 9\n"
    "param x[i,j]\ninput W[f], d[p]\n"
    "v[p,f] = x[2*floor(p/size(b)) + floor(f/3),2*mod(p, size(b)) + mod(f, 3)]\n"
    "loss E = sum(p, d[p]*sum(f, v[p,f]*W[f])^2)\n"
)


def gradient_lines(model: str, wrt: list[str]) -> str:
    """What a module computes, without its checks."""
    source = numpy_source(lower(sb.loads(model, name="m").derive(wrt).derivation))
    return source.partition("def _checked")[0]


@pytest.mark.parametrize(
    ("model", "wrt", "sizes"),
    [
        (TURNED, ["q"], {"T": 2, "I": 3, "D": 6}),
        (TURNED, ["q"], {"T": 1, "I": 1, "D": 2}),
        (STAGE, ["x", "w"], {"I": 3, "K": 6}),
        (STAGE, ["x", "w"], {"I": 1, "K": 2}),
    ],
)
def test_pairs_are_slices(model: str, wrt: list[str], sizes: dict[str, int]) -> None:
    judge(model, wrt, sizes=sizes, steps=False)
    lines = gradient_lines(model, wrt)
    assert "::2]" in lines
    assert not any(word in lines for word in ("np.pad", "np.clip", "% 2", "[np.arange"))


@pytest.mark.parametrize(("stride", "width", "more"), [(2, 3, 1), (2, 4, 2), (3, 4, 1), (3, 2, 1), (2, 3, 4)])
@pytest.mark.parametrize("places", [1, 4])
def test_the_adjoint_of_strided_columns(stride: int, width: int, more: int, places: int) -> None:
    model = COLUMNS.format(stride=stride, width=width, more=more)
    sizes = {"C": 2, "A": places, "I": stride * places + more, "F": 2 * width, "R": width, "D": 3}
    judge(model, ["x"], sizes=sizes, steps=False)
    lines = gradient_lines(model, ["x"])
    assert f"::{stride}]" in lines or f":{stride}] =" in lines
    assert not any(word in lines for word in ("np.where", "np.clip", f"% {stride}"))


def test_both_axes_of_an_image() -> None:
    judge(IMAGE, ["x"], sizes={"A": 2, "B": 3, "I": 5, "J": 7, "P": 6, "F": 9}, steps=False)


def test_pairs_with_one_left_over_need_no_pair() -> None:
    angle = "t*a[floor(e/2)]"
    model = (
        "index t : T\nindex e : D\nindex i : I = floor(D/2)\ninput a[i]\nparam q[t,e]\n"
        f"r[t,e] = where(e < 2*size(i), where(mod(e, 2) == 0, q[t,e]*cos({angle}) - q[t,e+1]*sin({angle}), "
        f"q[t,e]*cos({angle}) + q[t,e-1]*sin({angle})), q[t,e])\nloss E = sum(t, e, r[t,e]^2)\n"
    )
    derivation = judge(model, sizes={"T": 2, "D": 5, "I": 2}, steps=False)
    module = load_module(numpy_source(lower(derivation)), "pairs")
    loss, grads = module.value_and_grad({"q": np.array([[2.0], [3.0]])}, np.zeros(0))
    assert loss == 13.0
    np.testing.assert_array_equal(grads["q"], [[4.0], [6.0]])


@pytest.mark.parametrize("size", [0, 1, 2, 5, 6])
@pytest.mark.parametrize(
    "body",
    [
        "where(mod(i, 2) == 1, x[i], -1)",
        "where(mod(2*i + 1, 3) == 0, log(abs(x[i])), pad(x[i+1]))",
        "where(mod(i + k, 2) == 0, x[i], 0)",  # another index decides with it
        "where(mod(i, 2) == 0 and x[i] > 0, x[i]^2, 3*x[i])",
        "where(mod(i, 3) == 2 or mod(i, 2) == 0, x[i], pad(x[i-2]))",
        "where(mod(i*i, 2) == 0, x[i], 0)",
        "where(mod(-i, 4) <= 1, x[i], floor(i/2))",
    ],
)
def test_forms_of_choices(body: str, size: int) -> None:
    check(
        f"index i : I\nindex k : K = 3\ninput x[i], o[k]\ny[i,k] = {body}*o[k]\n",
        {"I": size, "K": 3},
        np.float64,
    )
