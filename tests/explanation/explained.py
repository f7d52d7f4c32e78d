"""Explanations of models for the tests, their modules not verified and each made once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from symbackprop import load, loads
from symbackprop.explanation.explanation import Explanation, explanation_of
from symbackprop.explanation.programs.computations import Computations
from symbackprop.targets.numpy.module import numpy_module
from symbackprop.targets.numpy.target import NUMPY

EXAMPLES = Path(__file__).parents[2] / "examples"
SIZES = {"seed": {"B": 4, "I": 3, "J": 5, "K": 2}, "recurrent": {"N": 2, "T": 4, "J": 3, "C": 2}}
TEXTS = {
    "shifted": """
index t : T
index s : S = T + 1
param w[s]
z[s] = tanh(w[s])
loss E = sum(t, z[t+1]^3)
""",
    "nearest": """
index n : N
index k : K
param x[n], c[k]
r[n,k] = (x[n] - c[k])^4
loss E = sum(n, (x[n] - c[argmin(k, r[n,k])])^2)
""",
    "pooled": """
index i : I = 6
index r : R = 3
index a : A = 4
param x[i], w[r]
p[a] = max(r, x[a+r])
y[a] = sum(r, w[r]*x[a+r])
loss E = sum(a, p[a]*y[a])
""",
    "normed": """
index b : B
index c : C
param x[b,c]
const g[b,c], a[c]
s[c] = sqrt(sum(b, x[b,c]^2))
xhat[b,c] = x[b,c]/s[c]
y[b,c] = a[c]*xhat[b,c]
loss E = sum(b, c, g[b,c]*y[b,c])
""",
    "branches": """
index b : B
index i : I
input x[b,i]
param f[i], g[i], o[i]
p[b,i] = f[i]*x[b,i]
a_long_name[b,i] = g[i]*x[b,i]
r[b,i] = o[i]*x[b,i]
s[b,i] = p[b,i]*a_long_name[b,i] + r[b,i]
loss E = sum(b, i, s[b,i]^2)
""",
    "recurrent": """
index n : N
index t : T
index j, k : J
index c : C
input x[n,t,j]
target d[n,c]
param U[j,k], V[c,j]
u[n,t,j] = sum(k, U[j,k]*pad(h[n,t-1,k])) + x[n,t,j]
h[n,t,j] = tanh(u[n,t,j])
y[n,c] = sum(j, V[c,j]*h[n,size(t)-1,j])
loss E = sum(n, c, (y[n,c] - d[n,c])^2)
""",
}


@cache
def explained(name: str) -> Explanation:
    """The explanation of an example, or of a text above, on small sizes."""
    model = loads(TEXTS[name], name) if name in TEXTS else load(EXAMPLES / f"{name}.model")
    derived = model.derive()
    module = numpy_module(derived.program).printed()
    return explanation_of(derived.derivation, module, NUMPY, SIZES.get(name, {}))


def seed() -> Explanation:
    """That of the seed."""
    return explained("seed")


def computations_of(text: str) -> Computations:
    """Those of a model in the model language."""
    return Computations.of(numpy_module(loads(text).derive().program).printed())
