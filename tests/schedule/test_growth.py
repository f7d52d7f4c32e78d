"""Stable forms stay within what someone reads, also where states open one another."""

import pytest

from symbackprop.exponentials import scales
from symbackprop.notation.expressions import Element, Expression
from symbackprop.pipeline import loads

MESSAGES = """
index a : A
index b : B
index t : T
param theta[a,b], log_tau
tau = exp(log_tau)
m[t,a] = where(t == 0, 0, tau*logsumexp(b, (w[t-1,b] + theta[a,b])/tau))
w[t,b] = where(t == 0, 0, tau*logsumexp(a, (m[t,a] - theta[a,b])/tau))
q[a,b] = exp((m[size(t)-1,a] + w[size(t)-1,b] - theta[a,b])/tau)
loss E = sum(a, b, theta[a,b]*q[a,b])
"""


def test_no_name_is_seen_through_that_stands_for_what_nobody_would_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two states share a temperature: each term of its adjoint is shifted by the exponents of all others."""
    by_name = scales._by_name

    def counted(value: Expression, exponent: Expression, name: Element) -> Expression:
        assert value.node_count + exponent.node_count < 10**5  # there were 10^7
        return by_name(value, exponent, name)

    monkeypatch.setattr(scales, "_by_name", counted)
    assert loads(MESSAGES).derive().schedule
