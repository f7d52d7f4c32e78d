"""Polynomials that divide without a remainder: found by their remainders, near misses refused."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import NotationError
from symbackprop.integers.integer_valued import with_whole_floors
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression
from symbackprop.systems.printing import text

SYSTEM = parse_system(
    "index i, j : I\nindex k : K\ninput m[i] in K\ninput x[i]\ny = sum(i, j, k, x[i]*x[j]*k)\n"
)


def expression(written: str) -> Expression:
    return parse_expression(written, SYSTEM)


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("i*(i-1)/2 + j", "i*(i - 1)/2 + j"),
        ("(i^2 + i)/2", "i*(i + 1)/2"),
        ("i*(i+1)*(i+2)/6 + j*(j+1)/2 + k", "whole"),
        ("(i - j)*(i + j + 1)/2", "whole"),
        ("(i^3 - i)/3", "whole"),
        ("i*(2*size(k) - i - 1)/2 + j", "whole"),
        ("m[i]*(m[i] + 3)/2", "whole"),
        ("3*i + k", "3*i + k"),
    ],
)
def test_a_polynomial_that_is_always_whole(written: str, whole: str) -> None:
    given = expression(written)
    found = with_whole_floors(given, ("m",))
    assert found is not None
    assert whole in ("whole", text(found))
    for one, two, three in product(range(-7, 8), repeat=3):
        values = {"i": one, "j": two, "k": three, "size(k)": three, "m[i]": two}
        exact = eval(
            text(given).replace("^", "**").replace("size(k)", "K").replace("m[i]", "M"),
            {
                "i": Fraction(one),
                "j": Fraction(two),
                "k": Fraction(three),
                "K": Fraction(three),
                "M": Fraction(two),
            },
        )
        assert exact.denominator == 1, values


@pytest.mark.parametrize(
    "written",
    [
        "i*(i-2)/2", "i*(i+1)/4", "i*j/2", "i*(j+1)/2", "(i^2 + 1)/2", "x[i]*(x[i] - 1)/2", "i/2 + j/2",
        "i*(i-1)/size(k)", "i*(i-1)*(i-2)*(i-3)/25", "i*(i-1)*exp(0*i)/2",
        "(i + j + k + m[i] + size(i) + size(k))*i*j*k*m[i]*size(i)*size(k)/720",
    ],
)  # fmt: skip
def test_what_may_have_a_fraction(written: str) -> None:
    assert with_whole_floors(expression(written), ("m",)) is None


PYRAMID = """
index i, j : N
index p : P = N*(N+1)/2
param a[p], v[i]
S[i,j] = where(j <= i, a[i*(i+1)/2 + j], a[j*(j+1)/2 + i])
loss L = sum(i, j, v[i]*S[i,j]^2*v[j])
"""


def test_a_symmetric_matrix_packed_by_rows_is_differentiated() -> None:
    rng = np.random.default_rng(3)
    given = {"a": rng.normal(size=10), "v": rng.normal(size=4)}
    _, grads = sb.loads(PYRAMID).derive().module().value_and_grad(given)
    lower = np.zeros((4, 4))
    lower[np.tril_indices(4)] = given["a"]
    packed = lower + np.tril(lower, -1).T
    outer = np.outer(given["v"], given["v"])
    by_entry = 2 * outer * packed
    np.testing.assert_allclose(grads["v"], 2 * (packed**2) @ given["v"])
    np.testing.assert_allclose(grads["a"], (2 * by_entry - np.diag(np.diag(by_entry)))[np.tril_indices(4)])
    stated = PYRAMID.replace("i*(i+1)/2", "floor(i*(i+1)/2)").replace("j*(j+1)/2", "floor(j*(j+1)/2)")
    assert parse_system(PYRAMID).equations == parse_system(stated).equations
    with pytest.raises(NotationError, match="may not be one"):
        parse_system(PYRAMID.replace("i*(i+1)/2", "i*(i+2)/2"))
