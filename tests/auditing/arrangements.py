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
]  # fmt: skip
# What the remedy of a case says.
REMEDIES = {
    "looked up, fault 1": "du = dv @ np.eye(len(order))[order]",
    "quadratic form, fault 1": "dz = dq[:, None] * (Sz + z @ S)",
    "tiles, fault 1": "gains = np.tile(b, (n, 1))",
    "tiles, fault 2": "rows = np.repeat(u, k, axis=0)",
    "clips by nested where, fault 1": "dv = np.where(v > 1, 0, np.where(v < -2, 0, dz))",
}
