"""Derivations of examples, classics, and models for what none of them uses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.language.model import parse_system
from symbackprop.pipeline import load
from tests.models.classics import FOLDER, load_classic

EXAMPLES = sorted(path.stem for path in FOLDER.parent.glob("*.model"))
MODELS: Mapping[str, str] = {
    "reading all earlier steps": """
index t, s : T
index j, k : J
param x[t,j], w[t,s], U[j,k]
h[t,j] = tanh(x[t,j] + sum(s, k, where(s < t, w[t,s]*U[j,k]*h[s,k], 0)))
loss E = sum(t, j, h[t,j]^2)
""",
    "a determinant by name": """
index i, j, k : N
param A[i,j], b[i]
x[i] = sum(j, inv(A)[i,j]*b[j])
D = det(A)
loss E = sum(i, x[i]^2) + log(D)
""",
    "a symmetric matrix": """
index i, j, k : N
param P[i,j], b[i], B[i,j]
fact positive_definite(P)
y[i] = sum(j, k, inv(P)[i,j]*B[j,k]*b[k])
loss E = sum(i, b[i]*y[i]) + logdet(P)
""",
    "what only a where reads": """
index i, j : N
param x[i], y[j]
z[i,j] = 1/(x[i] + y[j])
loss E = sum(i, j, where(i < j, z[i,j]^2, 0))
""",
    "a lookup": """
index n : N
index v : V
index e : E
input ids[n] in V
param X[v,e], w[v]
z[n,e] = X[ids[n],e]/w[ids[n]]
loss L = sum(n, e, z[n,e]^2)
""",
}
# With recurrences, inner derivatives, matrices, facts, and sums that are regrouped and split.
CORRUPTED = (
    "attention",
    "batch_norm",
    "elman_rnn",
    "gaussian_process",
    "gradient_penalty",
    "inverse_quadratic_form",
    "label_smoothing",
    "layer_norm",
    "lstm",
    "seed",
    *MODELS,
)


@cache
def derivation_of(name: str) -> Derivation:
    """The derivation of a model by its name."""
    if name in MODELS:
        return derive(parse_system(MODELS[name]))
    if name in EXAMPLES:
        return load(str(FOLDER.parent / f"{name}.model")).derive().derivation
    classic = load_classic(name)
    return derive(classic.system, classic.wrt or None)
