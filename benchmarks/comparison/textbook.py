"""The gradients as a course writes them in NumPy: readable, deltas reused, temporaries as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

try:
    from scipy.special import erf  # type: ignore[import-untyped, unused-ignore]
except ImportError:
    erf = None

from benchmarks.comparison.workloads import DEPTH, Array, Workload

Arrays: TypeAlias = Mapping[str, Array]
Result: TypeAlias = tuple[Any, dict[str, Array]]


def _softmax(u: Array) -> Array:
    e = np.exp(u - u.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _sigmoid(u: Array) -> Array:
    return 1 / (1 + np.exp(-u))


def _relu_net(p: Arrays, classes: bool) -> Result:
    x, d = p["x"], p["d"]
    u0 = x @ p["W0"] + p["b0"]
    z0 = np.maximum(u0, 0)
    u1 = z0 @ p["W1"] + p["b1"]
    z1 = np.maximum(u1, 0)
    u2 = z1 @ p["W2"] + p["b2"]
    y = _softmax(u2) if classes else u2
    loss = -np.sum(d * np.log(y)) / len(x) if classes else 0.5 * np.sum((y - d) ** 2) / len(x)
    delta2 = (y - d) / len(x)
    delta1 = (delta2 @ p["W2"].T) * (u1 > 0)
    delta0 = (delta1 @ p["W1"].T) * (u0 > 0)
    gradients = {"W0": x.T @ delta0, "W1": z0.T @ delta1, "W2": z1.T @ delta2}
    return loss, gradients | {"b0": delta0.sum(axis=0), "b1": delta1.sum(axis=0), "b2": delta2.sum(axis=0)}


def _small_net(p: Arrays) -> Result:
    x, d = p["x"], p["d"]
    z = _sigmoid(x @ p["W0"] + p["b0"])
    y = z @ p["W1"] + p["b1"]
    loss = 0.5 * np.sum((y - d) ** 2) / len(x)
    delta1 = (y - d) / len(x)
    delta0 = (delta1 @ p["W1"].T) * z * (1 - z)
    return loss, {
        "W0": x.T @ delta0,
        "b0": delta0.sum(axis=0),
        "W1": z.T @ delta1,
        "b1": delta1.sum(axis=0),
    }


def _deep_net(p: Arrays) -> Result:
    z = [p["x"]]
    for layer in range(DEPTH):
        z.append(np.tanh(z[-1] @ p[f"W{layer}"] + p[f"b{layer}"]))
    error = z[-1] - p["d"]
    loss = 0.5 * np.sum(error**2) / len(error)
    gradients = {}
    delta = error / len(error) * (1 - z[-1] ** 2)
    for layer in reversed(range(DEPTH)):
        gradients[f"W{layer}"] = z[layer].T @ delta
        gradients[f"b{layer}"] = delta.sum(axis=0)
        if layer:
            delta = (delta @ p[f"W{layer}"].T) * (1 - z[layer] ** 2)
    return loss, gradients


def _feed_forward(p: Arrays) -> Result:
    x, width = p["x"], p["x"].shape[1]
    centred = x - x.mean(axis=1, keepdims=True)
    r = 1 / np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(1e-5))
    xhat = centred * r
    n = xhat * p["g"] + p["be"]
    u = n @ p["W1"] + p["b1"]
    phi = 0.5 * (1 + erf(u / np.float32(2**0.5)))
    z = u * phi
    error = x + z @ p["W2"] + p["b2"] - p["d"]
    loss = 0.5 * np.sum(error**2) / len(x)
    dy = error / len(x)
    du = (dy @ p["W2"].T) * (phi + u * np.exp(-0.5 * u**2) / np.float32((2 * np.pi) ** 0.5))
    dn = du @ p["W1"].T
    dxhat = dn * p["g"]
    projected = dxhat.sum(axis=1, keepdims=True) + xhat * (dxhat * xhat).sum(axis=1, keepdims=True)
    gradients = {
        "g": (dn * xhat).sum(axis=0),
        "be": dn.sum(axis=0),
        "x": dy + r * (dxhat - projected / width),
    }
    gradients |= {"W1": n.T @ du, "b1": du.sum(axis=0), "W2": z.T @ dy, "b2": dy.sum(axis=0)}
    return loss, gradients


def _attention(p: Arrays, heads: int) -> Result:
    x = p["x"]
    batch, steps, width = x.shape
    scale = np.float32((width // heads) ** -0.5)

    def split(a: Array) -> Array:
        return a.reshape(batch, steps, heads, -1).transpose(0, 2, 1, 3)

    def merged(a: Array) -> Array:
        return a.transpose(0, 2, 1, 3).reshape(batch, steps, width)

    def flat(a: Array) -> Array:
        return a.reshape(-1, width)

    q, k, v = split(x @ p["Wq"]), split(x @ p["Wk"]), split(x @ p["Wv"])
    scores = q @ k.swapaxes(-1, -2) * scale
    weights = _softmax(np.where(np.tril(np.ones((steps, steps), bool)), scores, np.float32(-np.inf)))
    o = merged(weights @ v)
    error = o @ p["Wo"] - p["d"]
    loss = 0.5 * np.sum(error**2) / (batch * steps)
    dy = error / (batch * steps)
    do = split(dy @ p["Wo"].T)
    dw = do @ v.swapaxes(-1, -2)
    dv = merged(weights.swapaxes(-1, -2) @ do)
    ds = weights * (dw - (dw * weights).sum(axis=-1, keepdims=True)) * scale
    dq, dk = merged(ds @ k), merged(ds.swapaxes(-1, -2) @ q)
    gradients = {name: flat(x).T @ flat(da) for name, da in (("Wq", dq), ("Wk", dk), ("Wv", dv))}
    dx = dq @ p["Wq"].T + dk @ p["Wk"].T + dv @ p["Wv"].T
    return loss, gradients | {"Wo": flat(o).T @ flat(dy), "x": dx}


def _lstm(p: Arrays) -> Result:
    x, d, Wx, Wh = p["x"], p["d"], p["Wx"], p["Wh"]
    steps, batch, width = x.shape
    h, c, kept = [np.zeros((batch, width), x.dtype)], [np.zeros((batch, width), x.dtype)], []
    loss = 0.0
    for t in range(steps):
        u = x[t] @ Wx + h[-1] @ Wh + p["b"]
        i, f, o = _sigmoid(u[:, :width]), _sigmoid(u[:, width : 2 * width]), _sigmoid(u[:, 3 * width :])
        g = np.tanh(u[:, 2 * width : 3 * width])
        c.append(f * c[-1] + i * g)
        tanh_c = np.tanh(c[-1])
        h.append(o * tanh_c)
        kept.append((i, f, g, o, tanh_c))
        loss += 0.5 * np.sum((h[-1] - d[t]) ** 2) / (steps * batch)
    gradients = {"Wx": np.zeros_like(Wx), "Wh": np.zeros_like(Wh), "b": np.zeros_like(p["b"])}
    dh, dc = np.zeros_like(h[0]), np.zeros_like(h[0])
    for t in reversed(range(steps)):
        i, f, g, o, tanh_c = kept[t]
        dh = dh + (h[t + 1] - d[t]) / (steps * batch)
        dc = dc + dh * o * (1 - tanh_c**2)
        parts = (
            dc * g * i * (1 - i),
            dc * c[t] * f * (1 - f),
            dc * i * (1 - g**2),
            dh * tanh_c * o * (1 - o),
        )
        du = np.concatenate(parts, axis=1)
        gradients["Wx"] += x[t].T @ du
        gradients["Wh"] += h[t].T @ du
        gradients["b"] += du.sum(axis=0)
        dh, dc = du @ Wh.T, dc * f
    return loss, gradients


def textbook(of: Workload) -> Callable[[], Result]:
    """The loss and the gradients of a workload; NotImplementedError where no course has written them here."""
    functions: Mapping[str, Callable[[Arrays], Result]] = {
        "W1": lambda p: _relu_net(p, classes=False),
        "W2": lambda p: _relu_net(p, classes=True),
        "W3": _small_net,
        "W4": _deep_net,
        **({"W5": _feed_forward} if erf is not None else {}),
        "W6": lambda p: _attention(p, of.heads),
        "W8": _lstm,
    }
    if of.family not in functions:
        raise NotImplementedError
    function = functions[of.family]
    return lambda: function(of.inputs)
