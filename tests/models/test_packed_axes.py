"""Axes that count through others, D = H*E: before every judge, in the form of the model with axes apart."""

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import text as shown
from symbackprop.targets.numpy.module import numpy_source
from tests.models.judges import judge

HEADS = """
index t, s : T
index h : H
index e : E
index o : D = H*E
input x[t,o]
const heads[h]
param v[t,o]
S[h,t,s] = sum(e, x[t,h*size(e)+e]*v[s,h*size(e)+e])
P[h,t,s] = exp(S[h,t,s])/sum(s, exp(S[h,t,s]))
y[t,o] = sum(s, P[floor(o/size(e)),t,s]*v[s,o])
loss L = 1/2*sum(t, o, y[t,o]^2)
"""
GROUPED_QUERIES = """
index t, s : T
index g : G
index r : R
index h : H = G*R
index e : E
input q[t,h,e]
param k[t,g,e]
y[h,t,s] = sum(e, q[t,h,e]*k[s,floor(h/size(r)),e])
loss L = 1/2*sum(h, t, s, y[h,t,s]^2)
"""
EVERY_SECOND = """
index g : G
index r : R
index h : H = G*R
input x[h], a[g]
param w[r]
y[h] = w[mod(h, size(r))]*x[h]
loss L = 1/2*sum(h, y[h]^2) + sum(g, a[g])
"""


HEAD_SIZES = {"T": 2, "H": 2, "E": 2, "D": 4}
GROUP_SIZES = {"T": 2, "G": 2, "R": 2, "H": 4, "E": 1}


def forms_of(derivation: Derivation) -> dict[str, str]:
    return {equation.tensor: shown(equation.expression) for equation in derivation.equations}


def test_the_sum_over_a_packed_axis_is_the_sum_over_a_heads_own() -> None:
    forms = forms_of(judge(HEADS, ["v"], sizes=HEAD_SIZES, steps=False))
    assert forms["delta_P"] == "sum(e, y[t,h*size(e) + e]*v[s,h*size(e) + e])"


def test_the_heads_of_a_group_are_summed_over() -> None:
    forms = forms_of(judge(GROUPED_QUERIES, ["k"], sizes=GROUP_SIZES))
    assert forms["grad_k"] == "sum(r, s, y[g*size(r) + r,s,t]*q[s,g*size(r) + r,e])"


def test_the_lower_digit_is_given() -> None:
    assert forms_of(judge(EVERY_SECOND, ["w"]))["grad_w"] == "sum(g, y[g*size(r) + r]*x[g*size(r) + r])"


def test_an_axis_that_no_relation_packs_keeps_its_delta() -> None:
    unrelated = EVERY_SECOND.replace("H = G*R", "H")
    assert "delta(mod(h, size(r)),r)" in forms_of(derive(parse_system(unrelated), ["w"]))["grad_w"]


@pytest.mark.parametrize(("model", "wrt"), [(HEADS, "v"), (GROUPED_QUERIES, "k")])
def test_packed_axes_are_views(model: str, wrt: str) -> None:
    source = numpy_source(lower(derive(parse_system(model), [wrt])))
    assert ".reshape(" in source
    assert not any(word in source for word in ("arange", "scatter_add", "np.pad", "minimum", "take"))


def test_a_digit_of_an_axis_that_is_shorter_is_looked_up() -> None:
    shorter = GROUPED_QUERIES.replace("H = G*R", "H = G*R - 1")
    source = numpy_source(lower(derive(parse_system(shorter), ["k"])))
    assert "arange(H)" in source
