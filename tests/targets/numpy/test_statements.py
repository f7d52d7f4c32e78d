"""Which NumPy expression each kind of formula becomes."""

from __future__ import annotations

import pytest

from symbackprop.targets.numpy import cutting
from symbackprop.targets.numpy.values import NumpyValues
from tests.targets.numpy.generated import forward_statements

HEAD = """
index b : B
index i : I
index j : J
index k : K
index t, s : T
index h : H
param m[i,j], v[i]
input x[b,i], n[j,k], w[i], g[b], X[b,t,i], Y[b,t,j], A[b,h,t,s], V[b,h,s,j], q[t,s], c, e
input Q[b,t,s,i,j], M[k,i,j]
"""

CASES = {
    # matrix products
    "y[b,j] = sum(i, x[b,i]*m[i,j])": ["y = x @ m"],
    "y[j,b] = sum(i, x[b,i]*m[i,j])": ["y = m.T @ x.T"],
    "y[b] = sum(i, x[b,i]*v[i])": ["y = x @ v"],
    "y[i] = sum(b, g[b]*x[b,i])": ["y = x.T @ g"],
    "y = sum(i, v[i]*w[i])": ["y = v @ w"],
    "y[b,k] = sum(i, j, x[b,i]*m[i,j]*n[j,k])": ["y = x @ m @ n"],
    "y[b] = sum(i, j, x[b,i]*m[i,j]*w[i])": ["y = x @ (np.sum(m, axis=1) * w)"],
    "y[b,t,j] = sum(i, X[b,t,i]*m[i,j])": ["y = X @ m"],
    "y[b,t,s,k] = sum(i, j, Q[b,t,s,i,j]*M[k,i,j])": [
        "y = (Q.reshape(-1, I * J) @ M.reshape(K, I * J).T).reshape(B, T, T, K)"
    ],
    "y[i,j] = sum(b, t, X[b,t,i]*Y[b,t,j])": ["y = X.reshape(-1, I).T @ Y.reshape(-1, J)"],
    "y[b,h,t,j] = sum(s, A[b,h,t,s]*V[b,h,s,j])": ["y = A @ V"],
    "y[b,h,s,j] = sum(t, A[b,h,t,s]*V[b,h,t,j])": ["y = A.mT @ V"],
    "y[b,t,h,j] = sum(s, A[b,h,t,s]*V[b,h,s,j])": ["y = (A @ V).transpose(0, 2, 1, 3)"],
    "y[b,i] = x[b,i] - sum(j, m[i,j])*v[i]": ["y = x - np.sum(m, axis=1) * v"],
    # sums over axes
    "y[b] = sum(i, x[b,i]*x[b,i])": ["y = np.sum(x * x, axis=1)"],
    "y[b] = sum(i, x[b,i]^2*v[i])": ["y = x**2 @ v"],
    "y[t] = sum(b, i, X[b,t,i])": ["y = np.sum(X, axis=(0, 2))"],
    "y = sum(b, i, x[b,i])": ["y = np.sum(x)"],
    "y[b] = sum(i, x[b,i])/size(i)": ["y = np.sum(x, axis=1) / I"],
    "y[b] = sum(j, g[b])": ["y = J * g"],
    "y[b,i] = x[b,i]/sum(i, x[b,i])": ["y = x / np.sum(x, axis=1, keepdims=True)"],
    # broadcasting
    "y[b,i] = x[b,i] + v[i]": ["y = x + v"],
    "y[b,i] = x[b,i]*g[b]": ["y = x * g[:, None]"],
    "y[b,j] = g[b]*sum(i, v[i]*m[i,j])": ["y = g[:, None] * (m.T @ v)"],
    "y[b,i] = g[b]*v[i]": ["y = g[:, None] * v"],
    "y[i,b] = x[b,i] + 1": ["y = x.T + 1.0"],
    "y[b,i] = g[b]": ["y = np.full((B, I), g[:, None], dtype=dtype)"],
    "y[b,i] = 0": ["y = np.zeros((B, I), dtype=dtype)"],
    "y[b,i] = 1": ["y = np.ones((B, I), dtype=dtype)"],
    # results that would be views of inputs
    "y[b,i] = x[b,i]": ["y = x.copy()"],
    "y[i,b] = x[b,i]": ["y = x.T.copy()"],
    "y = c": ["y = c[()]"],
    # numbers, signs, powers
    "y[i] = 1/2*v[i]": ["y = 0.5 * v"],
    "y[i] = v[i]/3": ["y = v / 3.0"],
    "y[i] = c*v[i]/2": ["y = 0.5 * c * v"],
    "y = sum(i, -v[i])": ["y = -np.sum(v)"],
    "y = sum(i, v[i]^2 - c)": ["y = np.sum(v**2 - c)"],
    "y[i] = -v[i]*w[i]": ["y = -v * w"],
    "y[i] = -v[i]^2": ["y = -(v**2)"],
    "y[i] = -v[i] + w[i]": ["y = w - v"],
    "y[i] = v[i]^3 - 2*w[i]": ["y = v**3 - 2.0 * w"],
    "y[i] = 1/v[i]": ["y = 1.0 / v"],
    "y[i] = (v[i] + w[i])^2/sqrt(w[i])": ["y = (v + w) ** 2 / np.sqrt(w)"],
    "y[i] = v[i]/(w[i]*c)": ["y = v / w / c"],
    "y[i] = v[i]^c": ["y = v**c"],
    "y[i] = pi*v[i]": ["y = np.pi * v"],
    "y[b] = sum(i, x[b,i])*c/e": ["y = c * np.sum(x, axis=1) / e"],
    # functions, `where`s, positions
    "y[i] = exp(-v[i])": ["y = np.exp(-v)"],
    "y[i] = relu(v[i])*abs(w[i])": ["y = np.maximum(v, 0.0) * np.abs(w)"],
    "y[i] = softplus(v[i])": ["y = np.logaddexp(v, 0.0)"],
    "y[i] = max(v[i], w[i])": ["y = np.maximum(v, w)"],
    "y[i] = where(v[i] > 0, w[i], 0)": ["y = np.where(v > 0.0, w, 0.0)"],
    "y[i] = w[i]*where(v[i] > 0, 1, 0)": ["y = w * (v > 0.0)"],
    "y[i] = where(v[i] > 0, 1, 0)": ["y = (v > 0.0).astype(dtype)"],
    "y[i] = where(v[i] > 0 and w[i] < 1, v[i], 2)": ["y = np.where((v > 0.0) & (w < 1.0), v, 2.0)"],
    "y[t,s] = where(s <= t, q[t,s], 0)": ["y = np.where(np.arange(T) <= np.arange(T)[:, None], q, 0.0)"],
    "y[t] = t*q[t,t]": ["y = np.arange(T, dtype=dtype) * np.diagonal(q, axis1=0, axis2=1)"],
    "y[t,s] = delta(t,s)*q[t,s]": ["y = np.eye(T, dtype=dtype) * q"],
    "y[b] = max(i, x[b,i])": ["y = np.max(x, axis=1)"],
    # sizes that are worked out
    "y = sum(t, where(t + 1 < size(t), c, 0))": ["y = c * max(T - 1, 0)"],
    "y[i] = v[i] - sum(t, where(t > 1, 1, 0))*w[i]": ["y = v - max(T - 2, 0) * w"],
    "y[b] = g[b]^sum(t, where(t > 0, 1, 0))": ["y = g ** max(T - 1, 0)"],
    "y = where(not 2 < size(t), c, e)": ["y = (c if not T > 2 else e)[()]"],
    "y = where(not (size(t) == 1 and size(h) == 1), c, e)": ["y = (c if not (T == 1 and H == 1) else e)[()]"],
    "y[i] = prod(b, x[b,i])": ["y = np.prod(x, axis=0)"],
    "y = sum(b, i, x[b,i]^2)/size(b)": ["y = np.sum(x**2) / max(B, 1)"],
}


@pytest.mark.parametrize("equation", CASES)
def test_statement(equation: str) -> None:
    statements = forward_statements(HEAD + equation + "\n")
    assert [line for line in statements if not line.startswith("dtype")] == CASES[equation]


def test_a_result_that_two_equations_need_is_computed_once() -> None:
    text = HEAD + "y[b,i] = exp(x[b,i] - g[b])\nz[b] = sum(i, exp(x[b,i] - g[b])*v[i])\n"
    assert forward_statements(text) == ["y = np.exp(x - g[:, None])", "z = y @ v"]


def test_a_result_that_two_places_need_gets_a_name_that_says_what_it_is() -> None:
    text = HEAD + "y[b,i] = tanh(x[b,i])/(1 + sum(i, tanh(x[b,i])^2))\n"
    assert forward_statements(text) == [
        "tanh_x = np.tanh(x)",
        "y = tanh_x / (1.0 + np.sum(tanh_x**2, axis=1, keepdims=True))",
    ]


def test_a_long_statement_is_cut_or_set_in_parentheses() -> None:
    factors = "*".join(f"tanh(v[i]*w[i]*{number} + {number})" for number in range(2, 9))
    lines = forward_statements(HEAD + f"y[i] = {factors}\n")
    assert lines[-1].startswith("y = (\n        np.tanh(") and lines[-1].count("\n        * ") == 6


def test_a_guard_stands_where_a_branch_may_be_undefined() -> None:
    assert forward_statements(HEAD + "y[i] = where(v[i] > 0, tanh(w[i]), 0)\n") == [
        "y = np.where(v > 0.0, np.tanh(w), 0.0)"
    ]


def test_each_part_of_a_value_that_is_cut_is_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[int] = []
    once = NumpyValues._printed
    monkeypatch.setattr(
        NumpyValues, "_printed", lambda self, value: printed.append(id(value)) or once(self, value)
    )

    def nodes_printed(count: int) -> int:
        printed.clear()
        product = "*".join(f"x[b,i]^{n}*tanh(v[i]*w[i]*{n})" for n in range(2, count + 2))
        forward_statements(f"{HEAD}y[b,i] = {product}\n")
        return len(printed)

    few, many = nodes_printed(8), nodes_printed(15)
    assert many < 2.5 * few, (few, many)


def test_what_a_cut_leaves_as_it_is_is_laid_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out: list[int] = []
    once = cutting.statement_lines
    monkeypatch.setattr(cutting, "statement_lines", lambda *given: laid_out.append(1) or once(*given))

    def layouts(count: int) -> int:
        laid_out.clear()
        terms = ("*".join(f"tanh({n}.{k}*x[b,i])" for k in range(1, 7)) for n in range(count))
        lines = forward_statements(f"{HEAD}y[b,i] = {' + '.join(terms)}\n")
        assert sum("_part" in line.split(" = ")[0] for line in lines) > count // 2
        return len(laid_out)

    few, many = layouts(5), layouts(10)
    assert many < 3 * few, (few, many)
