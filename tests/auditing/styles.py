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
CASES = [
    *of("inverse root", RMS_EPS, RMS_INV,
        ("dx = inv * (g - x * inv * inv * (g * x).mean(-1, keepdim=True))",
         "dx = inv * (g - x * inv * (g * x).mean(-1, keepdim=True))", "missing factor"),
        ("dw = (grad_out * x * inv).sum(0)", "dw = (grad_out * x).sum(0)", "missing factor")),
    *of("gated cell", GRU, GRU_CELL,
        ('g["Wh"], g["Uh"] = dc.T @ x, dc.T @ (r*h)', 'g["Wh"], g["Uh"] = dc.T @ x, dc.T @ h', "wrong value"),
        ('g["Wr"], g["Ur"] = dr.T @ x, dr.T @ h', 'g["Wr"], g["Ur"] = dr.T @ h, dr.T @ x', "exchanged")),
]  # fmt: skip
