"""Backwards as people write them, right and wrong: the line that is wrong ends in `#!`.

Written after the kinds of fault in public code, and the models that they are meant for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent

DENSE_NET = """
index b : B
index i : I
index j : J
index k : K
input x[b,i]
target t[b,k]
param W1[i,j], b1[j], W2[j,k], b2[k]
u1[b,j] = sum(i, x[b,i]*W1[i,j]) + b1[j]
z1[b,j] = {activation}(u1[b,j])
y[b,k] = sum(j, z1[b,j]*W2[j,k]) + b2[k]
loss E = {loss}
"""
MSE = "1/(2*size(b))*sum(b, k, (y[b,k] - t[b,k])^2)"
MEAN = "1/(size(b)*size(k))*sum(b, k, (y[b,k] - t[b,k])^2)"


def dense_net(activation: str = "sigmoid", loss: str = MSE) -> str:
    return DENSE_NET.format(activation=activation, loss=loss)


SOFTMAX_NET = """
index b : B
index i : I
index k : K
input x[b,i]
target t[b,k]
param W[i,k], c[k]
a[b,k] = sum(i, x[b,i]*W[i,k]) + c[k]
p[b,k] = softmax(k, a[b,k])
loss E = -1/size(b)*sum(b, k, t[b,k]*log(p[b,k]))
fact sum(k, t[b,k]) == 1
"""
LAYER_NORM = """
index n : N
index d : D
input x[n,d]
param gamma[d], beta[d]
const eps
mu[n] = mean(d, x[n,d])
s[n] = sqrt(mean(d, (x[n,d] - mu[n])^2) + eps)
xhat[n,d] = (x[n,d] - mu[n])/s[n]
y[n,d] = gamma[d]*xhat[n,d] + beta[d]
"""
BATCH_NORM = LAYER_NORM.replace("mu[n] = mean(d", "mu[d] = mean(n").replace(
    "s[n] = sqrt(mean(d", "s[d] = sqrt(mean(n"
)
BATCH_NORM = BATCH_NORM.replace("mu[n]", "mu[d]").replace("s[n]", "s[d]")
RMS_NORM = """
index n : N
index d : D
input x[n,d]
param g[d]
const eps
r[n] = sqrt(mean(d, x[n,d]^2) + eps)
y[n,d] = g[d]*x[n,d]/r[n]
"""
ATTENTION = """
index s, t : T
index d : D
index e : E
input Q[t,d], K[s,d], V[s,e]
a[t,s] = 1/sqrt(size(d))*sum(d, Q[t,d]*K[s,d])
P[t,s] = softmax(s, a[t,s])
O[t,e] = sum(s, P[t,s]*V[s,e])
"""
SWIGLU = """
index n : N
index i : I
index h : H
input x[n,i]
param Wg[i,h], Wu[i,h], Wd[h,i]
g[n,h] = sum(i, x[n,i]*Wg[i,h])
v[n,h] = sum(i, x[n,i]*Wu[i,h])
m[n,h] = g[n,h]*sigmoid(g[n,h])*v[n,h]
index o : I
y[n,o] = sum(h, m[n,h]*Wd[h,o])
"""
GELU = """
index n : N
input x[n]
y[n] = 1/2*x[n]*(1 + tanh(sqrt(2/pi)*(x[n] + 0.044715*x[n]^3)))
"""
CONV = """
index n : N
index r : R
index m : M = N - R + 1
input x[n]
param w[r], c
y[m] = sum(r, w[r]*x[m + r]) + c
"""
RNN = """
index t : T
index i : I
index h, k : H
input x[t,i]
target d[t,h]
param W[h,i], U[h,k], c[h]
z[t,h] = tanh(where(t == 0, 0, sum(k, U[h,k]*z[t-1,k])) + sum(i, W[h,i]*x[t,i]) + c[h])
loss E = 1/2*sum(t, h, (z[t,h] - d[t,h])^2)
"""
LSTM_CELL = """
index n : N
index h : H
input ai[n,h], af[n,h], ao[n,h], ag[n,h], c_prev[n,h]
ig[n,h] = sigmoid(ai[n,h])
f[n,h] = sigmoid(af[n,h])
o[n,h] = sigmoid(ao[n,h])
g[n,h] = tanh(ag[n,h])
c[n,h] = f[n,h]*c_prev[n,h] + ig[n,h]*g[n,h]
y[n,h] = o[n,h]*tanh(c[n,h])
"""
EMBEDDING = """
index n : N
index v : V
index e : E
input ids[n] in V
param C[v,e]
y[n,e] = C[ids[n],e]
"""
MAX_POOL = """
index n : N
index c : C
input x[n,c]
y[n] = max(c, x[n,c])
"""
EXERCISE = """
index b : B
index i : I
index j : J
index k : K
input x[b,i]
target y[b,k]
param W1[i,j], b1[j], W2[j,k], b2[k]
u1[b,j] = sum(i, x[b,i]*W1[i,j]) + b1[j]
z1[b,j] = relu(u1[b,j])
u2[b,k] = sum(j, z1[b,j]*W2[j,k]) + b2[k]
loss E = 1/(size(b)*size(k))*sum(b, k, (u2[b,k] - y[b,k])^2)
"""


@dataclass(frozen=True)
class Case:
    """A model and code for it; `kinds` are those of its faults, in the order of their lines; none: right."""

    name: str
    model: str
    code: str
    kinds: tuple[str, ...] = ()
    target: str = ""
    given: dict[str, str] = field(default_factory=dict)
    convention: str = ""
    verdict: str = ""

    @property
    def text(self) -> str:
        return dedent(self.code).strip("\n") + "\n"

    @property
    def lines(self) -> list[int]:
        return [place for place, line in enumerate(self.text.splitlines(), 1) if line.endswith("#!")]

    @property
    def expected_verdict(self) -> str:
        return self.verdict or ("wrong" if self.kinds else "right")


NET = """
import numpy as np

def sigmoid(u):
    return 1/(1 + np.exp(-u))

def gradients(x, t, W1, b1, W2, b2):
    B = x.shape[0]
    u1 = x @ W1 + b1
    z1 = sigmoid(u1)
    y = z1 @ W2 + b2
    dy = (y - t)/B
    dW2 = z1.T @ dy
    db2 = dy.sum(axis=0)
    dz1 = dy @ W2.T
    du1 = dz1*z1*(1 - z1)
    dW1 = x.T @ du1
    db1 = du1.sum(axis=0)
    return dW1, db1, dW2, db2
"""


def net(name: str, old: str, new: str, *kinds: str, **more: object) -> Case:
    assert old in NET
    return Case(name, dense_net(), NET.replace(old, new), kinds, **more)  # type: ignore[arg-type]


LN = """
import numpy as np

def layernorm_forward(x, gamma, beta, eps):
    mu = x.mean(axis=1, keepdims=True)
    var = x.var(axis=1, keepdims=True)
    std = np.sqrt(var + eps)
    xhat = (x - mu)/std
    return gamma*xhat + beta, (xhat, std, gamma)

def layernorm_backward(dout, cache):
    xhat, std, gamma = cache
    dgamma = (dout*xhat).sum(axis=0)
    dbeta = dout.sum(axis=0)
    dxhat = dout*gamma
    dx = (dxhat - dxhat.mean(axis=1, keepdims=True) - xhat*(dxhat*xhat).mean(axis=1, keepdims=True))/std
    return dx, dgamma, dbeta
"""


def ln(name: str, old: str, new: str, *kinds: str) -> Case:
    assert old in LN
    return Case(name, LAYER_NORM, LN.replace(old, new), kinds)


CASES = [
    net("dense net", "dy = ", "dy = "),
    net("dense net, sign", "dy = (y - t)/B", "dy = (t - y)/B #!", "sign"),
    net("dense net, mean forgotten in one", "db2 = dy.sum(axis=0)", "db2 = dy.sum(axis=0)*B #!", "factor"),
    net("dense net, sum over all", "db1 = du1.sum(axis=0)", "db1 = du1.sum() #!", "axis"),
    net("dense net, mean for a sum", "db1 = du1.sum(axis=0)", "db1 = du1.mean(axis=0) #!", "factor"),
    net("dense net, derivative at z", "du1 = dz1*z1*(1 - z1)", "du1 = dz1*sigmoid(z1)*(1 - sigmoid(z1)) #!",
        "another derivative"),
    net("dense net, derivative missing", "du1 = dz1*z1*(1 - z1)", "du1 = dz1 #!", "missing derivative"),
    net("dense net, half a derivative", "du1 = dz1*z1*(1 - z1)", "du1 = dz1*(1 - z1) #!", "missing factor"),
    net("dense net, tanh's derivative", "du1 = dz1*z1*(1 - z1)", "du1 = dz1*(1 - z1**2) #!",
        "another derivative"),
    net("dense net, exchanged", "return dW1, db1, dW2, db2", "return dW2, db1, dW1, db2"),
    Case("two vectors, exchanged", """
    index n : N
    index c : C
    input x[n,c]
    param a[c], b[c]
    y[n,c] = a[c]*x[n,c]^2 + b[c]*x[n,c]
    """, """
    def backward(dout, x, a, b):
        first = (dout*x).sum(axis=0) #!
        second = (dout*x**2).sum(axis=0)
        return first, second
    """, ("exchanged",)),
    net("dense net, updated too early", "dz1 = dy @ W2.T", "W2 -= 0.1*dW2 #!\n    dz1 = dy @ W2.T",
        "in place"),
    net("dense net, not transposed, which raises", "dz1 = dy @ W2.T", "dz1 = dy @ W2 #!", "transpose"),
    net("dense net, float32 on the way", "dz1 = dy @ W2.T", "dz1 = (dy @ W2.T).astype(np.float32) #!",
        "precision", verdict="imprecise"),
    ln("layer norm", "dx = ", "dx = "),
    ln("layer norm, third term missing", "dx = (dxhat - dxhat.mean(axis=1, keepdims=True) - "
       "xhat*(dxhat*xhat).mean(axis=1, keepdims=True))/std",
       "dx = (dxhat - dxhat.mean(axis=1, keepdims=True))/std #!", "missing term"),
    ln("layer norm, mean not taken away", "dx = (dxhat - dxhat.mean(axis=1, keepdims=True) - "
       "xhat*(dxhat*xhat).mean(axis=1, keepdims=True))/std",
       "dx = (dxhat - xhat*(dxhat*xhat).mean(axis=1, keepdims=True))/std #!", "missing term"),
    ln("layer norm, divided by the variance", "xhat*(dxhat*xhat).mean(axis=1, keepdims=True))/std",
       "xhat*(dxhat*xhat).mean(axis=1, keepdims=True))/std**2 #!", "power"),
    ln("layer norm, exchanged", "return dx, dgamma, dbeta", "return dx, dbeta, dgamma"),
    ln("layer norm, sign", "- xhat*(dxhat*xhat).mean(axis=1, keepdims=True))/std",
       "+ xhat*(dxhat*xhat).mean(axis=1, keepdims=True))/std #!", "sign"),
    ln("layer norm, gamma forgotten", "dxhat = dout*gamma", "dxhat = dout #!", "missing factor"),
    Case("the course's exercise", EXERCISE, """
    import numpy as np

    def sigmoid(u):
        return 1/(1 + np.exp(-u))

    def relu(u):
        return np.maximum(u, 0)

    def d_sigmoid(u):
        return sigmoid(u)*(1 - sigmoid(u))

    def backward(network, x, y):
        W1, W2 = network['W1'], network['W2']
        b1, b2 = network['b1'], network['b2']
        u1 = np.dot(x, W1) + b1
        z1 = relu(u1)
        y_hat = np.dot(z1, W2) + b2
        loss = np.mean((y_hat - y)**2)
        delta2 = 2*(y_hat - y)/len(x) #!
        grads = {}
        grads['W2'] = np.dot(z1.T, delta2)
        grads['b2'] = np.sum(delta2, axis=0)
        delta1 = np.dot(delta2, W2.T)*d_sigmoid(z1) #!
        grads['W1'] = np.dot(x.T, delta1)
        grads['b1'] = np.sum(delta1, axis=0)
        return loss, grads
    """, ("factor", "another derivative")),
    Case("softmax net, class with cache", SOFTMAX_NET, """
    import numpy as np

    class Net:
        def __init__(self, input_size, output_size):
            self.params = {'W': 0.01*np.random.randn(input_size, output_size), 'c': np.zeros(output_size)}

        def forward(self, x):
            self.x = x
            a = x @ self.params['W'] + self.params['c']
            e = np.exp(a - a.max(axis=1, keepdims=True))
            self.p = e/e.sum(axis=1, keepdims=True)
            return self.p

        def backward(self, t):
            da = (self.p - t)/len(t)
            self.grads = {'W': self.x.T @ da, 'c': da.sum(axis=0)}
    """),
    Case("softmax net, labels", SOFTMAX_NET, """
    import numpy as np

    def loss_and_gradients(params, x, y):
        n = x.shape[0]
        a = x @ params['W'] + params['c']
        e = np.exp(a - a.max(axis=1, keepdims=True))
        p = e/e.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(n), y]).mean()
        da = p.copy()
        da[np.arange(n), y] -= 1
        da /= n
        return loss, {'dW': x.T @ da, 'dc': da.sum(axis=0)}
    """, convention="as labels"),
    Case("softmax net, the sum over samples", SOFTMAX_NET, """
    import numpy as np

    def gradients(W, c, x, t):
        a = x @ W + c
        e = np.exp(a - a.max(axis=1, keepdims=True))
        da = e/e.sum(axis=1, keepdims=True) - t
        return x.T @ da, da.sum(axis=0)
    """, convention="of B*E"),
    Case("softmax net, unstable", SOFTMAX_NET, """
    import numpy as np

    def gradients(W, c, x, t):
        a = x @ W + c
        e = np.exp(a)
        da = (e/e.sum(axis=1, keepdims=True) - t)/len(x)
        return x.T @ da, da.sum(axis=0)
    """, ("precision",), verdict="imprecise"),
    Case("softmax net, layers chained", SOFTMAX_NET, """
    import numpy as np

    class Affine:
        def __init__(self, W, b):
            self.W, self.b = W, b

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, dout):
            self.dW = self.x.T @ dout
            self.db = dout.sum(axis=0)
            return dout @ self.W.T

    class SoftmaxWithLoss:
        def forward(self, a, t):
            e = np.exp(a - a.max(axis=1, keepdims=True))
            self.y, self.t = e/e.sum(axis=1, keepdims=True), t
            return -(t*np.log(self.y)).sum()/len(t)

        def backward(self, dout=1):
            return dout*(self.y - self.t) #!

    class Net:
        def __init__(self, W, c):
            self.affine = Affine(W, c)
            self.last = SoftmaxWithLoss()

        def gradient(self, x, t):
            loss = self.last.forward(self.affine.forward(x), t)
            dout = self.last.backward(1)
            self.affine.backward(dout)
            return {'W': self.affine.dW, 'c': self.affine.db}
    """, ("factor",), target="Net"),
    Case("dense net, batch last", dense_net(), """
    import numpy as np

    def backprop(X, T, W1, b1, W2, b2):
        m = X.shape[1]
        Z1 = W1 @ X + b1
        A1 = 1/(1 + np.exp(-Z1))
        A2 = W2 @ A1 + b2
        dZ2 = (A2 - T)/m
        dW2 = dZ2 @ A1.T
        db2 = np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = W2.T @ dZ2*A1*(1 - A1)
        dW1 = dZ1 @ X.T
        db1 = np.sum(dZ1, axis=1, keepdims=True)
        return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    """, convention="batch last"),
    Case("batch norm in one line", BATCH_NORM, """
    import numpy as np

    def bn_forward(x, gamma, beta, eps=1e-5):
        mu, var = x.mean(axis=0), x.var(axis=0)
        inv = 1/np.sqrt(var + eps)
        xhat = (x - mu)*inv
        return gamma*xhat + beta, (xhat, gamma, inv)

    def bn_backward(dout, cache):
        xhat, gamma, inv = cache
        N, D = dout.shape
        dbeta = np.sum(dout, axis=0)
        dgamma = np.sum(dout*xhat, axis=0)
        dx = gamma*inv/N*(N*dout - dbeta - xhat*dgamma)
        return dx, dgamma, dbeta
    """),
    Case("batch norm, one line without the N", BATCH_NORM, """
    import numpy as np

    def bn_forward(x, gamma, beta, eps=1e-5):
        mu, var = x.mean(axis=0), x.var(axis=0)
        inv = 1/np.sqrt(var + eps)
        xhat = (x - mu)*inv
        return gamma*xhat + beta, (xhat, gamma, inv)

    def bn_backward(dout, cache):
        xhat, gamma, inv = cache
        N, D = dout.shape
        dbeta = np.sum(dout, axis=0)
        dgamma = np.sum(dout*xhat, axis=0)
        dx = gamma*inv/N*(dout - dbeta - xhat*dgamma) #!
        return dx, dgamma, dbeta
    """, ("factor",)),
    Case("RMS norm", RMS_NORM, """
    import numpy as np

    def rmsnorm_backward(dout, x, g, eps):
        r = np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)
        xn = x/r
        dg = (dout*xn).sum(axis=0)
        dxn = dout*g
        dx = (dxn - xn*(dxn*xn).mean(axis=-1, keepdims=True))/r
        return dx, dg
    """),
    Case("RMS norm, as if r were constant", RMS_NORM, """
    import numpy as np

    def rmsnorm_backward(dout, x, g, eps):
        r = np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)
        xn = x/r
        dg = (dout*xn).sum(axis=0)
        dx = dout*g/r #!
        return dx, dg
    """, ("missing term",)),
    Case("RMS norm, sum for a mean", RMS_NORM, """
    import numpy as np

    def rmsnorm_backward(dout, x, g, eps):
        r = np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)
        xn = x/r
        dg = (dout*xn).sum(axis=0)
        dxn = dout*g
        dx = (dxn - xn*(dxn*xn).sum(axis=-1, keepdims=True))/r #!
        return dx, dg
    """, ("factor",)),
    Case("attention", ATTENTION, """
    import numpy as np

    def attention_backward(Q, K, V, dO):
        d = Q.shape[-1]
        a = Q @ K.T/np.sqrt(d)
        e = np.exp(a - a.max(axis=-1, keepdims=True))
        P = e/e.sum(axis=-1, keepdims=True)
        dV = P.T @ dO
        dP = dO @ V.T
        da = P*(dP - (P*dP).sum(axis=-1, keepdims=True))
        dQ = da @ K/np.sqrt(d)
        dK = da.T @ Q/np.sqrt(d)
        return dQ, dK, dV
    """),
    Case("attention, softmax as if it were element by element", ATTENTION, """
    import numpy as np

    def attention_backward(Q, K, V, dO):
        d = Q.shape[-1]
        a = Q @ K.T/np.sqrt(d)
        e = np.exp(a - a.max(axis=-1, keepdims=True))
        P = e/e.sum(axis=-1, keepdims=True)
        dV = P.T @ dO
        dP = dO @ V.T
        da = P*dP #!
        dQ = da @ K/np.sqrt(d)
        dK = da.T @ Q/np.sqrt(d)
        return dQ, dK, dV
    """, ("missing term",)),
    Case("attention, the root forgotten in one", ATTENTION, """
    import numpy as np

    def attention_backward(Q, K, V, dO):
        d = Q.shape[-1]
        a = Q @ K.T/np.sqrt(d)
        e = np.exp(a - a.max(axis=-1, keepdims=True))
        P = e/e.sum(axis=-1, keepdims=True)
        dV = P.T @ dO
        dP = dO @ V.T
        da = P*(dP - (P*dP).sum(axis=-1, keepdims=True))
        dQ = da @ K/np.sqrt(d)
        dK = da.T @ Q #!
        return dQ, dK, dV
    """, ("factor",)),
    Case("attention, not transposed", ATTENTION, """
    import numpy as np

    def attention_backward(Q, K, V, dO):
        d = Q.shape[-1]
        a = Q @ K.T/np.sqrt(d)
        e = np.exp(a - a.max(axis=-1, keepdims=True))
        P = e/e.sum(axis=-1, keepdims=True)
        dV = P @ dO #!
        dP = dO @ V.T
        da = P*(dP - (P*dP).sum(axis=-1, keepdims=True))
        dQ = da @ K/np.sqrt(d)
        dK = da.T @ Q/np.sqrt(d)
        return dQ, dK, dV
    """, ("transpose",)),
    Case("SwiGLU", SWIGLU, """
    import numpy as np

    def swiglu_backward(dy, x, Wg, Wu, Wd):
        g, v = x @ Wg, x @ Wu
        s = 1/(1 + np.exp(-g))
        m = g*s*v
        dWd = m.T @ dy
        dm = dy @ Wd.T
        dv = dm*g*s
        dg = dm*v*s*(1 + g*(1 - s))
        return {"x": dg @ Wg.T + dv @ Wu.T, "Wg": x.T @ dg, "Wu": x.T @ dv, "Wd": dWd}
    """),
    Case("SwiGLU, a path to x forgotten", SWIGLU, """
    import numpy as np

    def swiglu_backward(dy, x, Wg, Wu, Wd):
        g, v = x @ Wg, x @ Wu
        s = 1/(1 + np.exp(-g))
        m = g*s*v
        dWd = m.T @ dy
        dm = dy @ Wd.T
        dv = dm*g*s
        dg = dm*v*s*(1 + g*(1 - s))
        dx = dg @ Wg.T
        dx = dv @ Wu.T #!
        return dx, x.T @ dg, x.T @ dv, dWd
    """, ("missing term",), given={}),
    Case("SwiGLU, sigmoid's derivative", SWIGLU, """
    import numpy as np

    def swiglu_backward(dy, x, Wg, Wu, Wd):
        g, v = x @ Wg, x @ Wu
        s = 1/(1 + np.exp(-g))
        m = g*s*v
        dWd = m.T @ dy
        dm = dy @ Wd.T
        dv = dm*g*s
        dg = dm*v*s*(1 - s) #!
        dWg = x.T @ dg
        dWu = x.T @ dv
        dx = dg @ Wg.T + dv @ Wu.T
        return dx, dWg, dWu, dWd
    """, ("other",)),
    Case("GELU", GELU, """
    import numpy as np

    def gelu_grad(x, dout):
        k = np.sqrt(2/np.pi)
        th = np.tanh(k*(x + 0.044715*x**3))
        return dout*(0.5*(1 + th) + 0.5*x*(1 - th**2)*k*(1 + 3*0.044715*x**2))
    """, given={"return": "x"}),
    Case("GELU, the inner derivative's 3 forgotten", GELU, """
    import numpy as np

    def gelu_grad(x, dout):
        k = np.sqrt(2/np.pi)
        th = np.tanh(k*(x + 0.044715*x**3))
        inner = k*(1 + 0.044715*x**2) #!
        dx = dout*(0.5*(1 + th) + 0.5*x*(1 - th**2)*inner)
        return dx
    """, ("factor",)),
    Case("convolution", CONV, """
    import numpy as np

    def conv_backward(dout, x, w, c):
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        for m in range(len(dout)):
            for r in range(len(w)):
                dw[r] += dout[m]*x[m + r]
                dx[m + r] += dout[m]*w[r]
        dc = dout.sum()
        return dx, dw, dc
    """),
    Case("convolution, overwritten", CONV, """
    import numpy as np

    def conv_backward(dout, x, w, c):
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        for m in range(len(dout)):
            for r in range(len(w)):
                dw[r] += dout[m]*x[m + r]
                dx[m + r] = dout[m]*w[r] #!
        dc = dout.sum()
        return dx, dw, dc
    """, ("missing term",)),
    Case("convolution, the kernel not turned", CONV, """
    import numpy as np

    def conv_backward(dout, x, w, c):
        dw = np.array([(dout*x[r:r + len(dout)]).sum() for r in range(len(w))])
        dx = np.convolve(dout, w[::-1]) #!
        dc = dout.sum()
        return dx, dw, dc
    """, ("order",)),
    Case("recurrent net", RNN, """
    import numpy as np

    def bptt(x, d, W, U, c):
        T, H = len(x), len(c)
        z = np.zeros((T + 1, H))
        for t in range(T):
            z[t] = np.tanh(U @ z[t - 1] + W @ x[t] + c)
        dW, dU, dc = np.zeros_like(W), np.zeros_like(U), np.zeros_like(c)
        dnext = np.zeros(H)
        for t in reversed(range(T)):
            dz = z[t] - d[t] + dnext
            da = dz*(1 - z[t]**2)
            dW += np.outer(da, x[t])
            dU += np.outer(da, z[t - 1])
            dc += da
            dnext = U.T @ da
        return dW, dU, dc
    """),
    Case("recurrent net, a step late", RNN, """
    import numpy as np

    def bptt(x, d, W, U, c):
        T, H = len(x), len(c)
        z = np.zeros((T + 1, H))
        for t in range(T):
            z[t] = np.tanh(U @ z[t - 1] + W @ x[t] + c)
        dW, dU, dc = np.zeros_like(W), np.zeros_like(U), np.zeros_like(c)
        dnext = np.zeros(H)
        for t in reversed(range(T)):
            dz = z[t] - d[t] + dnext
            da = dz*(1 - z[t]**2)
            dW += np.outer(da, x[t])
            dU += np.outer(da, z[t]) #!
            dc += da
            dnext = U.T @ da
        return dW, dU, dc
    """, ("step",)),
    Case("recurrent net, not transposed", RNN, """
    import numpy as np

    def bptt(x, d, W, U, c):
        T, H = len(x), len(c)
        z = np.zeros((T + 1, H))
        for t in range(T):
            z[t] = np.tanh(U @ z[t - 1] + W @ x[t] + c)
        dW, dU, dc = np.zeros_like(W), np.zeros_like(U), np.zeros_like(c)
        dnext = np.zeros(H)
        for t in reversed(range(T)):
            dz = z[t] - d[t] + dnext
            da = dz*(1 - z[t]**2)
            dW += np.outer(da, x[t])
            dU += np.outer(da, z[t - 1])
            dc += da
            dnext = U @ da #!
        return dW, dU, dc
    """, ("transpose",)),
    Case("recurrent net, a power of the whole difference", RNN, """
    import numpy as np

    def bptt(x, d, W, U, c):
        T, H = len(x), len(c)
        z = np.zeros((T + 1, H))
        for t in range(T):
            z[t] = np.tanh(U @ z[t - 1] + W @ x[t] + c)
        dW, dU, dc = np.zeros_like(W), np.zeros_like(U), np.zeros_like(c)
        dnext = np.zeros(H)
        for t in reversed(range(T)):
            dz = z[t] - d[t] + dnext
            da = dz*(1 - z[t])**2 #!
            dW += np.outer(da, x[t])
            dU += np.outer(da, z[t - 1])
            dc += da
            dnext = U.T @ da
        return dW, dU, dc
    """, ("power",)),
    Case("recurrent net, what comes back forgotten", RNN, """
    import numpy as np

    def bptt(x, d, W, U, c):
        T, H = len(x), len(c)
        z = np.zeros((T + 1, H))
        for t in range(T):
            z[t] = np.tanh(U @ z[t - 1] + W @ x[t] + c)
        dW, dU, dc = np.zeros_like(W), np.zeros_like(U), np.zeros_like(c)
        for t in reversed(range(T)):
            dz = z[t] - d[t] #!
            da = dz*(1 - z[t]**2)
            dW += np.outer(da, x[t])
            dU += np.outer(da, z[t - 1])
            dc += da
        return dW, dU, dc
    """, ("missing term",)),
    Case("weight decay, half of it", """
    index n : N
    index i : I
    input x[n,i]
    param w[i]
    y[n] = sum(i, w[i]*x[n,i])
    loss E = sum(n, y[n]^2) + 0.05*sum(i, w[i]^2)
    """, """
    def grad(w, x):
        g = 2*x.T @ (x @ w)
        g += 0.05*w #!
        return g
    """, ("factor",)),
    Case("a small number under a root forgotten", """
    index n : N
    param v[n]
    r = sqrt(sum(n, v[n]^2) + 0.001)
    loss E = r
    """, """
    import numpy as np

    def grad(v):
        length = np.sqrt((v**2).sum()) #!
        return v/length
    """, ("missing term",)),
    Case("LSTM cell", LSTM_CELL, """
    import numpy as np

    def lstm_cell_backward(dy, ai, af, ao, ag, c_prev):
        sig = lambda u: 1/(1 + np.exp(-u))
        i, f, o, g = sig(ai), sig(af), sig(ao), np.tanh(ag)
        c = f*c_prev + i*g
        tc = np.tanh(c)
        do = dy*tc
        dc = dy*o*(1 - tc**2)
        dai = dc*g*i*(1 - i)
        daf = dc*c_prev*f*(1 - f)
        dao = do*o*(1 - o)
        dag = dc*i*(1 - g**2)
        return dai, daf, dao, dag, dc*f
    """),
    Case("LSTM cell, tanh's derivative at c", LSTM_CELL, """
    import numpy as np

    def lstm_cell_backward(dy, ai, af, ao, ag, c_prev):
        sig = lambda u: 1/(1 + np.exp(-u))
        i, f, o, g = sig(ai), sig(af), sig(ao), np.tanh(ag)
        c = f*c_prev + i*g
        tc = np.tanh(c)
        do = dy*tc
        dc = dy*o*(1 - c**2) #!
        dai = dc*g*i*(1 - i)
        daf = dc*c_prev*f*(1 - f)
        dao = do*o*(1 - o)
        dag = dc*i*(1 - g**2)
        dc_prev = dc*f
        return dai, daf, dao, dag, dc_prev
    """, ("wrong value",)),
    Case("embedding", EMBEDDING, """
    import numpy as np

    def embedding_backward(dout, ids, C):
        dC = np.zeros_like(C)
        np.add.at(dC, ids, dout)
        return dC
    """),
    Case("embedding, repeated ids overwritten", EMBEDDING, """
    import numpy as np

    def embedding_backward(dout, ids, C):
        dC = np.zeros_like(C)
        dC[ids] = dout #!
        return dC
    """, ("missing term",)),
    Case("max pooling, ties to every maximum", MAX_POOL, """
    import numpy as np

    def max_backward(dout, x):
        dx = (x == x.max(axis=1, keepdims=True))*dout[:, None]
        return dx
    """, ("tie",)),
    Case("max pooling", MAX_POOL, """
    import numpy as np

    def max_backward(dout, x):
        dx = np.zeros_like(x)
        dx[np.arange(len(x)), x.argmax(axis=1)] = dout
        return dx
    """),
    Case("relu, both sides of the kink", dense_net("relu"), NET.replace("sigmoid(u1)", "np.maximum(u1, 0)")
         .replace("dz1*z1*(1 - z1)", "dz1*(u1 >= 0)"), convention="another side"),
]  # fmt: skip
