"""A product over all others times its own factor is the whole product, and may have a name."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import equation_text
from tests.models.judges import judge

FORMS = {
    "hazards of discrete times": (
        "index k, j : K\ninput g[k]\nparam b[k]\nv[k] = sigmoid(b[k])\n"
        "p[k] = v[k]*prod(j, where(j < k, 1 - v[j], 1))\nloss E = -sum(k, g[k]*log(p[k]))",
        "grad_b[k] = g[k]*(v[k] - 1) + v[k]*sum(j, where(k < j, g[j], 0))",
    ),
    "all of several chances": (
        "index n : N\nindex i : I\nparam b[n,i]\nloss E = sum(n, prod(i, sigmoid(b[n,i])))",
        "grad_b[n,i] = prod(i', sigmoid(b[n,i']))*(1 - sigmoid(b[n,i]))",
    ),
    "survival up to a time": (
        "index k, j : K\ninput g[k]\nparam b[k]\nq[k] = sigmoid(b[k])\n"
        "loss E = sum(k, g[k]*prod(j, where(j <= k, q[j], 1)))",
        "grad_b[k] = sum(j, where(k <= j, g[j]*prod(j', where(j' <= j, q[j'], 1)), 0))*(1 - q[k])",
    ),
    "a place that data give": (
        "index k : K\nindex j : J\ninput x[j], ids[k] in J\nparam w[k]\n"
        "loss E = sum(k, w[k]*x[ids[k]]*prod(j, where(j != ids[k], x[j], 1)))",
        "grad_w[k] = prod(j, x[j])",
    ),
    "an index over another axis": (
        "index i : I\nindex j : J\ninput x[j]\nparam w[i]\n"
        "loss E = sum(i, w[i]*(i + 1)*prod(j, where(j != i, j + 1, 1))) + sum(j, x[j])",
        "grad_w[i] = (i + 1)*prod(j, where(j != i, j + 1, 1))",
    ),
    "a number, which an empty axis does not have": (
        "index j : J\ninput x[j], h\nparam c\nloss E = c*h*prod(j, where(j != 0, h, 1)) + sum(j, x[j])",
        "grad_c = h*prod(j, where(j != 0, h, 1))",
    ),
    "a plain product": (
        "index i : I\nparam b[i]\nloss E = prod(i, b[i])",
        "grad_b[i] = prod(i', where(i' != i, b[i'], 1))",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    model, form = FORMS[name]
    forms = [equation_text(equation) for equation in derive(parse_system(model)).equations]
    assert form in forms
    judge(model)
