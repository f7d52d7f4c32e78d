"""In which form a line computes is said with the model's own formulas, where it is first computed."""

import re
from functools import cache

import pytest

from symbackprop import explain, loads
from symbackprop.explanation.stable_forms import WHY
from symbackprop.reports.face import Report
from symbackprop.stability.centring import CENTRE_AGAIN
from symbackprop.stability.forms import STABLE_FORMS

SOFT = """
index r : R
index a : A
input q[r,a]
param t[a]
p[r,a] = exp(t[a]*q[r,a])/sum(a, exp(t[a]*q[r,a]))
loss E = sum(r, a, p[r,a]^2)
"""
CROSSED = """
index r : R
input y[r], x[r]
param w
p[r] = sigmoid(w*x[r])
loss E = -mean(r, y[r]*log(p[r]) + (1 - y[r])*log(1 - p[r]))
"""
CENTRED = """
index r : R
index f : F
param x[r,f]
const g[r,f]
m[r] = mean(f, x[r,f])
v[r] = mean(f, (x[r,f] - m[r])^2)
loss E = sum(r, f, g[r,f]*(x[r,f] - m[r])/sqrt(v[r] + 1))
"""
SHIFTED = """
index t : T
index i, j : I
input x[t,i]
param W[i,j]
h[t,i] = tanh(x[t,i] + sum(j, W[i,j]*pad(h[t-1,j])))
loss E = sum(t, i, h[t,i]^2)
"""


@cache
def report(text: str) -> Report:
    return explain(loads(text, "shown"))


def explained(text: str, lang: str = "en") -> str:
    return " ".join(report(text).text(400, lang).split())


def test_each_form_is_that_of_a_rule():
    assert set(WHY) <= {rule.name for rule in STABLE_FORMS} | {CENTRE_AGAIN}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SOFT,
            r"\*q\[r,a\]\)/sum\(a', .*? is computed as exp\(.*? - max\(a', .*?no exponential over",
        ),
        (CROSSED, r"log\(1 - p\[r\]\) is computed as -softplus\(.*?, finite where"),
        (CENTRED, r"x\[r,f\] - m\[r\] is computed as \(x\[r,f\] - m\[r\]\) - mean\(f', .*?keeps its digits"),
    ],
)
def test_the_form_is_said_in_the_model_s_own_formulas(text, said):
    assert re.search(said, explained(text))


def test_the_form_is_said_once_and_at_the_part_that_has_it():
    shown = explained(CENTRED)
    assert shown.count("is computed as (x[r,f] - m[r])") == 1
    assert shown.index("x_centred[r,f] =") < shown.index("is computed as (x[r,f]") < shown.index(": v[r] =")


@pytest.mark.parametrize("text", [SOFT, CROSSED, CENTRED])
def test_the_form_is_said_in_japanese_alone(text):
    shown = explained(text, "ja")
    assert "として計算する" in shown
    assert not re.search(r"computed|where|overflow", shown.replace("where(", ""))


def test_a_size_of_at_least_one_is_explained_once():
    assert explained(CROSSED).count("max(R, 1) is R but for an empty axis") == 1
    assert "but for an empty axis" not in explained(SHIFTED)


def test_a_sum_over_a_slice_says_what_it_leaves_out_and_why_it_is_there():
    shown = explained(SHIFTED)
    assert "t is summed, because W moves E through every t" in shown
    assert "A slice leaves out the places of t where pad(h[t - 1,j]) is 0." in shown
    assert "A slice leaves out" not in explained(SOFT)
