"""The adjoint of packed gates is, block by block, that of the gates apart."""

from __future__ import annotations

import symbackprop as sb
from tests.models.whole_language.judge import judged

GATES = (
    "index t : T\nindex j, l : H\nindex k : K = (i f g o)*H\ninput x[t,k], d[t,j]\nparam Wh[l,k]\n"
    "a[t,k] = x[t,k] + sum(l, pad(h[t-1,l])*Wh[l,k])\n"
    "i[t,j] = sigmoid(a[t,(i j)])\nf[t,j] = sigmoid(a[t,(f j)])\ng[t,j] = tanh(a[t,(g j)])\n"
    "o[t,j] = sigmoid(a[t,(o j)])\nc[t,j] = f[t,j]*pad(c[t-1,j]) + i[t,j]*g[t,j]\n"
    "h[t,j] = o[t,j]*tanh(c[t,j])\nloss E = 1/2*sum(t, j, (h[t,j] - d[t,j])^2)\n"
)


def test_the_gates_of_a_packed_lstm() -> None:
    forms = sb.loads(GATES).derive().result_text()
    assert "delta_a[t,j] = delta_c[t,j]*g[t,j]*i[t,j]*(1 - i[t,j])\n" in forms
    assert "delta_a[t,2*size(j) + j] = delta_c[t,j]*i[t,j]*(1 - g[t,j]^2)\n" in forms
    assert "delta_a[t,3*size(j) + j] = delta_h[t,j]*h[t,j]*(1 - o[t,j])\n" in forms
    assert judged(GATES).outcome == "right"


def test_a_name_is_found_again_at_the_places_of_a_block() -> None:
    model = (
        "index j : H\nindex k : K = 2*H\nparam a[k], d[j]\np[j] = sigmoid(a[j])\n"
        "q[j] = sigmoid(a[size(j) + j])\nh[j] = q[j]*tanh(d[j])\nloss E = sum(j, p[j]*(h[j] - d[j])^2)\n"
    )
    forms = sb.loads(model).derive().result_text()
    assert "*h[j]*(1 - q[j])" in forms
    assert judged(model).outcome == "right"
