"""Backwards in styles that no other case has, one fault each, and right ones."""

from __future__ import annotations

from tests.auditing.strangers import of

RMS_EPS = """
index n : N
index d : D
input x[n,d]
param weight[d]
const eps
y[n,d] = x[n,d]/sqrt(mean(d, x[n,d]^2) + eps)*weight[d]
"""
RMS_INV = """
import torch

class RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps):
        inv = (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt()
        ctx.save_for_backward(x, weight, inv)
        return x * inv * weight

    @staticmethod
    def backward(ctx, grad_out):
        x, weight, inv = ctx.saved_tensors
        g = grad_out * weight
        dx = inv * (g - x * inv * inv * (g * x).mean(-1, keepdim=True))
        dw = (grad_out * x * inv).sum(0)
        return dx, dw, None
"""
GRU = """
index n : N
index i : I
index j, k : J
input x[n,i], h[n,j]
param Wz[j,i], Uz[j,k], Wr[j,i], Ur[j,k], Wh[j,i], Uh[j,k]
z[n,j] = sigmoid(sum(i, Wz[j,i]*x[n,i]) + sum(k, Uz[j,k]*h[n,k]))
r[n,j] = sigmoid(sum(i, Wr[j,i]*x[n,i]) + sum(k, Ur[j,k]*h[n,k]))
c[n,j] = tanh(sum(i, Wh[j,i]*x[n,i]) + sum(k, Uh[j,k]*r[n,k]*h[n,k]))
y[n,j] = (1 - z[n,j])*h[n,j] + z[n,j]*c[n,j]
"""
GRU_CELL = """
import numpy as np
def sigmoid(a): return 1/(1+np.exp(-a))
class GRUCell:
    def __init__(self, Wz, Uz, Wr, Ur, Wh, Uh):
        self.p = dict(Wz=Wz, Uz=Uz, Wr=Wr, Ur=Ur, Wh=Wh, Uh=Uh)
    def forward(self, x, h):
        p = self.p
        z = sigmoid(x @ p["Wz"].T + h @ p["Uz"].T)
        r = sigmoid(x @ p["Wr"].T + h @ p["Ur"].T)
        c = np.tanh(x @ p["Wh"].T + (r*h) @ p["Uh"].T)
        self.cache = x, h, z, r, c
        return (1-z)*h + z*c
    def backward(self, dout):
        x, h, z, r, c = self.cache
        p = self.p
        dz = dout*(c - h)*z*(1-z)
        dc = dout*z*(1-c**2)
        drh = dc @ p["Uh"]
        dr = drh*h*r*(1-r)
        g = {}
        g["Wz"], g["Uz"] = dz.T @ x, dz.T @ h
        g["Wr"], g["Ur"] = dr.T @ x, dr.T @ h
        g["Wh"], g["Uh"] = dc.T @ x, dc.T @ (r*h)
        dh = dout*(1-z) + drh*r + dz @ p["Uz"] + dr @ p["Ur"]
        dx = dz @ p["Wz"] + dr @ p["Wr"] + dc @ p["Wh"]
        return dx, dh, g
"""
FIELDS_MODEL = """
index n : N
index d : D
input x[n,d]
param g[d]
const eps
y[n,d] = x[n,d]/sqrt(mean(d, x[n,d]^2) + eps)*g[d]
"""
FIELDS = """
from dataclasses import dataclass, field
import numpy as np

@dataclass
class RMSNorm:
    g: np.ndarray
    eps: float = 1e-6
    saved: dict = field(default_factory=dict)

    def forward(self, x):
        rstd = 1.0 / np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True) + self.eps)
        self.saved["x"], self.saved["rstd"] = x, rstd
        return x * rstd * self.g

    def backward(self, dy):
        x, rstd = self.saved["x"], self.saved["rstd"]
        xhat = x * rstd
        dg = np.einsum("nd,nd->d", dy, xhat)
        wdy = dy * self.g
        c = np.mean(xhat * wdy, axis=-1, keepdims=True)
        dx = wdy - xhat * c
        dx *= rstd
        return {"x": dx, "g": dg}
"""
GATES = """
import numpy as np

sig = lambda a: 1.0 / (1.0 + np.exp(-a))
dsig = lambda s: s * (1 - s)
dtanh = lambda t: 1 - t ** 2

def gru_forward(x, h, params):
    z = sig(x @ params["Wz"].T + h @ params["Uz"].T)
    r = sig(x @ params["Wr"].T + h @ params["Ur"].T)
    c = np.tanh(x @ params["Wh"].T + (r * h) @ params["Uh"].T)
    out = (1 - z) * h + z * c
    cache = {"x": x, "h": h, "z": z, "r": r, "c": c, "rh": r * h, "params": params}
    return out, cache

def gru_backward(dout, cache):
    x, h, z, r, c, rh, params = (cache[k] for k in ("x", "h", "z", "r", "c", "rh", "params"))
    du = {}
    du["z"] = dout * (c - h) * dsig(z)
    du["h"] = dout * z * dtanh(c)
    drh = du["h"] @ params["Uh"]
    du["r"] = drh * h * dsig(r)
    grads = {}
    for gate, state in zip("zrh", (h, h, rh)):
        grads["W" + gate], grads["U" + gate] = du[gate].T @ x, du[gate].T @ state
    dh = dout * (1 - z) + drh * r + sum(du[g] @ params["U" + g] for g in "zr")
    dx = sum(du[g] @ params["W" + g] for g in "zrh")
    return {"dx": dx, "dh": dh, "params": grads}
"""
MASKED_MODEL = """
index t, s : T
index d : D
index e : F
input Q[t,d], K[s,d], V[s,e]
a[t,s] = where(s <= t, sum(d, Q[t,d]*K[s,d])/sqrt(size(d)), -1000000000)
P[t,s] = softmax(s, a[t,s])
O[t,e] = sum(s, P[t,s]*V[s,e])
"""
MASKED = """
import numpy as np
from numpy import einsum

class CausalAttention:
    def forward(self, Q, K, V):
        self.Q, self.K, self.V = Q, K, V
        self.scale = Q.shape[1] ** -0.5
        T = Q.shape[0]
        logits = einsum("td,sd->ts", Q, K) * self.scale
        self.mask = np.tril(np.ones((T, T), dtype=bool))
        logits = np.where(self.mask, logits, -1e9)
        logits -= logits.max(axis=1, keepdims=True)
        w = np.exp(logits)
        self.P = w / w.sum(axis=1, keepdims=True)
        return self.P @ V

    def backward(self, dO):
        dV = einsum("ts,te->se", self.P, dO)
        dP = einsum("te,se->ts", dO, self.V)
        dS = dP - einsum("ts,ts->t", dP, self.P)[:, None]
        dS *= self.P
        dS *= self.scale
        return einsum("ts,sd->td", dS, self.K), einsum("ts,td->sd", dS, self.Q), dV
"""
RATINGS_MODEL = """
index u : U
index i : I
index k : K
index r : R
input ui[r] in U
input ii[r] in I
target t[r]
param P[u,k], Q[i,k], bu[u], bi[i]
const lam
e[r] = sum(k, P[ui[r],k]*Q[ii[r],k]) + bu[ui[r]] + bi[ii[r]] - t[r]
loss L = 1/2*sum(r, e[r]^2) + lam/2*(sum(u, k, P[u,k]^2) + sum(i, k, Q[i,k]^2))
"""
RATINGS = """
import numpy as np

def gradients(params, ui, ii, t, lam):
    P, Q, bu, bi = params["P"], params["Q"], params["bu"], params["bi"]
    err = (P[ui] * Q[ii]).sum(1) + bu[ui] + bi[ii] - t
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    for r, (u, i) in enumerate(zip(ui, ii)):
        grads["P"][u] += err[r] * Q[i]
        grads["Q"][i] += err[r] * P[u]
        grads["bu"][u] += err[r]
        grads["bi"][i] += err[r]
    for name in ("P", "Q"):
        grads[name] += lam * params[name]
    return grads
"""
CALLED_MODEL = """
index n : N
index i : I
index o : O
index r : R
input x[n,i]
const W[i,o], alpha
param A[i,r], B[r,o]
y[n,o] = sum(i, x[n,i]*W[i,o]) + alpha/size(r)*sum(r, sum(i, x[n,i]*A[i,r])*B[r,o])
"""
CALLED = """
import numpy as np

class LoRALinear:
    def __init__(self, W, A, B, alpha):
        self.W, self.A, self.B, self.alpha = W, A, B, alpha
        self.scaling = alpha / A.shape[1]
        self.grad = {}

    def __call__(self, x):
        self._x = x
        self._xa = x @ self.A
        return x @ self.W + self.scaling * (self._xa @ self.B)

    def backward(self, gy):
        sgy = self.scaling * gy
        self.grad["B"] = self._xa.T @ sgy
        self.grad["A"] = self._x.T @ (sgy @ self.B.T)
        return gy @ self.W.T + (sgy @ self.B.T) @ self.A.T
"""
CHAIN_MODEL = """
index n : N
index d : D
input x[n,d]
param gamma[d], beta[d]
const eps
mu[d] = mean(n, x[n,d])
y[n,d] = gamma[d]*(x[n,d] - mu[d])/sqrt(mean(n, (x[n,d] - mu[d])^2) + eps) + beta[d]
"""
CHAIN = """
import numpy as np

def bn_forward(x, gamma, beta, eps):
    mu = x.mean(0)
    xmu = x - mu
    var = (xmu ** 2).mean(0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    return gamma * xhat + beta, (xhat, gamma, xmu, ivar, sqrtvar, var, eps)

def bn_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = dout.sum(axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar ** 2) * divar
    dvar = 0.5 * dsqrtvar / np.sqrt(var + eps)
    dsq = np.ones((N, D)) * dvar / N
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -np.sum(dx1, axis=0)
    dx2 = np.ones((N, D)) * dmu / N
    return dx1 + dx2, dgamma, dbeta
"""
NESTED_MODEL = """
index n : N
index d, f : D
input x[n,d]
param W[d,f], g[d], c[d]
const eps
mu[n] = mean(d, x[n,d])
s[n] = sqrt(mean(d, (x[n,d] - mu[n])^2) + eps)
xh[n,d] = (x[n,d] - mu[n])/s[n]
z[n,d] = xh[n,d]*g[d] + c[d]
y[n,f] = x[n,f] + sum(d, z[n,d]*W[d,f])
"""
NESTED = """
import numpy as np

def block(x, W, g, c, eps):
    mu = x.mean(1)[:, None]
    s = np.sqrt(((x - mu) ** 2).mean(1) + eps)[:, None]
    xh = (x - mu) / s
    z = xh * g + c
    return x + z @ W

def block_backward(dy, x, W, g, c, eps):
    mu = x.mean(1)[:, None]
    s = np.sqrt(((x - mu) ** 2).mean(1) + eps)[:, None]
    xh = (x - mu) / s
    z = xh * g + c

    def norm_grad(v):
        centered = v - v.mean(1, keepdims=True)
        return (centered - xh * (v * xh).mean(1, keepdims=True)) / s

    dz = dy @ W.T
    return {
        "x": dy + norm_grad(dz * g),
        "W": z.T @ dy,
        "g": (dz * xh).sum(0),
        "c": dz.sum(0),
    }
"""
TAPE_MODEL = """
index n : N
index a : A
index b : B
index c : C
input x[n,a]
target t[n,c]
param W1[a,b], b1[b], W2[b,c], b2[c]
u[n,b] = sum(a, x[n,a]*W1[a,b]) + b1[b]
z[n,b] = tanh(u[n,b])
y[n,c] = sum(b, z[n,b]*W2[b,c]) + b2[c]
loss E = 1/(2*size(n))*sum(n, c, (y[n,c] - t[n,c])^2)
"""
TAPE = """
import numpy as np

def compute_gradients(params, x, t):
    tape, grads = [], {}

    def dense(h, w, b):
        def back(g):
            grads[w] = h.T @ g
            grads[b] = g.sum(axis=0)
            return g @ params[w].T
        tape.append(back)
        return h @ params[w] + params[b]

    def tanh(u):
        out = np.tanh(u)
        tape.append(lambda g: g * (1 - out * out))
        return out

    y = dense(tanh(dense(x, "W1", "b1")), "W2", "b2")
    g = (y - t) / x.shape[0]
    while tape:
        g = tape.pop()(g)
    return grads
"""
SCRIPT_MODEL = """
index n : N
index a : A
index b : B
index c : C
input x[n,a]
target t[n,c]
param W1[a,b], b1[b], W2[b,c], b2[c]
u[n,b] = sum(a, x[n,a]*W1[a,b]) + b1[b]
z[n,b] = tanh(u[n,b])
y[n,c] = sum(b, z[n,b]*W2[b,c]) + b2[c]
loss E = 1/(2*size(n))*sum(n, c, (y[n,c] - t[n,c])^2)
"""
SCRIPT = """
import numpy as np
import matplotlib.pyplot as plt

rng = np.random.default_rng(1)
x = rng.normal(size=(50, 3))
t = rng.normal(size=(50, 2))
n = x.shape[0]
hidden = 8
W1 = rng.normal(size=(3, hidden)) * 0.1
b1 = np.zeros(hidden)
W2 = rng.normal(size=(hidden, 2)) * 0.1
b2 = np.zeros(2)
lr = 0.05
losses = []

for epoch in range(500):
    z = np.tanh(x @ W1 + b1)
    y = z @ W2 + b2
    loss = 0.5 * np.sum((y - t) ** 2) / n
    losses.append(loss)

    dy = (y - t) / n
    dW2 = z.T @ dy
    db2 = dy.sum(axis=0)
    dz = dy @ W2.T
    du = dz * (1 - z ** 2)
    dW1 = x.T @ du
    db1 = du.sum(axis=0)

    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
    if epoch % 100 == 0:
        print(epoch, loss)

plt.plot(losses)
plt.show()
"""
HUBER_MODEL = """
index n : N
index d : D
input X[n,d]
target y[n]
param w[d], b
const dl
r[n] = sum(d, X[n,d]*w[d]) + b - y[n]
loss L = mean(n, where(abs(r[n]) <= dl, 1/2*r[n]^2, dl*(abs(r[n]) - dl/2)))
"""
HUBER = """
import numpy as np

def huber_grads(X, y, theta, dl=1.0):
    w, b = theta["w"], theta["b"]
    r = X.dot(w) + b - y
    small = np.abs(r) <= dl
    psi = np.empty_like(r)
    psi[small] = r[small]
    psi[~small] = dl * np.sign(r[~small])
    psi /= r.size
    return {"w": X.T.dot(psi), "b": psi.sum()}
"""
SIZED_MODEL = """
index t, s : T
index c : C
index e, f : E
input x[t,c]
param Wq[c,e], Wk[c,e], Wv[c,f]
q[t,e] = sum(c, x[t,c]*Wq[c,e])
k[t,e] = sum(c, x[t,c]*Wk[c,e])
v[t,f] = sum(c, x[t,c]*Wv[c,f])
p[t,s] = softmax(s, sum(e, q[t,e]*k[s,e])/sqrt(size(e)))
y[t,f] = sum(s, p[t,s]*v[s,f])
"""
SIZED = """
import math
import numpy as np

class Attention:
    def __init__(self, C, E, T=8):
        self.Wq, self.Wk, self.Wv = (np.random.randn(C, E) for _ in range(3))
        self.ahead = np.triu(np.ones((T, T)), 1)

    def forward(self, x):
        self.x, self.q, self.k, self.v = x, x @ self.Wq, x @ self.Wk, x @ self.Wv
        a = self.q @ self.k.T / math.sqrt(self.q.shape[1]) + 0*self.ahead
        e = np.exp(a - a.max(-1, keepdims=True))
        self.p = e / e.sum(-1, keepdims=True)
        return self.p @ self.v

    def backward(self, dy):
        dp = dy @ self.v.T
        ds = self.p * (dp - (dp * self.p).sum(-1, keepdims=True))
        ds /= math.sqrt(self.q.shape[1])
        dq, dk, dv = ds @ self.k, ds.T @ self.q, self.p.T @ dy
        self.dWq, self.dWk, self.dWv = (self.x.T @ each for each in (dq, dk, dv))
        return dq @ self.Wq.T + dk @ self.Wk.T + dv @ self.Wv.T
"""
TENSORS_MODEL = """
index b : B
index d : D
index o : O
input x[b,d]
param w[d], W[o,d]
m[b] = mean(d, x[b,d])
s[b] = sqrt(var(d, x[b,d]) + 1e-6)
y[b,d] = w[d]*(x[b,d] - m[b])/s[b]
out[b,o] = sum(d, silu(y[b,d])*W[o,d])
loss L = mean(b, o, out[b,o]^2)
"""
TENSORS = """
import torch
import torch.nn.functional as F

def loss(x, w, W):
    xh = (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, unbiased=False, keepdim=True) + 1e-6)
    return (F.silu(w * xh) @ W.T).pow(2).mean()

def backward(x, w, W):
    s = torch.sqrt(x.var(dim=-1, unbiased=False, keepdim=True) + 1e-6)
    xh = (x - x.mean(-1, keepdim=True)) / s
    y = w * xh
    gate = torch.sigmoid(y)
    a = y * gate
    out = a @ W.T
    dout = 2 * out / out.numel()
    dW = dout.T @ a
    dy = (dout @ W) * (gate + y * gate * (1 - gate))
    dw = (dy * xh).sum(0)
    dxh = dy * w
    dx = (dxh - dxh.mean(-1, keepdim=True) - xh * (dxh * xh).mean(-1, keepdim=True)) / s
    return dx, dw, dW
"""
LOOP_MODEL = """
index t : T
index h, g : H
index i : I
input x[t,i]
param W[h,i], U[h,g], V[h,i], A[h,g]
const h0[h]
r[t,h] = sigmoid(sum(i, V[h,i]*x[t,i]) + sum(g, A[h,g]*where(t > 0, s[t-1,g], h0[g])))
s[t,h] = tanh(sum(i, W[h,i]*x[t,i]) + r[t,h]*sum(g, U[h,g]*where(t > 0, s[t-1,g], h0[g])))
loss L = sum(t, h, s[t,h]^2)/2
"""
LOOP = """
import numpy as np

def grads(params, x, h0):
    W, U, V, A = (params[k] for k in "WUVA")
    T, H = len(x), len(h0)
    hs, rs = np.zeros((T + 1, H)), np.zeros((T, H))
    hs[0] = h0
    for t in range(T):
        rs[t] = 1 / (1 + np.exp(-(V @ x[t] + A @ hs[t])))
        hs[t + 1] = np.tanh(W @ x[t] + rs[t] * (U @ hs[t]))
    d = {k: np.zeros_like(v) for k, v in params.items()}
    dh = np.zeros(H)
    for t in reversed(range(T)):
        dh = dh + hs[t + 1]
        r = rs[t]
        du = dh * (1 - hs[t + 1] ** 2)
        dr = du * (U @ hs[t]) * r * (1 - r)
        d["W"] += np.outer(du, x[t])
        d["U"] += np.outer(du * r, hs[t])
        d["V"] += np.outer(dr, x[t])
        d["A"] += np.outer(dr, hs[t])
        dh = A.T @ dr + U.T @ (du * r)
    return d
"""
CASES = [
    *of("inverse root", RMS_EPS, RMS_INV,
        ("dx = inv * (g - x * inv * inv * (g * x).mean(-1, keepdim=True))",
         "dx = inv * (g - x * inv * (g * x).mean(-1, keepdim=True))", "missing factor"),
        ("dw = (grad_out * x * inv).sum(0)", "dw = (grad_out * x).sum(0)", "missing factor")),
    *of("gated cell", GRU, GRU_CELL,
        ('g["Wh"], g["Uh"] = dc.T @ x, dc.T @ (r*h)', 'g["Wh"], g["Uh"] = dc.T @ x, dc.T @ h', "wrong value"),
        ('g["Wr"], g["Ur"] = dr.T @ x, dr.T @ h', 'g["Wr"], g["Ur"] = dr.T @ h, dr.T @ x', "exchanged")),
    *of('fields', FIELDS_MODEL, FIELDS,
        ('c = np.mean(xhat * wdy, axis=-1, keepdims=True)',
         'c = np.sum(xhat * wdy, axis=-1, keepdims=True)', 'factor')),
    *of('gates in a loop', GRU, GATES,
        ('for gate, state in zip("zrh", (h, h, rh)):',
         'for gate, state in zip("zrh", (h, h, h)):', 'wrong value')),
    *of('mask', MASKED_MODEL, MASKED,
        ('dS = dP - einsum("ts,ts->t", dP, self.P)[:, None]',
         'dS = dP - einsum("ts,ts->s", dP, self.P)[None, :]', 'axis')),
    *of('ratings', RATINGS_MODEL, RATINGS,
        ('grads["Q"][i] += err[r] * P[u]',
         'grads["Q"][i] += err[r] * Q[i]', 'wrong value')),
    *of('called object', CALLED_MODEL, CALLED,
        ('self.grad["B"] = self._xa.T @ sgy',
         'self.grad["B"] = self._xa.T @ gy', 'wrong value')),
    *of('chain', CHAIN_MODEL, CHAIN,
        ('dmu = -np.sum(dx1, axis=0)',
         'dmu = np.sum(dx1, axis=0)', 'sign')),
    *of('nested function', NESTED_MODEL, NESTED,
        ('"x": dy + norm_grad(dz * g),',
         '"x": norm_grad(dz * g),', 'missing term')),
    *of('tape', TAPE_MODEL, TAPE,
        ('tape.append(lambda g: g * (1 - out * out))',
         'tape.append(lambda g: g * out * (1 - out))', 'another derivative')),
    *of('script', SCRIPT_MODEL, SCRIPT,
        ('db1 = du.sum(axis=0)',
         'db1 = du.mean(axis=0)', 'factor'),
        ('dy = (y - t) / n',
         'dy = (y - t)', 'factor')),
    *of('huber', HUBER_MODEL, HUBER,
        ('psi /= r.size',
         'psi /= X.shape[1]', 'axis')),
    *of('sizes for a constructor', SIZED_MODEL, SIZED,
        ('ds = self.p * (dp - (dp * self.p).sum(-1, keepdims=True))',
         'ds = self.p * (dp - (dp * self.p).sum(-1))', 'axis')),
    *of('functions of tensors', TENSORS_MODEL, TENSORS,
        ('dx = (dxh - dxh.mean(-1, keepdim=True) - xh * (dxh * xh).mean(-1, keepdim=True)) / s',
         'dx = (dxh - dxh.mean(-1, keepdim=True) - xh * (dxh * xh).sum(-1, keepdim=True)) / s', 'factor')),
    *of('reset gate through time', LOOP_MODEL, LOOP,
        ('dh = A.T @ dr + U.T @ (du * r)',
         'dh = A.T @ dr + U.T @ du', 'wrong value')),
]  # fmt: skip
