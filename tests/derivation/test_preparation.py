"""What is named before differentiating, beside the arguments of functions: softmaxes, and norms."""

from __future__ import annotations

import pytest

import symbackprop as sb
from tests.models.judges import judge

ATTENTION = """
index t, s : T
index j : J
param q[t,j], k[t,j], v[t,j]
input d[t,j]
y[t,j] = sum(s, softmax(s, sum(j, q[t,j]*k[s,j])/sqrt(size(j)))*v[s,j])
loss E = 1/2*sum(t, j, (y[t,j] - d[t,j])^2)
"""
SCALED = """
index i : I
index b : B
input x[b,i]
param a, w[i]
loss E = sum(b, 3*norm(i, a*x[b,i]*w[i]))
"""
FORMS = {
    "attention in one line": (
        ATTENTION,
        [
            "u_y[t,s] = sum(j, q[t,j]*k[s,j])/sqrt(size(j))",
            "p_y[t,s] = softmax(s, u_y[t,s])",
            "delta_y[t,j] = y[t,j] - d[t,j]",
            "dE/dv[t,j] = sum(s, delta_y[s,j]*p_y[s,t])",
            "delta_p_y[t,s] = sum(j, delta_y[t,j]*v[s,j])",
            "delta_u_y[t,s] = p_y[t,s]*(delta_p_y[t,s] - sum(s', delta_p_y[t,s']*p_y[t,s']))",
            "dE/dq[t,j] = sum(s, delta_u_y[t,s]*k[s,j])/sqrt(size(j))",
            "dE/dk[t,j] = sum(s, delta_u_y[s,t]*q[s,j])/sqrt(size(j))",
        ],
    ),
    "norms of scaled rows": (
        SCALED,
        [
            "norm_E[b] = norm(i, a*x[b,i]*w[i])",
            "dE/da = 3*sum(b, sum(i, x[b,i]^2*w[i]^2)/norm_E[b])*a",
            "dE/dw[i] = 3*sum(b, x[b,i]^2/norm_E[b])*a^2*w[i]",
        ],
    ),
    # The whole right-hand side has a name, and a logarithm of a softmax is a difference.
    "nothing to name": (
        "index k : K\nparam u[k]\ninput d[k]\np[k] = softmax(k, u[k])\n"
        "loss E = sum(k, p[k]^2) - sum(k, d[k]*log(softmax(k, 2*u[k])))\n",
        [
            "delta_p[k] = 2*p[k]",
            "dE/du[k] = p[k]*(delta_p[k] - sum(k', delta_p[k']*p[k']))"
            " + 2*(sum(k', d[k'])*softmax(k, 2*u[k]) - d[k])",
        ],
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_gradient_in_names(name: str) -> None:
    model, expected = FORMS[name]
    assert sb.loads(model).derive().result_text().splitlines() == expected


@pytest.mark.parametrize("sizes", [{"T": 1, "J": 3}, {"T": 3, "J": 2}])
def test_attention_before_every_judge(sizes: dict[str, int]) -> None:
    judge(ATTENTION, sizes=sizes, steps=False)
