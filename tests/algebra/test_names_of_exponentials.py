"""A name for e^(u - l) stands for e^u/s where l = log(s), and every step that uses it replays."""

from __future__ import annotations

import pytest

from symbackprop.derivation.replaying import replayed
from symbackprop.systems.printing import equation_text
from tests.models.judges import judge

DECLARED = "index n : N\nindex k, j : K\ninput z[n,k]\nparam q[n,k], w[k], c\n"
FORMS = {
    "a responsibility": (
        "l[n] = logsumexp(k, q[n,k])\nr[n,k] = exp(q[n,k] - l[n])\nloss E = -sum(n, l[n])",
        "grad_q[n,k] = -r[n,k]",
    ),
    "the logarithm has no name": (
        "r[n,k] = exp(q[n,k] - log(sum(k, exp(q[n,k]))))\nloss E = -sum(n, logsumexp(k, q[n,k]))",
        "grad_q[n,k] = -r[n,k]",
    ),
    "of a mixture, summed": (
        "l[n] = logsumexp(k, w[k] - (z[n,k] - 1)^2/2)\nr[n,k] = exp(w[k] - (z[n,k] - 1)^2/2 - l[n])\n"
        "loss E = -sum(n, l[n])",
        "grad_w[k] = -sum(n, r[n,k])",
    ),
    "stabilised by hand": (
        "m[n] = max(k, q[n,k])\nl[n] = m[n] + log(sum(k, exp(q[n,k] - m[n])))\nr[n,k] = exp(q[n,k] - l[n])\n"
        "loss E = sum(n, l[n] - sum(k, z[n,k]*q[n,k]))",
        "grad_q[n,k] = r[n,k] - z[n,k]",
    ),
    "through a name for the difference": (
        "l[n] = logsumexp(k, q[n,k])\nf[n,k] = q[n,k] - l[n]\nr[n,k] = exp(f[n,k])\nloss E = -sum(n, l[n])",
        "grad_q[n,k] = -r[n,k]",
    ),
    "of a softmax under a mask, whose temperature is in the mask": (
        "p[n,k] = where(z[n,k] > 0, exp(q[n,k]*c), 0)/(sum(k, where(z[n,k] > 0, exp(q[n,k]*c), 0)) + 1e-9)\n"
        "loss E = sum(n, k, p[n,k]*w[k])",
        "grad_q[n,k] = where(z[n,k] > 0, c*p[n,k], 0)*(w[k] - sum(k', w[k']*p[n,k']))",
    ),
    "of a softmax masked as a whole": (
        "p[n,k] = where(z[n,k] > 0, exp(q[n,k])/(sum(k, where(z[n,k] > 0, exp(q[n,k]), 0)) + 1), 0)\n"
        "loss E = sum(n, k, p[n,k]*w[k])",
        "grad_q[n,k] = p[n,k]*(w[k] - sum(k', w[k']*p[n,k']))",
    ),
    "of a softmax under a mask, with a temperature that divides": (
        "p[n,k] = where(z[n,k] > 0, exp(q[n,k]/exp(c)), 0)"
        "/(sum(j, where(z[n,j] > 0, exp(q[n,j]/exp(c)), 0)) + 1)\n"
        "loss E = sum(n, k, p[n,k]*w[k])",
        "grad_q[n,k] = where(z[n,k] > 0, exp(-c)*p[n,k], 0)*(w[k] - sum(j, w[j]*p[n,j]))",
    ),
    "a root of it is another quantity": (
        "l[n] = logsumexp(k, q[n,k])\nr[n,k] = exp(q[n,k]/2 - l[n]/2)\nloss E = -sum(n, l[n])",
        "grad_q[n,k] = -exp(q[n,k])/sum(k', exp(q[n,k']))",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    formulas, form = FORMS[name]
    derivation = judge(DECLARED + formulas, steps=False)
    assert form in [equation_text(equation) for equation in derivation.equations]
    assert sum(replayed(derivation).values()) >= len(derivation.steps)
