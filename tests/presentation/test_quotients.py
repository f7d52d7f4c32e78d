"""Quotients as they are printed: cancelled term by term, with one divisor, without quotients in divisors."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.language.model import parse_system
from symbackprop.presentation.quotients import CANCEL_IN_TERMS
from symbackprop.rules.examples import parsed
from symbackprop.systems.printing import equation_text, text
from tests.models.judges import judge

FORMS = {
    "a concordance": (
        "index n : N\ninput y[n]\nparam x[n]\nm = mean(n, x[n])\nv = mean(n, (x[n] - m)^2)\n"
        "c = mean(n, x[n]*y[n]^2)\nloss E = c^2 + v^2 + v*exp(m)",
        "grad_x[n] = (v*exp(m) + 2*(2*v + exp(m))*(x[n] - m) + 2*c*y[n]^2)/size(n)",
    ),
    "decorrelated features": (
        "index n : N\nindex i, j : D\ninput B[n,j]\nparam A[n,i]\nconst a\n"
        "C[i,j] = sum(n, A[n,i]*B[n,j])/size(n)\n"
        "loss E = sum(i, (1 - C[i,i])^2) + a*sum(i, j, where(i != j, C[i,j]^2, 0))",
        "grad_A[n,i] = 2*(B[n,i]*(C[i,i] - 1) + a*sum(j, where(i != j, C[i,j], 0)*B[n,j]))/size(n)",
    ),
    # g/n and dn/n are small arrays, divided before they are multiplied.
    "a divisor with an index": (
        "index i : I\nindex j : J\ninput a[j,i]\nparam v[j,i], g[j]\n"
        "n[j] = norm(i, v[j,i])\nw[j,i] = g[j]*v[j,i]/n[j]\nloss E = sum(i, j, a[j,i]*w[j,i]^2)",
        "grad_v[j,i] = delta_n[j]*v[j,i]/n[j] + delta_w[j,i]*g[j]/n[j]",
    ),
    "an angle of a box": (
        "index n : N\ninput t[n]\nparam w[n], h[n]\nloss E = sum(n, t[n]*atan(w[n]/h[n]))",
        "grad_w[n] = t[n]*h[n]/(w[n]^2 + h[n]^2)",
    ),
    "a focal loss with both classes": (
        "index b : B\nparam u[b]\ninput y[b]\np[b] = sigmoid(u[b])\n"
        "loss E = -sum(b, y[b]*(1 - p[b])^2*log(p[b]) + (1 - y[b])*p[b]^2*log(1 - p[b]))",
        "grad_u[b] = 2*y[b]*p[b]*(1 - p[b])^2*log(p[b]) + p[b]^3*(1 - y[b]) - y[b]*(1 - p[b])^3"
        " - 2*p[b]^2*(1 - p[b])*(1 - y[b])*log(1 - p[b])",
    ),
    "an overlap of a sum": (
        "index n : N\ninput y[n]\nparam u[n]\np[n] = sigmoid(u[n])\nI = sum(n, p[n]*y[n])\n"
        "P = sum(n, p[n])\nloss E = 1 - (2*I + 1)/(P + 3)",
        "grad_u[n] = ((2*I + 1)/(P + 3) - 2*y[n])*p[n]*(1 - p[n])/(P + 3)",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    model, form = FORMS[name]
    derivation = derive(parse_system(model))
    replayed(derivation)
    assert form in [equation_text(equation) for equation in derivation.equations]
    judge(model)


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("sum(i, x[i]*(c^2*A[i,j] + h0))/c^2", "sum(i, x[i]*(A[i,j] + h0/c^2))"),
        ("sum(i, x[i]*(x[i]*y[j] + h0))/x[i2]", None),  # at other indices
        ("c*(x[i]/c + h0 + y[j])", "x[i] + h0*c + y[j]*c"),
        ("c*(x[i] + h0 + y[j])", None),
        ("exp(c)*(x[i]/exp(c) + h0)", None),  # e^c is large where x/e^c is small
    ],
)
def test_what_cancels_in_terms(typed: str, form: str | None) -> None:
    found = CANCEL_IN_TERMS.apply(parsed(typed))
    assert (found and text(found)) == form
