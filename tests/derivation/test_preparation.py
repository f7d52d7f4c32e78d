"""What is named before differentiating, beside the arguments of functions: softmaxes, and norms."""

from __future__ import annotations

import numpy as np
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
LAYER_NORM = """
index b : B
index f : F
input t[b,f]
param x[b,f], g[f]
loss E = sum(b, f, ((x[b,f] - mean(f, x[b,f]))/sqrt(var(f, x[b,f]) + 0.001)*g[f] - t[b,f])^2)
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
    "layer norm in one line": (
        LAYER_NORM,
        [
            "s_E[b] = sqrt(var(f, x[b,f]) + 0.001)",
            "xhat_E[b,f] = (x[b,f] - mean(f, x[b,f]))/s_E[b]",
            "dE/dg[f] = 2*sum(b, (xhat_E[b,f]*g[f] - t[b,f])*xhat_E[b,f])",
            "delta_xhat_E[b,f] = 2*(xhat_E[b,f]*g[f] - t[b,f])*g[f]",
            "dE/dx[b,f] = (delta_xhat_E[b,f] - mean(f', delta_xhat_E[b,f'])"
            " - mean(f', delta_xhat_E[b,f']*xhat_E[b,f'])*xhat_E[b,f])/s_E[b]",
        ],
    ),
    # What the root sums over stands behind a name, or the root does.
    "group norm with a name for its sum": (
        "index b : B\nindex g : G\nindex c : C\ninput t[b,g,c]\nparam x[b,g,c], w[g,c], o[g,c]\n"
        "q[b,g] = sum(c, (x[b,g,c] - mean(c, x[b,g,c]))^2)\nv[b,g] = q[b,g]/size(c)\n"
        "y[b,g,c] = w[g,c]*(x[b,g,c] - mean(c, x[b,g,c]))/sqrt(v[b,g] + 0.001) + o[g,c]\n"
        "loss E = sum(b, g, c, t[b,g,c]*tanh(y[b,g,c]))\n",
        [
            "s_y[b,g] = sqrt(v[b,g] + 0.001)",
            "xhat_y[b,g,c] = (x[b,g,c] - mean(c, x[b,g,c]))/s_y[b,g]",
            "delta_y[b,g,c] = t[b,g,c]*(1 - tanh(y[b,g,c])^2)",
            "dE/dw[g,c] = sum(b, delta_y[b,g,c]*xhat_y[b,g,c])",
            "dE/do[g,c] = sum(b, delta_y[b,g,c])",
            "delta_xhat_y[b,g,c] = delta_y[b,g,c]*w[g,c]",
            "dE/dx[b,g,c] = (delta_xhat_y[b,g,c] - mean(c', delta_xhat_y[b,g,c'])"
            " - mean(c', delta_xhat_y[b,g,c']*xhat_y[b,g,c'])*xhat_y[b,g,c])/s_y[b,g]",
        ],
    ),
    "a score by a named deviation": (
        "index n : N\ninput t[n]\nparam x[n], k, c\nm = mean(n, x[n])\n"
        "s = sqrt(mean(n, (x[n] - m)^2) + 0.01)\ny[n] = k*(x[n] - m)/s + c\n"
        "loss E = sum(n, (y[n] - t[n])^4)\n",
        [
            "xhat_y[n] = (x[n] - m)/s",
            "delta_y[n] = 4*(y[n] - t[n])^3",
            "grad_k = sum(n, delta_y[n]*xhat_y[n])",
            "dE/dk = grad_k",
            "grad_c = sum(n, delta_y[n])",
            "dE/dc = grad_c",
            "dE/dx[n] = k*(delta_y[n] - grad_c/size(n) - grad_k*xhat_y[n]/size(n))/s",
        ],
    ),
    "no quotient by a named sum over something else": (
        "index n : N\nindex i : I\nparam x[n,i], w[n]\nq[n] = sum(i, x[n,i]^2)\n"
        "loss E = sum(n, w[n]/sqrt(q[n] + 1))\n",
        ["grad_w[n] = 1/sqrt(q[n] + 1)", "dE/dw[n] = grad_w[n]", "dE/dx[n,i] = -w[n]*grad_w[n]^3*x[n,i]"],
    ),
    "instance norm of square images": (
        "index n : N\nindex h, w : H\ninput t[n,h,w]\nparam x[n,h,w]\n"
        "y[n,h,w] = (x[n,h,w] - mean(h, w, x[n,h,w]))/sqrt(var(h, w, x[n,h,w]) + 0.001)\n"
        "loss E = sum(n, h, w, t[n,h,w]*y[n,h,w])",
        [
            "s_y[n] = sqrt(var(h, w, x[n,h,w]) + 0.001)",
            "dE/dx[n,h,w] = (t[n,h,w] - mean(h', w', t[n,h',w'])"
            " - mean(h', w', t[n,h',w']*y[n,h',w'])*y[n,h,w])/s_y[n]",
        ],
    ),
    "group norm with a named root": (
        "index n : N\nindex c : C\nindex h : H\nindex w : W\ninput t[n,c,h,w]\nparam x[n,c,h,w]\n"
        "s[n] = sqrt(var(c, h, w, x[n,c,h,w]) + 0.001)\n"
        "y[n,c,h,w] = (x[n,c,h,w] - mean(c, h, w, x[n,c,h,w]))/s[n]\n"
        "loss E = sum(n, c, h, w, t[n,c,h,w]*y[n,c,h,w])",
        [
            "dE/dx[n,c,h,w] = (t[n,c,h,w] - mean(c', h', w', t[n,c',h',w'])"
            " - mean(c', h', w', t[n,c',h',w']*y[n,c',h',w'])*y[n,c,h,w])/s[n]",
        ],
    ),
    "cosines": (
        "index b, c : B\nindex d : D\nparam x[b,d], y[b,d]\ninput g[b,c]\n"
        "s[b,c] = sum(d, x[b,d]/norm(d, x[b,d])*y[c,d]/norm(d, y[c,d]))\nloss E = sum(b, c, g[b,c]*s[b,c])",
        [
            "norm_s[b] = norm(d, x[b,d])",
            "xhat_s[b,d] = x[b,d]/norm_s[b]",
            "norm_s_2[c] = norm(d, y[c,d])",
            "xhat_s_2[c,d] = y[c,d]/norm_s_2[c]",
            "delta_xhat_s_2[c,d] = sum(b, g[b,c]*xhat_s[b,d])",
            "dE/dy[b,d] = (delta_xhat_s_2[b,d] - sum(d', delta_xhat_s_2[b,d']*xhat_s_2[b,d'])*xhat_s_2[b,d])"
            "/norm_s_2[b]",
            "delta_xhat_s[b,d] = sum(c, g[b,c]*xhat_s_2[c,d])",
            "dE/dx[b,d] = (delta_xhat_s[b,d] - sum(d', delta_xhat_s[b,d']*xhat_s[b,d'])*xhat_s[b,d])"
            "/norm_s[b]",
        ],
    ),
    # Differences of all pairs are a larger array than their points.
    "a root without a quotient": (
        "index b, c : B\nindex i : I\ninput t[b,i]\nparam x[b,i]\n"
        "loss E = sum(b, c, i, t[b,i]*(x[b,i] - x[c,i])/sqrt(1 + sum(i, (x[b,i] - x[c,i])^2)))",
        [
            "s_E[b,c] = sqrt(1 + sum(i, (x[b,i] - x[c,i])^2))",
            "delta_s_E[b,c] = sum(i, t[b,i]*(x[c,i] - x[b,i]))/s_E[b,c]^2",
            "dE/dx[b,i] = sum(c, (delta_s_E[b,c] + delta_s_E[c,b])*(x[b,i] - x[c,i])/s_E[b,c])"
            " + sum(c, (t[b,i] - t[c,i])/s_E[b,c])",
        ],
    ),
    # c is not what the root sums over.
    "no quotient by a sum over it": (
        "index c : C\nindex i : I\ninput x[c,i]\nparam q[c]\n"
        "loss E = sum(c, q[c]/sqrt(1 + sum(i, q[c]^2*x[c,i]^2)))",
        ["dE/dq[c] = 1/(1 + q[c]^2*sum(i, x[c,i]^2))^(3/2)"],
    ),
    "a hinge of distances": (
        "index b : B\nindex e : D\ninput p[b,e], n[b,e]\nparam a[b,e]\n"
        "loss E = sum(b, max(0, norm(e, a[b,e] - p[b,e]) - norm(e, a[b,e] - n[b,e]) + 1))",
        [
            "u_E[b] = norm(e, a[b,e] - p[b,e]) - norm(e, a[b,e] - n[b,e]) + 1",
            "dE/da[b,e] = where(u_E[b] > 0, (a[b,e] - p[b,e])/norm(e', a[b,e'] - p[b,e'])"
            " - (a[b,e] - n[b,e])/norm(e', a[b,e'] - n[b,e']), 0)",
        ],
    ),
    "a hinge of elements": (
        "index b : B\ninput p[b], n[b]\nparam a[b]\nloss E = sum(b, max(0, a[b]*p[b] - a[b]*n[b] + 1))",
        ["dE/da[b] = where(a[b]*p[b] - a[b]*n[b] + 1 > 0, p[b] - n[b], 0)"],
    ),
    "powers of a quotient": (
        "index n : N\ninput w[n]\nparam r[n], a, b\nloss E = sum(n, w[n]*(a*(b/r[n])^9 - (b/r[n])^3))\n",
        [
            "q_E[n] = b/r[n]",
            "dE/da = sum(n, w[n]*q_E[n]^9)",
            "delta_q_E[n] = 3*w[n]*q_E[n]^2*(3*a*q_E[n]^6 - 1)",
            "dE/db = sum(n, delta_q_E[n]/r[n])",
            "dE/dr[n] = -delta_q_E[n]*q_E[n]/r[n]",
        ],
    ),
    "a power of a quotient under a guard": (
        "index n, m : N\nparam r[n,m]\ninput w[n]\ny[n] = sum(m, where(n != m, (w[m]/r[n,m])^-4, 0))\n"
        "loss E = sum(n, y[n])\n",
        [
            "q_y[n,m] = where(n != m, w[m]/r[n,m], 0)",
            "dE/dr[n,m] = 4*where(n != m, 1/(q_y[n,m]^4*r[n,m]), 0)",
        ],
    ),
    "no square of a quotient, no power of a reciprocal": (
        "index n : N\ninput w[n]\nparam x[n], m, s\nloss E = sum(n, w[n]*((x[n] - m)/s)^2 + 1/x[n]^4)\n",
        [
            "dE/dx[n] = 2*w[n]*(x[n] - m)/s^2 - 4/x[n]^5",
            "dE/dm = 2*sum(n, w[n]*(m - x[n]))/s^2",
            "dE/ds = -2*sum(n, w[n]*(x[n] - m)^2)/s^3",
        ],
    ),
    "a log-sum-exp at a temperature": (
        "index n : N\nindex k : K\ninput y[n,k]\nparam v[n,k], s\n"
        "l[n] = logsumexp(k, v[n,k]/s)\nloss E = sum(n, l[n]^2 - sum(k, y[n,k]*v[n,k]))\n",
        [
            "u_l[n,k] = v[n,k]/s",
            "delta_u_l[n,k] = 2*l[n]*softmax(k, u_l[n,k])",
            "dE/dv[n,k] = delta_u_l[n,k]/s - y[n,k]",
            "dE/ds = -sum(n, k, delta_u_l[n,k]*u_l[n,k])/s",
        ],
    ),
    "a distance of two residuals": (
        "index n : N\ninput x[n], y[n], u[n], v[n]\nparam a, b, c\n"
        "loss E = mean(n, sqrt((a*x[n] + b - u[n])^2 + (c*y[n] - a - v[n])^2 + 0.001))\n",
        [
            "s_E[n] = sqrt((a*x[n] + b - u[n])^2 + (c*y[n] - a - v[n])^2 + 0.001)",
            "dE/da = mean(n, ((a*x[n] + b - u[n])*x[n] - (c*y[n] - a - v[n]))/s_E[n])",
            "dE/db = mean(n, (a*x[n] + b - u[n])/s_E[n])",
            "dE/dc = mean(n, y[n]*(c*y[n] - a - v[n])/s_E[n])",
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


@pytest.mark.parametrize("sizes", [{"B": 2, "F": 1}, {"B": 2, "F": 3}])
def test_layer_norm_before_every_judge(sizes: dict[str, int]) -> None:
    judge(LAYER_NORM, sizes=sizes, steps=False)


POWERS = {
    "pairs": "r[n,m] = norm(d, x[n,d] - x[m,d])\n"
    "loss E = sum(n, m, where(n < m, (s/r[n,m])^12 - k*(s/r[n,m])^6, 0))",
    "a whole right-hand side": "r[n] = norm(d, x[n,d])\ny[n] = (r[n]/s)^9\nloss E = k*sum(n, y[n]^2)",
    "a squared distance": "r[n] = sum(d, x[n,d]^2)\nloss E = sum(n, sqrt(1 + (s^2/r[n])^5))*k",
    "a wide flat bell": "loss E = sum(n, d, k*exp(-((x[n,d] - s)/s)^6)/(1 + (x[n,d]/s)^4))",
}


@pytest.mark.parametrize("name", POWERS)
def test_a_power_of_a_quotient_is_no_quotient_of_powers(name: str) -> None:
    """Positions of 1e4, whose 14th powers float32 does not hold."""
    declared = "index n, m : N\nindex d : D\nparam x[n,d], s, k\n"
    derivation = sb.loads(f"{declared}{POWERS[name]}\n").derive()
    derivation.replay()
    module = derivation.module()
    rng = np.random.default_rng(1)
    params = {"x": 1e4 * rng.normal(size=(4, 3)), "s": np.asarray(1.1e4), "k": np.asarray(0.3)}
    exact = module.grad(params)
    found = module.grad({tensor: value.astype(np.float32) for tensor, value in params.items()})
    for tensor, gradient in exact.items():
        scale = np.max(np.abs(gradient))
        np.testing.assert_allclose(found[tensor], gradient, rtol=0, atol=3e-6 * scale)


def test_a_power_of_a_quotient_before_every_judge() -> None:
    declared = "index n, m : N\nindex d : D\nparam x[n,d], s, k\n"
    judge(f"{declared}{POWERS['a squared distance']}\n", sizes={"N": 3, "D": 2}, steps=False)


FED_BACK = """
index t : T
index i : I
input x[t,i]
param w[i], f, c
s[t] = where(sum(i, w[i]*x[t,i]) + f*where(t == 0, 1, s[t-1]) + c > 0,
  sum(i, w[i]*x[t,i]) + f*where(t == 0, 1, s[t-1]) + c,
  sinh(min(sum(i, w[i]*x[t,i]) + f*where(t == 0, 1, s[t-1]) + c, 0))/2)
loss E = 3*s[size(t)-1]
"""


def test_a_sum_that_has_a_name_is_read_by_it_wherever_it_stands():
    """Added up in two orders it was on both sides of 0, and the gradient 0: an ELU that is fed back."""
    derivation = sb.loads(FED_BACK).derive()
    assert not any("sum(i, w[i]*x[t,i])" in str(each) for each in derivation.equations)
    module = derivation.module()
    tenths = [number / 10 for number in range(-9, 10) if number]
    orders = [(a, b, c) for a in tenths for b in tenths for c in tenths if (a + b) + c <= 0 < (a + c) + b]
    for a, b, c in orders[:6]:
        params = {"w": np.array([a]), "f": np.array(b), "c": np.array(c)}
        _, grads = module.value_and_grad(params, x=np.array([[1.0]]))
        assert float(grads["c"]) in (pytest.approx(1.5), pytest.approx(3.0))  # of one side or the other
    assert orders
