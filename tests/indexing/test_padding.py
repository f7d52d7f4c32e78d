"""Conditions on a window that keep other readings inside as well: sizes on both sides, 1 among them."""

from __future__ import annotations

import pytest

from tests.models.holding import hold_together

AXES = "index n, m : N\nindex k, l : K\n"
MODELS = {
    # the adjoint of y is read at k, which runs over another axis than y's: k + 2*l < N keeps it inside
    "a factor at an index of the window": AXES + "param x[n]\nparam w[n,k]\n"
    "y[n] = sum(m, pad(x[2*n+m])*pad(w[m,1*n]))\nloss E = sum(n, y[n]^2)\n",
    "a factor that is summed over": AXES + "param x[n,m]\nparam w[n,k]\n"
    "y[n] = sum(m, pad(x[n+2*m,0])*pad(w[m,1*n]))\nloss E = sum(n, tanh(y[n]))\n",
    "two kernels": AXES + "param x[n], v[n], w[n,k]\n"
    "y[n] = v[n]*sum(m, pad(x[n+m])*pad(w[m,1*n]))\nloss E = sum(n, y[n]^2)\n",
    "a kernel of the other axis": AXES + "param x[n,m]\nparam w[k]\n"
    "y[n] = sum(k, pad(x[2*n+k,2*n+k])*w[k])\nz[n] = sum(m, pad(x[2*n+m,2*n+m])*pad(w[1*m]))\n"
    "loss E = sum(n, y[n]*z[n])\n",
    "backwards": AXES + "param x[n]\nparam w[n,k]\n"
    "y[n] = sum(m, pad(x[n-m])*pad(w[m,1*n]))\nloss E = sum(n, y[n]^3)\n",
    "stored at each place": AXES + "param x[n]\nparam w[k,n]\n"
    "y[n] = sum(k, pad(x[n+2*k])*pad(w[1*n,0])*w[k,n])\nloss E = sum(n, y[n]^2)\n",
}
SIZES = [dict(N=5, K=2), dict(N=2, K=5), dict(N=1, K=3), dict(N=3, K=1), dict(N=1, K=1)]


@pytest.mark.parametrize("name", MODELS)
def test_other_factors_keep_their_condition(name: str) -> None:
    hold_together(MODELS[name], SIZES)
