"""Backwards in odd styles, and with faults that no course has: bounds, windows, layouts, conditions."""

from __future__ import annotations

from tests.auditing.strangers import of

CLIPPED_VALUE = """
index n : N
input old[n], r[n]
param v[n]
const eps
c[n] = old[n] + clip(v[n] - old[n], -eps, eps)
loss E = mean(n, max((v[n] - r[n])^2, (c[n] - r[n])^2))/2
"""
VALUE_MASKS = """
import numpy as np

def value_grad(v, old, r, eps):
    moved = v - old
    outside = (moved > eps) | (moved < -eps)
    c = np.where(moved > eps, old + eps, np.where(moved < -eps, old - eps, v))
    worse = (c - r)**2 > (v - r)**2
    g = v - r
    g[outside & worse] = 0.0
    return {"v": g/g.size}
"""
HUBER = """
index n : N
index i : I
input x[n,i], y[n]
param w[i]
const c
r[n] = sum(i, x[n,i]*w[i]) - y[n]
loss E = mean(n, where(abs(r[n]) <= c, r[n]^2/2, c*(abs(r[n]) - c/2)))
"""
HUBER_BY_CLIP = """
import numpy as np

def huber_grad(w, x, y, c):
    r = x @ w - y
    g = np.clip(r, -c, c)
    return {"w": g @ x/len(y)}
"""
SCALED = """
index n : N
index i : I
input x[n,i]
param w[i]
const s
y[n] = s*sum(i, x[n,i]*w[i])
"""
SCALED_BACK = """
import numpy as np

def backward(dy, x, w, s):
    return dy @ x*s
"""
CASES = [
    *of("clipped value", CLIPPED_VALUE, VALUE_MASKS),
    *of("huber by clip", HUBER, HUBER_BY_CLIP,
        ("g = np.clip(r, -c, c)", "g = np.clip(r, -c, 2*c)", "factor")),
    # A scalar that bounds nothing keeps both signs.
    *of("scale", SCALED, SCALED_BACK, ("return dy @ x*s", "return dy @ x*abs(s)", "other")),
]  # fmt: skip
