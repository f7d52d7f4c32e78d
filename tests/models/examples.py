"""Models whose documents are looked at, and the derivations they come from."""

from functools import cache
from pathlib import Path

from symbackprop.pipeline import ModelDerivation, load, loads

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

# The loss reads s directly and through r; q reaches it not at all.
TWO_PATHS = """
index i : I
param w[i], q[i], s
input x[i]
p = sum(i, w[i]*x[i])
r[i] = x[i]*w[i]*s
v[i] = q[i]^2
loss E = p^2 + sum(i, r[i]^2) + s
"""

# The seed with other names, another layout, another index order: what is typed in would show.
OTHER_NAMES = """
index sample : Batch
index p : P
index q : Q
input  pixels[sample,p]
target wanted[sample,q]
param  theta[p,q]
net[sample,q] = sum(p, pixels[sample,p]*theta[p,q])
loss cost = 1/2*sum(sample, q, (net[sample,q] - wanted[sample,q])^2)
"""

# Formulas too long for a line.
LONG = """
index n : N
index alpha, beta : Hidden
input x[n,alpha]
target d[n,beta]
param W[beta,alpha], scale_factor
u[n,beta] = sum(alpha, W[beta,alpha]*x[n,alpha])
first_value[n,beta] = gelu(u[n,beta])
second_value[n,beta] = where(u[n,beta] > 0, scale_factor*u[n,beta], tanh(u[n,beta]))
z[n,beta] = first_value[n,beta]*second_value[n,beta] + first_value[n,beta]^2 - 3*second_value[n,beta]^3
loss E = mean(n, sum(beta, (z[n,beta] - d[n,beta])^2)) + sum(beta, alpha, W[beta,alpha]^2) + scale_factor^2
"""

RELU = """
index i : I
param w[i], b
input x[i]
u = sum(i, w[i]*x[i]) + b
z = relu(u)
loss E = z^2
"""


# A derivative of a derivative; y reads x itself and through z.
INNER = """
index n : N
index i : I
index j : J
input x[n,i]
param W[j,i], v[j], c[i]
u[n,j] = sum(i, W[j,i]*x[n,i])
z[n,j] = sigmoid(u[n,j])
y[n] = sum(j, v[j]*z[n,j]) + sum(i, c[i]*x[n,i]^2)
g[n,i] = diff(y[n], x[n,i])
lap[n] = sum(i, diff(g[n,i], x[n,i]))
loss E = mean(n, lap[n]^2 + sum(i, g[n,i]^2))
"""


@cache
def derivation(name: str, wrt: tuple[str, ...] = ()) -> ModelDerivation:
    """The derivation of an example, or of one of the models above."""
    path = EXAMPLES / f"{name}.model"
    model = load(path) if path.exists() else loads(globals()[name.upper()], name)
    return model.derive(wrt or None)
