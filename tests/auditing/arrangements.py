"""Backwards in which numbers go to the wrong places, or a bound is another: the line, and what mends it."""

from __future__ import annotations

from tests.auditing.cases import Case

LOOKED_UP = """
index n : N
index i, r : I
input x[n,i], order[r] in I
param a[i], c[r]
u[n,i] = tanh(a[i]*x[n,i])
y[n,r] = c[r]*u[n,order[r]]
loss E = sum(n, r, y[n,r]^2)
"""
LOOKED_UP_CODE = """
import numpy as np

def gradients(x, order, a, c):
    u = np.tanh(a*x)
    v = u[:, order]
    dy = 2*c*v
    dc = (dy*v).sum(0)
    dv = dy*c
    du = dv @ np.eye(len(order))[order]
    da = (du*(1 - u**2)*x).sum(0)
    return {"a": da, "c": dc}
"""
QUADRATIC = """
index n : N
index i, j : I
input x[n,i]
param S[i,j], w[i]
z[n,i] = w[i] + x[n,i]
q[n] = sum(i, j, z[n,i]*S[i,j]*z[n,j])
loss E = sum(n, q[n]^2)
"""
QUADRATIC_CODE = """
import numpy as np

def gradients(x, S, w):
    z = x + w
    Sz = z @ S.T
    q = np.sum(z*Sz, axis=1)
    dq = 2*q
    dS = (z*dq[:, None]).T @ z
    dz = dq[:, None]*(Sz + z @ S)
    return dS, dz.sum(0)
"""
SYMMETRIC_PART = """
index n : N
index i, j : I
input x[n,i]
param M[i,j]
P[i,j] = (M[i,j] + M[j,i])/2
y[n,i] = sum(j, P[i,j]*x[n,j])
loss E = sum(n, i, y[n,i]^2)
"""
SYMMETRIC_PART_CODE = """
def gradient(x, M):
    P = 0.5*(M + M.T)
    y = x @ P
    dP = 2*y.T @ x
    dM = 0.5*(dP + dP.T)
    return dM
"""
HEADS = """
index n : N
index i : I
index k : K
input x[n,i]
target d[n,k,i]
param a[i], b[k,i]
u[n,i] = a[i]*x[n,i]
loss E = 1/2*sum(n, k, i, (u[n,i]*b[k,i] - d[n,k,i])^2)
"""
HEADS_CODE = """
import numpy as np

def gradients(x, d, a, b):
    n, i = x.shape
    k = b.shape[0]
    u = a*x
    rows = u.reshape(n, 1, i).repeat(k, axis=1).reshape(n*k, i)
    gains = b.reshape(1, k, i).repeat(n, axis=0).reshape(n*k, i)
    out = rows*gains - d.reshape(n*k, i)
    db = (out*rows).reshape(n, k, i).sum(0)
    du = (out*gains).reshape(n, k, i).sum(1)
    return {"a": (du*x).sum(0), "b": db}
"""
CLIPPED = """
index n : N
index k : K
input x[n,k]
target d[n,k]
param b[k]
v[n,k] = x[n,k] + b[k]
z[n,k] = clip(v[n,k], -2, 1)
loss E = 1/2*sum(n, k, (z[n,k] - d[n,k])^2)
"""
CLIPPED_CODE = """
import numpy as np

def gradient(x, d, b):
    v = x + b
    z = np.where(v > 1, 1, np.where(v < -2, -2, v))
    dz = z - d
    dv = np.where(v > 1, 0, np.where(v < -2, 0, dz))
    return dv.sum(0)
"""
RING = """
index i : I
index j : J
param x[i,j]
const c
loss E = 1/2*sum(i, j, x[i,j]^2) + c/2*sum(i, j, (where(j == 0, x[i,size(j)-1], x[i,j-1]) - x[i,j])^2)
"""
RING_CODE = """
import numpy as np

def gradient(x, c):
    step = np.roll(x, 1, axis=1) - x
    back = np.roll(step, -1, axis=1)
    return x + c*(back - step)
"""
HAAR = """
index n : N
index m : M = 2*N
input t[n]
param x[m]
s[n] = (x[2*n] + x[2*n+1])/2
loss E = 1/2*sum(n, (s[n] - t[n])^2) + sum(n, (x[2*n] - x[2*n+1])^2*s[n])
"""
HAAR_CODE = """
import numpy as np

def gradient(x, t):
    even, odd = x[::2], x[1::2]
    s = (even + odd)/2
    ds = s - t + (even - odd)**2
    dx = np.zeros_like(x)
    dx[::2] = ds/2 + 2*(even - odd)*s
    dx[1::2] = ds/2 - 2*(even - odd)*s
    return dx
"""
SCORES = """
index i, j : N
input q[i,j], v[i]
param k[i]
a[i,j] = q[i,j] - k[i]
loss E = sum(i, j, where(a[i,j] < 0, v[i]^2*a[i,j]^2, v[i]*a[i,j]^2))
"""
SCORES_CODE = """
import numpy as np

def gradient(q, v, k):
    a = q - k[:, None]
    w = np.where(a < 0, v[:, None]**2, v[:, None])
    da = 2*w*a
    dk = -da.sum(axis=1)
    return {"k": dk}
"""
MIXED = """
index n : N
index c : C
input y[n,c]
param a[n,c]
p[n,c] = softmax(c, a[n,c])
loss E = 1/2*sum(n, c, (p[n,c] - y[n,c])^2)
"""
MIXED_CODE = """
import numpy as np

def gradient(a, y):
    e = np.exp(a - a.max(axis=1, keepdims=True))
    p = e/e.sum(axis=1, keepdims=True)
    da = np.empty_like(a)
    for n, row in enumerate(p):
        jacobian = np.diag(row) - np.outer(row, row)
        da[n] = jacobian @ (row - y[n])
    return da
"""
PAIRED = """
index u : U
index v : V
index k : K
input R[u,v]
param P[u,k], Q[v,k]
const m
e[u,v] = R[u,v] - sum(k, P[u,k]*Q[v,k])
loss E = sum(u, v, relu(m - e[u,v])^2)/2
"""
PAIRED_CODE = """
import numpy as np

def gradients(R, P, Q, m):
    e = R - P @ Q.T
    near = e < m
    de = (e - m)*near
    dP = -de @ Q
    dQ = -de.T @ P
    return dP, dQ
"""
SPREAD = """
index n : N
index d : D
input x[n,d]
param g[d]
m[d] = mean(n, x[n,d])
v[d] = mean(n, (x[n,d] - m[d])^2)
loss E = sum(n, d, (g[d]*(x[n,d] - m[d])/sqrt(v[d] + 0.1))^3)
"""
SPREAD_CODE = """
import numpy as np

def gradients(x, g):
    s = np.sqrt(np.var(x, axis=0) + 0.1)
    z = (x - x.mean(0))/s
    dg = 3*g**2*(z**3).sum(0)
    return {"g": dg}
"""
KERNEL = """
index n : N
index r, s : R
input x[n,r,s], t[n]
param w[r,s]
const c
y[n] = sum(r, s, w[r,s]^2*x[n,r,s])
loss E = mean(n, (y[n] - t[n])^2) + c*sum(r, s, w[r,s]^4)
"""
KERNEL_CODE = """
import numpy as np

def gradient(x, t, w, c):
    N, R, S = x.shape
    dw = np.zeros_like(w)
    for n in range(N):
        e = 2*((w**2*x[n]).sum() - t[n])
        for r in range(R):
            for s in range(S):
                dw[r, s] += e*2*w[r, s]*x[n, r, s]
    dw /= N
    dw += 4*c*w**3
    return dw
"""
KERNEL_BY_TERMS = """
import numpy as np

def gradient(x, t, w, c):
    N = len(x)
    dw = np.zeros_like(w)
    for n in range(N):
        dw += 4*(w**2*x[n]).sum()*w*x[n]
        dw -= 4*t[n]*w*x[n]
    dw = dw/N + 4*c*w**3
    return dw
"""
CENTRED = """
index i, j : N
param X[i,j]
loss E = 1/4*sum(i, j, (X[i,j] - mean(j, X[i,j]))^4)
"""
CENTRED_CODE = """
def gradient(X):
    R = X - X.mean(axis=1, keepdims=True)
    G = R**3
    dX = G - G.mean(axis=1, keepdims=True)
    return dX
"""
HEADS_MEAN = HEADS.replace("1/2*sum(n, k, i,", "1/2*sum(i, mean(n, k,").replace("^2)", "^2))")
HEADS_MEAN_CODE = HEADS_CODE.replace(
    "out = rows*gains - d.reshape(n*k, i)", "out = (rows*gains - d.reshape(n*k, i))/(n*k)"
)
LEAKY = """
index t : T
index n : N
index h, k : H
input x[t,n,h], y[n,h]
param U[h,k]
const c[h]
v[t,n,h] = where(t == 0, 0, c[h]*v[t-1,n,h]) + sin(x[t,n,h] + sum(k, U[h,k]*where(t == 0, 0, v[t-1,n,k])))
loss E = 1/2*sum(n, h, (v[size(t)-1,n,h] - y[n,h])^2)
"""
LEAKY_CODE = """
import numpy as np

def gradient(x, y, U, c):
    v = [np.zeros(y.shape)]
    for step in x:
        v.append(c*v[-1] + np.sin(step + v[-1] @ U.T))
    dU = np.zeros_like(U)
    dv = v[-1] - y
    for t in range(len(x) - 1, -1, -1):
        du = dv*np.cos(x[t] + v[t] @ U.T)
        dU += du.T @ v[t]
        dv = du @ U + c*dv
    return dU
"""
PAIRS = """
index t : T
index i, j : K
input x[t,i], v[t,j]
param w[i,j]
Z[t] = logsumexp(i, j, x[t,i] + w[i,j] + v[t,j])
loss E = sum(t, Z[t]^2)
"""
PAIRS_CODE = """
import numpy as np

def gradient(x, v, w):
    dw = np.zeros_like(w)
    for t in range(len(x)):
        s = x[t][:, None] + w + v[t]
        Z = s.max() + np.log(np.exp(s - s.max()).sum())
        dw += 2*Z*np.exp(x[t][:, None] + w + v[t] - Z)
    return dw
"""
MARGINS = """
index n : N
index k : K
input y[n] in K
param s[n,k]
loss E = sum(n, k, where(k != y[n], relu(1 + s[n,k] - s[n,y[n]]), 0))
"""
MARGINS_CODE = """
import numpy as np

def gradient(s, y):
    rows = np.arange(len(y))
    over = 1 + s - s[rows, y][:, None] > 0
    over[rows, y] = False
    ds = over*1.0
    ds[rows, y] = -over.sum(axis=1)
    return ds
"""


def faulty(name: str, model: str, code: str, *faults: tuple[str, str, str]) -> list[Case]:
    """The code as it is, and with one line of it in other words for each fault."""
    found = [Case(name, model, code)]
    for place, (right, wrong, kind) in enumerate(faults, start=1):
        assert code.count(f"{right}\n") == 1, right
        found.append(Case(f"{name}, fault {place}", model, code.replace(right, f"{wrong}  #!"), (kind,)))
    return found


CASES = [
    *faulty("looked up", LOOKED_UP, LOOKED_UP_CODE,
            ("du = dv @ np.eye(len(order))[order]", "du = dv[:, order]", "wrong value")),
    *faulty("quadratic form", QUADRATIC, QUADRATIC_CODE,
            ("dz = dq[:, None]*(Sz + z @ S)", "dz = dq[:, None]*Sz", "missing term"),
            ("dz = dq[:, None]*(Sz + z @ S)", "dz = dq[:, None]*(z @ S)", "missing term")),
    *faulty("symmetric part", SYMMETRIC_PART, SYMMETRIC_PART_CODE,
            ("dM = 0.5*(dP + dP.T)", "dM = 0.5*dP", "missing term")),
    *faulty("tiles", HEADS, HEADS_CODE,
            ("gains = b.reshape(1, k, i).repeat(n, axis=0).reshape(n*k, i)",
             "gains = b.repeat(n, axis=0)", "order"),
            ("rows = u.reshape(n, 1, i).repeat(k, axis=1).reshape(n*k, i)",
             "rows = np.tile(u, (k, 1))", "order")),
    *faulty("clips by nested where", CLIPPED, CLIPPED_CODE,
            ("dv = np.where(v > 1, 0, np.where(v < -2, 0, dz))",
             "dv = np.where(v > 1, 0, np.where(v < 0, 0, dz))", "sign"),
            ("dv = np.where(v > 1, 0, np.where(v < -2, 0, dz))",
             "dv = np.where(v > 1, 0, dz)", "missing derivative")),
    *faulty("differences round a ring", RING, RING_CODE,
            ("back = np.roll(step, -1, axis=1)", "back = np.roll(step, -1, axis=0)", "axis"),
            ("return x + c*(back - step)", "return x + c*(back + step)", "sign")),
    *faulty("even and odd places", HAAR, HAAR_CODE,
            ("even, odd = x[::2], x[1::2]", "even, odd = x[::2], x[::2]", "wrong value"),
            ("dx[1::2] = ds/2 - 2*(even - odd)*s", "dx[::2] += ds/2 - 2*(even - odd)*s", "step")),
    *faulty("a vector along the other axis", SCORES, SCORES_CODE,
            ("w = np.where(a < 0, v[:, None]**2, v[:, None])", "w = np.where(a < 0, v**2, v)", "axis"),
            ("a = q - k[:, None]", "a = q - k[None, :]", "axis")),
    *faulty("a softmax row by row", MIXED, MIXED_CODE,
            ("jacobian = np.diag(row) - np.outer(row, row)", "jacobian = np.diag(row)", "missing term")),
    *faulty("factors of a matrix", PAIRED, PAIRED_CODE,
            ("dP = -de @ Q", "dP = -de @ P", "wrong value"),
            ("near = e < m", "near = e < -m", "sign")),
    *faulty("a spread", SPREAD, SPREAD_CODE,
            ("s = np.sqrt(np.var(x, axis=0) + 0.1)", "s = np.sqrt(np.var(x, axis=0, ddof=1) + 0.1)", "step")),
    *faulty("a kernel in loops", KERNEL, KERNEL_CODE,
            ("dw[r, s] += e*2*w[r, s]*x[n, r, s]", "dw[r, s] += e*2*w[s, r]*x[n, r, s]", "transpose"),
            ("dw += 4*c*w**3", "dw = dw*N + 4*c*w**3", "factor")),
    *faulty("a kernel in two terms", KERNEL, KERNEL_BY_TERMS,
            ("dw = dw/N + 4*c*w**3", "dw += 4*c*w**3", "factor")),
    *faulty("a mean of a square matrix", CENTRED, CENTRED_CODE,
            ("dX = G - G.mean(axis=1, keepdims=True)", "dX = G - G.mean(axis=0)", "axis")),
    *faulty("a mean over two axes", HEADS_MEAN, HEADS_MEAN_CODE,
            ("out = (rows*gains - d.reshape(n*k, i))/(n*k)",
             "out = (rows*gains - d.reshape(n*k, i))/n", "factor"),
            ("out = (rows*gains - d.reshape(n*k, i))/(n*k)",
             "out = (rows*gains - d.reshape(n*k, i))/(n*k - 1)", "doubled term")),
    *faulty("carried on", LEAKY, LEAKY_CODE, ("dv = du @ U + c*dv", "dv = du @ U", "missing term")),
    *faulty("pairs step by step", PAIRS, PAIRS_CODE,
            ("dw += 2*Z*np.exp(x[t][:, None] + w + v[t] - Z)",
             "dw += 2*Z*np.exp(x[t][:, None] + w - Z)", "missing term")),
    *faulty("counts of margins", MARGINS, MARGINS_CODE,
            ("ds[rows, y] = -over.sum(axis=1)", "ds[rows, y] = -over.sum(axis=1).clip(max=1)", "branch")),
]  # fmt: skip
# What the remedy of a case says.
REMEDIES = {
    "a mean over two axes, fault 1": "write out = (rows * gains - d.reshape(n * k, i)) / (n * k)",
    "a mean over two axes, fault 2": "1 should not be subtracted",
    "carried on, fault 1": "write dv = du @ U + c * dv",
    "pairs step by step, fault 1": "write dw += 2 * Z * np.exp(x[t][:, None] + w - Z + v[t])",
    "counts of margins, fault 1": "write ds[rows, y] = -over.sum(axis=1)",
    "weighted, fault 1": "write r = e * v / v.sum()",
    "window, fault 2": "write dh[first:t + 1] += 2 * total * dy[t]",
    "looked up, fault 1": "du = dv @ np.eye(len(order))[order]",
    "quadratic form, fault 1": "dz = dq[:, None] * (Sz + z @ S)",
    "tiles, fault 1": "gains = np.tile(b, (n, 1))",
    "tiles, fault 2": "rows = np.repeat(u, k, axis=0)",
    "differences round a ring, fault 1": "back = np.roll(step, -1, axis=1)",
    "even and odd places, fault 2": "dx[1::2] += ds / 2 - 2 * (even - odd) * s",
    "a vector along the other axis, fault 1": "w = np.where(a < 0, v[:, None] ** 2, v[:, None])",
    "a softmax row by row, fault 1": "jacobian = np.diag(row) - np.outer(row, row)",
    "a mean of a square matrix, fault 1": "dX = G - G.mean(axis=1, keepdims=True)",
    "factors of a matrix, fault 1": "dP = -de @ Q",
    "a spread, fault 1": "ddof=1 should be ddof=0",
    "a kernel in loops, fault 1": "dw[r, s] += e * 2 * w[r, s] * x[n, r, s]",
    "a kernel in two terms, fault 1": "write dw = dw / N + 4 * c * w ** 3",
    "clips by nested where, fault 1": "dv = np.where(v > 1, 0, np.where(v < -2, 0, dz))",
}
