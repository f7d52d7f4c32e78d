"""Integers of a longer axis as positions: labels from 0 to K between K thresholds, under a guard."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.errors import NotationError
from symbackprop.integers.bounds import unproved_bounds
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import equation_text
from tests.models.whole_language.judge import judged
from tests.sweeps import swept

LABELS = "index n : N\nindex m, m2 : M\nindex g : G = M + 1\nindex r : R = M + 2\n"
LABELS += "input z[n]\ninput k[n] in G, q[n,m] in R\nparam c[m], v[g], w[r]\n"
MODELS = {
    "an upper threshold": "a[n] = where(k[n] < size(m), tanh(c[k[n]]*z[n]), z[n])\nloss E = sum(n, a[n]^2)\n",
    "both thresholds": "a[n] = where(k[n] == size(m), z[n], c[k[n]]) - where(k[n] > 0, c[k[n] - 1], 1)\n"
    "loss E = sum(n, sin(a[n]))\n",
    "two guards of one read": "a[n] = where(k[n] < size(m), c[k[n]]^2, 2)\n"
    "b[n] = where(k[n] < size(m), c[k[n]]*v[k[n]], exp(v[k[n]]))\nloss E = sum(n, a[n]*b[n]*w[k[n]])\n",
    "a guard of real numbers too": "a[n] = where(z[n] > 0 and not (k[n] >= size(m)), c[k[n]]*w[k[n]],"
    " v[k[n]])\nloss E = sum(n, a[n]^2)\n",
    "read through pad": "a[n] = pad(c[k[n]])*z[n] + pad(v[k[n] + 1])\nloss E = sum(n, a[n]^2)\n",
    "within a sum": "a[n] = sum(m, where(q[n,m] < size(g), v[q[n,m]]*where(q[n,m] < size(m), c[q[n,m]], 2),"
    " 0))\nloss E = sum(n, tanh(a[n])*z[n])\n",
    "beside its shift": "a[n] = where(1 <= k[n] and k[n] < size(m), c[k[n]] - c[k[n] - 1], 0)\n"
    "loss E = sum(n, exp(a[n]*z[n]))\n",
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("sizes", swept(["N=2 M=1 G=2 R=3", "N=4 M=2 G=3 R=4"], 1))
def test_every_judge_agrees(name: str, sizes: str) -> None:
    verdict = judged(f"{LABELS}{MODELS[name]}# data {sizes} seed=2 kind=normal\n")
    assert verdict.outcome == "right", f"{verdict.kind}\n{verdict.detail}"


def test_a_guarded_value_is_looked_at_by_no_module() -> None:
    derivation = derive(parse_system(LABELS + MODELS["an upper threshold"]))
    assert not lower(derivation).place_checks
    gradients = [equation_text(each) for each in derivation.gradients.values()]
    assert "where(k[n]" not in gradients[0] and "delta(k[n],m)" in gradients[0]


@pytest.mark.parametrize(
    ("formula", "cause"),
    [
        ("c[k[n]]", r"outside axis M: the values of 'k' are places of axis G, where G = M \+ 1"),
        ("where(k[n] <= size(m), c[k[n]], 0)", "may lie outside axis M"),
        ("where(k[n] != size(m), c[q[n,0]], 0)", r"the values of 'q' are places of axis R, where R = M \+ 2"),
        ("where(k[n] > 0, 0, v[q[n,0]])", "may lie outside axis G"),
        ("where(z[n] < size(m), c[k[n]], 0)", "may lie outside axis M"),
        ("sum(m, where(q[n,m] < size(m), c[q[n,0]], 0))", "may lie outside axis M"),
    ],
)
def test_without_a_guard_that_says_enough_it_is_refused(formula: str, cause: str) -> None:
    with pytest.raises(NotationError, match=cause):
        parse_system(f"{LABELS}loss E = sum(n, {formula}*z[n])\n")


def test_what_bounds_a_value_is_known_of_sums_too() -> None:
    system = parse_system(LABELS + MODELS["both thresholds"])
    (axis,) = (axis for axis in system.axes if axis.name == "M")
    told = {text: parse_expression(text, system) for text in ("k[n] - 1", "k[n] + 0", "q[n,m]", "k[n] >= 1")}
    assert len(unproved_bounds(told["k[n] - 1"], axis)) == len(unproved_bounds(told["k[n] + 0"], axis)) == 1
    assert not unproved_bounds(told["k[n] - 1"], axis, (told["k[n] >= 1"],))
    assert unproved_bounds(told["q[n,m]"], axis, (told["k[n] >= 1"],))
