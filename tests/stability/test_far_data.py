"""Losses and gradients are finite wherever their true values are: at 800 in float64, at 80 in float32."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import mpmath
import numpy as np
import pytest

from symbackprop.pipeline import loads
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.semantics.number_systems import PRECISE
from symbackprop.systems.system import Role, System

# How the values of a tensor are drawn, by its name; all others are far.
NEAR = "abcgx"  # N(0,1)
WEIGHTS = "vw"  # from 0.2 to 2, and the first ones 0
BESIDE_ONE = ("log odds", "complementary log-log", "log of e^u - 1")  # whose true values need e^-800 beside 1
SIZES = {"B": 2, "K": 3, "T": 6, "N": 3, "M": 5}

B = "index b : B\nindex k, k2 : K\n"
T = "index t : T\nparam u[t], q[t]\n"
EDGES = "index e, e2 : M\nindex n : N\ninput to[e] in N\ninput x[n]\nparam s[e]\n"
SOFTMAXES = """param u[b,k], q[b,k]
p[b,k] = exp(u[b,k])/sum(k, exp(u[b,k]))
r[b,k] = exp(q[b,k])/sum(k, exp(q[b,k]))
"""

MODELS = {
    "Poisson mixture": B
    + "input x[b]\nparam a[k], l[k]\n"
    + "loss E = -sum(b, log(sum(k, exp(a[k])/sum(k2, exp(a[k2]))*exp(-exp(-l[k]^2)*x[b]^2))))",
    "Laplace mixture": B
    + "input c[b]\nparam g[k], u[k]\nloss E = -sum(b, log(sum(k, g[k]^2*exp(-abs(c[b] - u[k]))/2)))",
    "weights that may be 0": B + "input w[k]\nparam u[k]\nloss E = log(sum(k, w[k]*exp(-u[k])))^2",
    "weighted mean": B
    + "input w[k], v[k]\nparam u[b,k]\n"
    + "loss E = sum(b, sum(k, w[k]*exp(u[b,k])*v[k]^2)/sum(k, w[k]*exp(u[b,k])))",
    "rows and columns": "index n, m : N\nparam u[n,m]\ninput a[n,m]\nf[n,m] = exp(u[n,m])\n"
    + "r[n] = sum(m, f[n,m])\nc[m] = sum(n, f[n,m])\nloss E = sum(n, m, a[n,m]*log(f[n,m]^2/(r[n]*c[m])))",
    "column softmax beside row softmax": "index n, m : N\nparam u[n,m]\ninput a[n,m]\n"
    + "loss E = sum(n, m, a[n,m]*(exp(u[n,m])/sum(n, exp(u[n,m])) + exp(u[n,m])/sum(m, exp(u[n,m]))))",
    "one over a sum": T + "loss E = sum(t, 3*exp(u[t])/(5*exp(u[t]) + 2*exp(q[t])))",
    "numerator with a constant": T + "input a[t]\nloss E = sum(t, (a[t] + exp(-u[t]))/(3 + exp(-u[t])))",
    "square below": T + "loss E = sum(t, exp(2*u[t])/(exp(u[t]) + 2)^2)",
    "root below": B + "param u[k]\ninput a[k]\nloss E = sum(k, a[k]*exp(u[k]))/sqrt(sum(k, exp(2*u[k])))",
    "Jensen-Shannon": B
    + SOFTMAXES
    + "m[b,k] = p[b,k]/2 + r[b,k]/2\n"
    + "loss E = sum(b, k, p[b,k]*(log(p[b,k]) - log(m[b,k])) + r[b,k]*(log(r[b,k]) - log(m[b,k])))",
    "ratio of probabilities": B
    + "input a[b,k]\n"
    + SOFTMAXES
    + "loss E = sum(b, k, a[b,k]*log(p[b,k]^2/r[b,k]))",
    "focal loss": B + SOFTMAXES + "loss E = -sum(b, k, (1 - p[b,k])^2*log(p[b,k])*r[b,k])",
    "likelihood of agreement": B + SOFTMAXES + "loss E = -sum(b, log(sum(k, p[b,k]*r[b,k])))",
    "log cosh of a difference": T + "loss E = sum(t, log(cosh(u[t] - q[t])))",
    "two opposite exponentials": T + "loss E = sum(t, log(exp(2*u[t]) + exp(-2*u[t])))",
    "tanh by hand": T + "loss E = sum(t, q[t]*(exp(u[t]) - exp(-u[t]))/(exp(u[t]) + exp(-u[t])))",
    "tanh by one exponential": T + "loss E = sum(t, (1 - exp(-2*u[t]))/(1 + exp(-2*u[t])))",
    "tanh by sigmoid": T + "loss E = sum(t, (6*sigmoid(2*u[t]) - 3)^2)",
    "sinh by cosh": T + "loss E = sum(t, q[t]*sinh(3*u[t])/cosh(3*u[t]))",
    "log odds": T + "p[t] = 1/(1 + exp(-u[t]))\nloss E = sum(t, log(p[t]/(1 - p[t]))^2)",
    "complementary log-log": T + "loss E = sum(t, log(1 - exp(-exp(u[t]/2))) + exp(u[t] - exp(u[t])))",
    "Bose-Einstein": T + "loss E = sum(t, exp(u[t] + 1000)/(exp(u[t] + 1000) - 1))",
    "log of e^u - 1": T + "loss E = sum(t, log(exp(u[t]^2 + 1) - 1))",
    "log-sum-exp in a formula": B
    + "param u[b,k], c\nloss E = sum(b, sqrt(1 + log(sum(k, exp(c*u[b,k])))^2))",
    "energy of a memory": B
    + "param u[k], X[b,k]\ninput c\n"
    + "loss E = -log(sum(b, exp(exp(c)*sum(k, tanh(X[b,k])*u[k]))))/exp(c) + sum(k, u[k]^2)/2",
    "softmax over segments": EDGES
    + "input g[e]\nZ[n] = sum(e, delta(to[e],n)*exp(s[e]))\n"
    + "loss E = sum(e, g[e]*exp(s[e])/Z[to[e]])^2 + 0*sum(n, x[n])",
    "log-sum-exp over segments": EDGES
    + "l[n] = log(1/10 + sum(e, delta(to[e],n)*exp(s[e])))\nloss E = sum(n, x[n]*l[n])",
    "softplus in pieces": T + "loss E = sum(t, max(q[t], u[t]) + log1p(exp(-abs(u[t] - q[t]))))",
    "contrast under a mask": "index i, j, l : N\nparam u[i,j]\nZ[i] = sum(j, where(j > i, exp(u[i,j]), 0))\n"
    + "loss E = sum(i, sum(l, where(l > i, u[i,l] - log(Z[i]), 0)))",
    "forward algorithm": "index t : T = 3\nindex k, j : K\nparam u[j,k], q[t,k]\n"
    + "a[t,k] = q[t,k] + where(t > 0, log(sum(j, exp(a[t-1,j] + u[j,k]))), 0)\n"
    + "loss E = log(sum(k, exp(a[size(t)-1,k])))",
}


def drawn(system: System, scale: float, dtype: type, seed: int, sizes: Mapping[str, int]) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    far = np.array([-scale, -0.97 * scale, 0.0, 1.5, 0.3 * scale, 0.96 * scale, scale])
    values: dict[str, Array] = {}
    for tensor in system.tensors.values():
        shape = [sizes[index.axis.name] for index in tensor.indices]
        if tensor.role is Role.DERIVED:
            continue
        if tensor.values is not None:
            values[tensor.name] = rng.integers(0, sizes[tensor.values.name], shape)
        elif tensor.name in WEIGHTS:
            array = rng.uniform(0.2, 2.0, shape)
            array[..., : array.shape[-1] // 2] = 0.0
            values[tensor.name] = array.astype(dtype)
        else:
            array = rng.normal(size=shape) if tensor.name in NEAR else rng.choice(far, size=shape)
            values[tensor.name] = np.asarray(array).astype(dtype)
    return values


def truth(system: System, values: Mapping[str, Array], wrt: tuple[str, ...], digits: int) -> dict[str, Array]:
    """The loss and its central differences."""
    assert system.loss is not None
    loss = system.loss

    def at(known: Mapping[str, Array]) -> mpmath.mpf:
        return evaluate(system, known, None, PRECISE, only=[loss])[loss][()]

    with mpmath.workdps(digits):
        exact = {
            name: np.vectorize(lambda number: mpmath.mpf(float(number)), otypes=[object])(array)
            if array.dtype.kind == "f"
            else array
            for name, array in values.items()
        }
        found = {loss: np.array(float(at(exact)))}
        step = mpmath.mpf(10) ** (-digits // 3)
        for name in wrt:
            gradient = np.empty(values[name].shape)
            for place in np.ndindex(gradient.shape):
                sides = []
                for sign in (1, -1):
                    moved = np.array(exact[name], dtype=object)
                    moved[place] = moved[place] + sign * step
                    sides.append(at({**exact, name: moved}))
                gradient[place] = float((sides[0] - sides[1]) / (2 * step))
            found[name] = gradient
    return found


def results(
    module: ModuleType, values: Mapping[str, Array], loss: str | None = "E"
) -> dict[str | None, Array]:
    """The loss and the gradients by name, of data on which what is not chosen may overflow."""
    parameters = {each: values[each] for each in module.PARAMETERS}
    others = {each: array for each, array in values.items() if each not in parameters}
    with np.errstate(all="ignore"):
        value, gradients = module.value_and_grad(parameters, **others)
    return {loss: value, **gradients}


@pytest.mark.parametrize("name", MODELS)
def test_far_data(name: str) -> None:
    model = loads(MODELS[name] + "\n")
    derivation = model.derive()
    module = derivation.module()  # runs it on ordinary data and on axes of size 1 before
    for dtype, scale, rtol in ((np.float64, 800.0, 1e-9), (np.float32, 80.0, 2e-4), (np.float64, 30.0, 1e-9)):
        sizes = SIZES | {axis.name: axis.size for axis in model.system.axes if axis.size is not None}
        values = drawn(model.system, scale, dtype, 3, sizes)
        digits = 750 if name in BESIDE_ONE else 90
        expected = truth(model.system, values, tuple(derivation.gradients), digits)
        for tensor, found in results(module, values, model.system.loss).items():
            true = expected[tensor]
            largest = max(1e-20, float(np.max(np.abs(true), initial=0.0)))
            message = f"{tensor} at {scale} in {dtype.__name__}"
            atol = rtol * max(largest, 1e-3)
            np.testing.assert_allclose(found, true, rtol=rtol, atol=atol, err_msg=message)


def test_an_entry_of_weight_0_is_not_looked_at_however_large() -> None:
    text = "index k : K\ninput w[k], v[k]\nparam s[k]\n"
    module = loads(f"{text}loss E = sum(k, w[k]*exp(s[k])*v[k])/sum(k, w[k]*exp(s[k]))\n").derive().module()
    w, v, s = (np.array(each, np.float32) for each in ([0, 1, 1], [1, 2, 3], [80, -20, -21]))
    with np.errstate(all="ignore"):
        loss, gradients = module.value_and_grad({"s": s}, w=w, v=v)
    np.testing.assert_allclose(loss, 2.268941421, rtol=1e-6)
    np.testing.assert_allclose(gradients["s"], [0.0, -0.196611933, 0.196611933], rtol=1e-5)


MOVED = """index i, j : N
index c : D
param r[i,c], lm[i], h
input w[i,c]
d[i,j] = sum(c, (r[j,c] - r[i,c])^2)
s[i,c] = r[i,c] + h*sum(j, exp(lm[j])*(r[j,c] - r[i,c])/(d[i,j] + 1e-4)^1.5)
e[i,j] = sum(c, (s[j,c] - s[i,c])^2)
a[i,c] = sum(j, exp(lm[j])*(s[j,c] - s[i,c])/(e[i,j] + 1e-4)^1.5)
loss L = sum(i, c, w[i,c]*a[i,c]^2)
"""


def test_a_difference_of_rows_that_hold_exponentials_is_0_on_the_diagonal() -> None:
    """Shifted apart, the terms of s[i,c] - s[i,c] over 1e-6 were nine digits of noise."""
    derivation = loads(MOVED).derive()
    assert not any("shift" in each.equation.tensor for each in derivation.schedule.equations)
    module = derivation.module()
    rng = np.random.default_rng(5)
    params = {"r": rng.normal(size=(2, 3)), "lm": rng.normal(size=2), "h": np.array(0.3)}
    w = rng.normal(size=(2, 3))
    found = module.grad(params, w)["lm"]
    step = 1e-25
    for at in range(2):
        lm = params["lm"] + 1j * step * (np.arange(2) == at)
        np.testing.assert_allclose(found[at], _moved_loss({**params, "lm": lm}, w).imag / step, rtol=1e-8)


def _moved_loss(params: dict[str, np.ndarray], w: np.ndarray) -> complex:
    m = np.exp(params["lm"])

    def pull(x: np.ndarray) -> np.ndarray:
        apart = x[None, :] - x[:, None]
        d = np.sum(apart**2, axis=-1)
        return np.sum((m / (d + 1e-4) ** 1.5)[..., None] * apart, axis=1)

    return complex(np.sum(w * pull(params["r"] + params["h"] * pull(params["r"])) ** 2))
