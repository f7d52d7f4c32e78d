"""Circular shifts and their adjoints: what was read at mod(i + 1, size(i)) is read at mod(i - 1, size(i))."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import equation_text
from tests.models.judges import judge

FORMS = {
    "a circular convolution": (
        "index b : B\nindex i : I\nindex r : R = 3\nparam w[r], x[b,i]\ninput d[b,i]\n"
        "y[b,i] = sum(r, w[r]*x[b,mod(i+r-1,size(i))])\nloss E = 1/2*sum(b, i, (y[b,i] - d[b,i])^2)",
        (
            "grad_w[r] = sum(b, i, delta_y[b,i]*x[b,mod(i + r - 1, size(i))])",
            "grad_x[b,i] = sum(r, delta_y[b,mod(i - r + 1, size(i))]*w[r])",
        ),
        {"I": 4, "R": 3, "B": 2},
    ),
    "a cross product by cyclic positions": (
        "index k : K = 3\nparam a[k]\ninput b[k], g[k]\n"
        "c[k] = a[mod(k+1,3)]*b[mod(k+2,3)] - a[mod(k+2,3)]*b[mod(k+1,3)]\nloss E = sum(k, c[k]*g[k])",
        ("grad_a[k] = g[mod(k + 2, 3)]*b[mod(k + 1, 3)] - g[mod(k + 1, 3)]*b[mod(k + 2, 3)]",),
        None,
    ),
    "one way round a ring of one place": (
        "index i : I\nparam x[i]\ninput c[i]\nloss E = sum(i, c[i]*x[mod(i-2,size(i))])",
        ("grad_x[i] = c[mod(i + 2, size(i))]",),
        {"I": 1},
    ),
    "backwards": (
        "index i : I\nparam x[i]\ninput c[i]\nloss E = sum(i, c[i]*x[mod(1-i,size(i))])",
        ("grad_x[i] = c[mod(1 - i, size(i))]",),
        {"I": 3},
    ),
    "a step that is no shift": (
        "index i : I\nparam x[i]\ninput c[i]\nloss E = sum(i, c[i]*x[mod(2*i,size(i))])",
        ("grad_x[i] = sum(i', c[i']*delta(mod(2*i', size(i)),i))",),
        {"I": 3},
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    model, expected, sizes = FORMS[name]
    forms = [equation_text(equation) for equation in derive(parse_system(model)).equations]
    assert set(expected) <= set(forms)
    judge(model, sizes=sizes)
