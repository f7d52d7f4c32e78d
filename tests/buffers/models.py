"""Models whose arrays are hard to put into buffers."""

from functools import cache
from pathlib import Path

from symbackprop.pipeline import ModelDerivation, load, loads

EXAMPLES = Path(__file__).parents[2] / "examples"

TEXTS = {
    # A matrix beside its transpose, a kernel of kernels, a result that is a view of another array.
    "transposed": """
index i, j : I
index n : N
input x[n,i]
param W[i,j], V[i,j]
u[n,j] = gelu(sum(i, x[n,i]*W[i,j]))
v[i,j] = exp(V[i,j])*V[j,i] + W[i,j]
w[n,i] = sum(j, v[i,j]*u[n,j])
loss E = sum(n, i, w[n,i]^2)
""",
    # A recurrence that reads what was there before it, and choices.
    "recurrent": """
index n : N
index t : T
index j, k : J
input x[n,t,j]
target d[n,t,j]
param U[j,k], h0[j]
s[n,j] = sigmoid(h0[j]*sum(t, x[n,t,j]))
h[n,t,j] = where(t > 0, tanh(sum(k, U[j,k]*h[n,t-1,k]) + x[n,t,j]*s[n,j]), h0[j])
y[n,t,j] = where(h[n,t,j] > d[n,t,j], h[n,t,j]*s[n,j], x[n,t,j])
loss E = sum(n, t, j, (y[n,t,j] - d[n,t,j])^2)/2
""",
    # Windows, and maxima over them.
    "convolved": """
index n : N
index c : C
index r : R = 3
index s : S = 2
index i : I
index o : O = (I - R) + 1
index q : Q = O/S
input x[n,i]
param K[c,r], b[c]
z[n,c,o] = relu(sum(r, K[c,r]*x[n,o+r]) + b[c])
p[n,c,q] = max(s, z[n,c,2*q+s])
loss E = sum(n, c, q, p[n,c,q]^2)/size(n)
""",
    # Means over one of two axes, and a constant.
    "normed": """
index n : N
index i : I
index j : J
input x[n,i]
param W[i,j], b[j]
const s[j]
u[n,j] = sum(i, x[n,i]*W[i,j]) + b[j]
y[n,j] = s[j]*(u[n,j] - mean(j, u[n,j]))
loss E = sum(n, j, sin(y[n,j]))
""",
    # Classes, a mask, sums over several axes in an order that needs copies, a parameter without axes.
    "attended": """
index n : N
index t, u : T
index h : H
index e : E
index c : C
input x[n,t,h,e]
target y[n] in C
param Q[h,e], V[c,h,e], g
q[n,t,h] = sum(e, x[n,t,h,e]*Q[h,e])
a[n,t,u,h] = where(u <= t, tanh(q[n,t,h]*q[n,u,h]*g), 0)
o[n,h,e] = sum(t, u, a[n,t,u,h]*x[n,u,h,e])
l[n,c] = sum(h, e, V[c,h,e]*o[n,h,e])
loss E = -sum(n, l[n,y[n]] - logsumexp(c, l[n,c]))
""",
}
NAMES = ("seed", *TEXTS)


@cache
def derived(name: str) -> ModelDerivation:
    """The gradient of one of these models, or of an example."""
    return (loads(TEXTS[name], name) if name in TEXTS else load(EXAMPLES / f"{name}.model")).derive()
