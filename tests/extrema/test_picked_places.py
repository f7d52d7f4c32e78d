"""Sums over what belongs to the place of a maximum: scatter-adds and lookups, against the naive evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from tests.lowering.array_models import check
from tests.programs import lower_system, numpy_source

AXES = "index n : N\nindex t : T\nindex k, l : K\nindex i : I\nindex m : M\n"
SIZES = dict(N=5, T=2, K=4, I=3, M=6)
ONES = dict(N=1, T=1, K=1, I=1, M=1)
EMPTY = {**SIZES, "N": 0, "I": 0}

SPARSE = {
    "scattered": "input x[n,k], d[n,i]\ny[k,i] = sum(n, where(argmax(l, x[n,l]) == k, d[n,i], 0))",
    "axes in another order": "input x[k,n], d[i,n], w[i,k]\n"
    "y[i,k] = 3*sum(n, where(k == argmax(l, x[l,n]), d[i,n]*w[i,k], 0))",
    "over two indices": "input x[t,k,n], d[n,t]\n"
    "y[k] = sum(n, t, where(argmax(l, x[t,l,n]) == k, d[n,t], 0))",
    "beside a sum": "input x[n,k], d[n,m], w[m,i]\n"
    "y[k,i] = sum(n, m, d[n,m]*w[m,i]*where(argmax(l, x[n,l]) == k, x[n,k], 0))",
    "counted": "input x[n,k]\ny[k] = sum(n, where(argmax(l, x[n,l]) == k, 1, 0))",
    "a smaller place": "input x[n,k], d[n,k,i]\ny[k,i] = sum(n, where(argmax(l, -x[n,l]) == k, d[n,k,i], 0))",
    "looked up": "input x[n,k], d[n,k,i]\ny[n,i] = sum(k, where(argmax(l, x[n,l]) == k, d[n,k,i], 0))",
    "looked up and summed": "input x[n,k], d[n,k,i]\n"
    "y[i] = sum(n, k, where(argmax(l, x[n,l]) == k, d[n,k,i], 0))",
    "looked up within a sum": "input x[n,k], d[n,k,i], w[n,m]\n"
    "y[m,i] = sum(n, w[n,m]*sum(k, where(argmax(l, x[n,l]) == k, d[n,k,i], 0)))",
    "divided by": "input x[n,k]\ny[k] = 2/(1 + sum(n, where(argmax(l, x[n,l]) == k, 1, 0)))",
    "a term beside it": "input x[n,k], d[n,i], b[k,i]\n"
    "y[k,i] = b[k,i] - sum(n, where(argmax(l, x[n,l]) == k, d[n,i], 0))*b[k,i]",
}
DENSE = {
    "its own place": "input x[n,k], d[n,k]\ny[n,k] = where(argmax(l, x[n,l]) == k, d[n,k], 0)",
    "another axis": "input x[n,k], d[m,i]\ny[m,n] = sum(i, where(argmax(l, x[n,l]) == m, d[m,i], 0))",
    "a place of two indices": "input x[k,m], d[i]\ny[k] = sum(i, where(argmax(l, m, x[l,m]) == k, d[i], 0))",
}


@pytest.mark.parametrize("form", {**SPARSE, **DENSE})
def test_forms(form: str) -> None:
    text = f"{AXES}{({**SPARSE, **DENSE})[form]}\n"
    for sizes, dtype in ((SIZES, np.float64), (ONES, np.float64), (EMPTY, np.float64), (SIZES, np.float32)):
        source = check(text, sizes, dtype)
        assert ("np.where" in source or "==" in body_of(source)) == (form in DENSE)


def body_of(source: str) -> str:
    lines = source[source.index("def _forward") : source.index("\n\n\ndef forward")].splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith("#"))


def test_what_several_need_is_one_place() -> None:
    text = f"{AXES}input x[n,k], d[n,i]\ny[k,i] = sum(n, where(argmax(l, x[n,l]) == k, d[n,i], 0))\n"
    text += "z[n,k] = where(argmax(l, x[n,l]) == k, 1, 0)\n"
    assert numpy_source(lower_system(parse_system(text))).count("np.argmax") == 1


def test_a_tie_belongs_to_the_first() -> None:
    text = f"{AXES}input x[n,k], d[n,i]\ny[k,i] = sum(n, where(argmax(l, x[n,l]) == k, d[n,i], 0))\n"
    module = load_module(numpy_source(lower_system(parse_system(text))), "ties")
    result = module.forward({}, np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0]]), np.array([[5.0], [7.0]]))
    np.testing.assert_array_equal(result, [[7.0], [5.0], [0.0]])


def test_clusters_are_no_array_of_points_and_clusters_in_the_gradient() -> None:
    text = f"{AXES}input x[n,i]\nparam c[k,i]\nloss E = sum(n, min(k, sum(i, (c[k,i] - x[n,i])^4)))\n"
    derivation = loads(text, "clusters").derive(wrt=["c", "x"])
    source = derivation.to_numpy()  # verified
    assert "scatter_add(" in source and "np.where" not in source and source.count("np.argmax") == 1
    derivation.replay()
