"""Models that read themselves at other steps, and data for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from symbackprop.language.model import parse_system
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.semantics.naive import Array
from symbackprop.systems.system import Role, System, Tensor

EXAMPLES = Path(__file__).parents[2] / "examples"

TEXTS: Mapping[str, str] = {
    "elman": """
index n : N
index t : T
index i : I
index j, k : J
input x[n,t,i]
target d[n,j]
param W[j,i], U[j,k], b[j], h0[j]

h[n,t,j] = tanh(sum(i, W[j,i]*x[n,t,i]) + b[j]
                + where(t == 0, sum(k, U[j,k]*h0[k]), sum(k, U[j,k]*h[n,t-1,k])))
loss E = 1/2*sum(n, j, (h[n,size(t)-1,j] - d[n,j])^2)
""",
    "elman_initial_state": """
index n : N
index t : T
index i : I
index j, k : J
input x[n,t,i]
target d[n,t,j]
param W[j,i], U[j,k], b[j], h0[j]

u[n,t,j] = sum(i, W[j,i]*x[n,t,i]) + sum(k, U[j,k]*where(t == 0, h0[k], h[n,t-1,k])) + b[j]
h[n,t,j] = tanh(u[n,t,j])
loss E = 1/2*sum(n, t, j, (h[n,t,j] - d[n,t,j])^2)
""",
    "base_case_outside": """
index t : T
index j, k : J
input x[t,j]
target d[t,j]
param U[j,k], h0[j]

h[t,j] = where(t == 0, h0[j], tanh(sum(k, U[j,k]*h[t-1,k]) + x[t,j]))
loss E = 1/2*sum(t, j, (h[t,j] - d[t,j])^2)
""",
    "gru": """
index n : N
index t : T
index i : I
index j, k : J
input x[n,t,i]
target d[n,t,j]
param Wr[j,i], Ur[j,k], Wz[j,i], Uz[j,k], Wg[j,i], Ug[j,k], b[j], h0[n,j]
r[n,t,j] = sigmoid(sum(i, Wr[j,i]*x[n,t,i]) + sum(k, Ur[j,k]*hp[n,t,k]))
z[n,t,j] = sigmoid(sum(i, Wz[j,i]*x[n,t,i]) + sum(k, Uz[j,k]*hp[n,t,k]))
g[n,t,j] = tanh(sum(i, Wg[j,i]*x[n,t,i]) + sum(k, Ug[j,k]*r[n,t,k]*hp[n,t,k]) + b[j])
hp[n,t,j] = where(t == 0, h0[n,j], h[n,t-1,j])
h[n,t,j] = z[n,t,j]*hp[n,t,j] + (1 - z[n,t,j])*g[n,t,j]
loss E = 1/2*sum(n, t, j, (h[n,t,j] - d[n,t,j])^2)
""",
    "second_order": """
index t : T
index j, k : J
input x[t,j]
target d[t,j]
param A[j,k], B[j,k]
h[t,j] = tanh(x[t,j] + sum(k, A[j,k]*pad(h[t-1,k])) + sum(k, B[j,k]*pad(h[t-2,k])))
loss E = 1/2*sum(t, j, (h[t,j] - d[t,j])^2)
""",
    "backwards": """
index t : T
index j, k : J
input x[t,j]
target d[j]
param A[j,k], v[j]
h[t,j] = where(t == size(t)-1, v[j], x[t,j]*tanh(sum(k, A[j,k]*h[t+1,k])))
loss E = 1/2*sum(j, (h[0,j] - d[j])^2)
""",
    "mutual": """
index t : T
input x[t]
target d[t]
param a, b, c
p[t] = where(t == 0, a, p[t-1]*b + sin(q[t-1]))
q[t] = where(t == 0, c, p[t]*q[t-1] + x[t])
loss E = 1/2*sum(t, (q[t] - d[t])^2)
""",
    "hidden_markov": """
# forward algorithm in log space: transitions A, emissions B, initial pi
index n : N
index t : T
index i, j : S
input b[n,t,j]
param A[i,j], pi_[j]
alpha[n,t,j] = where(t == 0, pi_[j], log(sum(i, exp(alpha[n,t-1,i] + A[i,j])))) + b[n,t,j]
loss E = -sum(n, log(sum(j, exp(alpha[n,size(t)-1,j]))))
""",
    "state_space": """
index n : N
index t : T
index i : I
index j, k : J
index o : O
input u[n,t,i]
target d[n,t,o]
param A[j,k], B[j,i], C[o,j]
s[n,t,j] = sum(k, A[j,k]*pad(s[n,t-1,k])) + sum(i, B[j,i]*u[n,t,i])
y[n,t,o] = sum(j, C[o,j]*s[n,t,j])
loss E = 1/2*sum(n, t, o, (y[n,t,o] - d[n,t,o])^2)
""",
    "parents": """
index t : T
input par[t] in T
param x[t], w
h[t] = tanh(x[t] + where(par[t] < t, w*h[par[t]], 0))
loss E = sum(t, h[t]^2)
""",
    "heap": """
index t : T
param a[t]
h[t] = where(t == 0, a[t], a[t]*tanh(h[floor((t-1)/2)]))
loss E = sum(t, h[t]^2)
""",
    "highway_over_depth": """
index l : L
index b : B
index j, k : J
input x[b,j]
target d[b,j]
param W[l,j,k], Wt[l,j,k], bt[l,j]
g[l,b,j] = sigmoid(sum(k, Wt[l,j,k]*z[l,b,k]) + bt[l,j])
z[l,b,j] = where(l == 0, x[b,j], g[l-1,b,j]*tanh(sum(k, W[l-1,j,k]*z[l-1,b,k])) + (1 - g[l-1,b,j])*z[l-1,b,j])
loss E = 1/2*sum(b, j, (z[size(l)-1,b,j] - d[b,j])^2)
""",
    "euler": """
index b : B
index t : T = 4
index j, k : J
input x[b,j]
target d[b,j]
param W[j,k], c[j]
const dt
h[t,b,j] = where(t == 0, x[b,j], h[t-1,b,j] + dt*tanh(sum(k, W[j,k]*h[t-1,b,k]) + c[j]))
loss E = 1/2*sum(b, j, (h[size(t)-1,b,j] - d[b,j])^2)
""",
    "kalman": """
# local level model: scalar state, Durbin & Koopman 2.2
index t : T
input y[t]
param a1, P1, q, r
a[t] = where(t == 0, a1, a[t-1] + K[t-1]*v[t-1])
P[t] = where(t == 0, P1, P[t-1]*(1 - K[t-1]) + exp(q))
v[t] = y[t] - a[t]
F[t] = P[t] + exp(r)
K[t] = P[t]/F[t]
loss E = 1/2*sum(t, log(F[t]) + v[t]^2/F[t])
""",
    "own_past": """
index n : N
index t, s : T
index d, e : D
input x[n,t,d]
target y[n,t,d]
param Wq[d,e], Wk[d,e], Wv[d,e], Wx[d,e]

q[n,t,d] = sum(e, Wq[d,e]*x[n,t,e])
k[n,t,d] = sum(e, Wk[d,e]*h[n,t,e])
v[n,t,d] = sum(e, Wv[d,e]*h[n,t,e])
S[n,t,s] = where(s < t, sum(d, q[n,t,d]*k[n,s,d]), 0)
Z[n,t] = sum(s, where(s < t, exp(S[n,t,s]), 0))
c[n,t,d] = where(t == 0, 0, sum(s, where(s < t, exp(S[n,t,s])*v[n,s,d], 0))/Z[n,t])
h[n,t,d] = tanh(c[n,t,d] + sum(e, Wx[d,e]*x[n,t,e]))
loss E = 1/2*sum(n, t, d, (h[n,t,d] - y[n,t,d])^2)
""",
    "dense_connections": """
index n : N
index t, m : T
index d, e : D
input x[n,d]
target y[n,d]
param W[t,m,d,e], b[t,d]

h[n,t,d] = where(t == 0, x[n,d] + b[t,d], relu(u[n,t,d]))
u[n,t,d] = b[t,d] + sum(m, e, where(m < t, (W[t,m,d,e] - 1/2)*h[n,m,e], 0))
loss E = 1/2*sum(n, d, (h[n,size(t)-1,d] - y[n,d])^2)
""",
    "forward_substitution": """
index i, j : T
index n : N
param L[i,j], b[n,i]
target y[n,i]

x[n,i] = (b[n,i] - sum(j, where(j < i, L[i,j]*x[n,j], 0)))/L[i,i]
loss E = 1/2*sum(n, i, (x[n,i] - y[n,i])^2)
""",
    "longest_path": """
index n : N
index t, s : T
input a[n,t], g[t,s]
target y[n]
param w[t]

M[n,t] = w[t]*a[n,t] + max(s, where(s < t, M[n,s] + g[t,s], 0))
loss E = sum(n, (M[n,size(t)-1] - y[n])^2)
""",
    "discounted_past": """
index t, s : T
param a[t], g

h[t] = a[t] + sum(s, where(s < t, g^(t-s)*h[s]^2, 0))
loss E = sum(t, h[t]^2)
""",
    "moving_average": """
index n : N
index t : T
index r : R
input e[n,t]
target y[n,t]
param w[r]

x[n,t] = e[n,t] + sum(r, w[r]*pad(x[n,t-r-1]))
loss E = mean(n, t, (x[n,t] - y[n,t])^2)
""",
    "product_of_the_past": """
index t, s : T
param a[t]

h[t] = a[t]*prod(s, where(s < t, h[s], 1))
loss E = sum(t, h[t]^2)
""",
    "step_is_not_first": """
index n : N
index t : T
index j, k : J
param U[j,k], h0[n,j]
const c[n,j,t]
h[n,j,t] = where(t == 0, h0[n,j], c[n,j,t]*tanh(sum(k, U[j,k]*h[n,k,t-1])))
loss E = sum(n, j, t, h[n,j,t]^3)
""",
}


def system_of(name: str) -> System:
    """The model of that name."""
    if name == "lstm":
        return parse_system((EXAMPLES / "lstm.model").read_text(), name)
    return parse_system(TEXTS[name], name)


NAMES = (*TEXTS, "lstm")


def sample(system: System, steps: int, seed: int = 0) -> tuple[dict[str, Array], dict[str, int]]:
    """Random data; `steps` is the size of the axis of steps, the others are small and differ."""
    sizes = {axis.name: axis.size or 2 + place % 3 for place, axis in enumerate(system.axes)}
    sizes.update({name: steps for name in ("T", "L") if name in sizes and not _is_declared(system, name)})
    if steps == 2 and "N" in sizes:
        sizes["N"] = 1
    rng = np.random.default_rng(seed)
    values = {
        name: _drawn(tensor, sizes, rng)
        for name, tensor in system.tensors.items()
        if tensor.role is not Role.DERIVED
    }
    adjusted = obeying_facts(system, values, sizes)
    assert adjusted is not None
    return dict(adjusted), sizes


def _drawn(tensor: Tensor, sizes: dict[str, int], rng: np.random.Generator) -> Array:
    shape = [sizes[index.axis.name] for index in tensor.indices]
    if tensor.values is not None:
        return rng.integers(0, sizes[tensor.values.name], shape)
    return 0.2 + 0.6 * rng.random(shape)


def _is_declared(system: System, axis: str) -> bool:
    return any(each.name == axis and each.size is not None for each in system.axes)
