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
WINDOW = """
index s, t : T
input x[t]
param w[t]
h[t] = w[t]*x[t]
y[t] = sum(s, where(s <= t and t - s < 4, h[s], 0))^2
"""
WINDOW_LOOP = """
import numpy as np

def backward(dy, x, w):
    h = w*x
    dh = np.zeros_like(h)
    for t in range(len(h)):
        first = max(0, t - 3)
        total = np.sum(h[first:t + 1])
        dh[first:t + 1] += 2*total*dy[t]
    return dh*w, dh*x
"""
CHANNELS = """
index n : N
index c : C
index p : P
input x[n,c,p]
param g[c], b[c]
y[n,c,p] = g[c]*x[n,c,p] + b[c]
"""
CHANNELS_FLAT = """
import numpy as np

def scale_backward(dy, x, g, b):
    N, C, P = x.shape
    flat = dy.reshape(N, C*P)
    each = np.repeat(g, P)
    dx = (flat*each).reshape(N, C, P)
    dg = (flat*x.reshape(N, C*P)).reshape(N, C, P).sum((0, 2))
    return dx, dg, dy.sum((0, 2))
"""
BILINEAR = """
index n : N
index i : I
index o : O
input x[n,i]
param W[o,i], b[o]
const a
y[n,o] = a*sum(i, W[o,i]*x[n,i]) + b[o]
"""
BILINEAR_LOOP = """
import numpy as np

def backward(dy, x, W, b, a):
    dW, db = np.zeros_like(W), np.zeros_like(b)
    dx = np.empty_like(x)
    for n in range(len(x)):
        dW += a*np.outer(dy[n], x[n])
        db += dy[n]
        dx[n] = a*(dy[n] @ W)
    return dx, dW, db
"""
WEIGHTED = """
index n : N
index i : I
input x[n,i], v[n]
target y[n]
param w[i]
e[n] = sum(i, w[i]*x[n,i]) - y[n]
loss E = sum(n, v[n]*e[n]^2)/(2*sum(n, v[n]))
"""
WEIGHTED_BACK = """
import numpy as np

def grad(w, x, y, v):
    e = x @ w - y
    r = e*v/v.sum()
    return r @ x
"""
BLEND = """
index n : N
index i : I
input x[n,i], a[n], b[n], y[n]
param w[i]
g[n] = sigmoid(sum(i, x[n,i]*w[i]))
loss E = 1/2*sum(n, (g[n]*a[n] + (1 - g[n])*b[n] - y[n])^2)
"""
BLEND_BACK = """
import numpy as np

def blend_grad(w, x, a, b, y):
    g = 1/(1 + np.exp(-(x @ w)))
    dy = g*a + (1 - g)*b - y
    du = dy*(a - b)*g*(1 - g)
    return du @ x
"""
CASES = [
    *of("clipped value", CLIPPED_VALUE, VALUE_MASKS,
        ("outside = (moved > eps) | (moved < -eps)", "outside = (moved > eps) | (moved > eps)", "sign"),
        ("outside = (moved > eps) | (moved < -eps)", "outside = (moved > eps) & (moved < -eps)", "sign")),
    *of("window", WINDOW, WINDOW_LOOP, ("first = max(0, t - 3)", "first = max(0, t - 4)", "step"),
        ("dh[first:t + 1] += 2*total*dy[t]", "dh[t:t + 1] += 2*total*dy[t]", "step")),
    *of("weighted", WEIGHTED, WEIGHTED_BACK, ("r = e*v/v.sum()", "r = e*v/len(v)", "factor")),
    *of("channels", CHANNELS, CHANNELS_FLAT, ("each = np.repeat(g, P)", "each = np.tile(g, P)",
                                              "another function")),
    *of("bilinear", BILINEAR, BILINEAR_LOOP,
        ("dW += a*np.outer(dy[n], x[n])", "dW += np.outer(dy[n], x[n])", "factor")),
    *of("huber by clip", HUBER, HUBER_BY_CLIP,
        ("g = np.clip(r, -c, c)", "g = np.clip(r, -c, 2*c)", "factor")),
    *of("blend", BLEND, BLEND_BACK,
        ("du = dy*(a - b)*g*(1 - g)", "du = dy*(a - b)*(1 - g)*(1 - g)", "wrong value"),
        ("dy = g*a + (1 - g)*b - y", "dy = g*a + g*b - y", "wrong value")),
    # A scalar that bounds nothing keeps both signs.
    *of("scale", SCALED, SCALED_BACK, ("return dy @ x*s", "return dy @ x*abs(s)", "other")),
]  # fmt: skip
