"""The same losses for frameworks that differentiate, each once, over what they have in common with NumPy."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from benchmarks.comparison.workloads import DEPTH, Workload

Tensors: TypeAlias = Mapping[str, Any]
Step: TypeAlias = Callable[[], tuple[Any, Mapping[str, Any]]]


def _scanned(cell: Any, state: Any, steps: Any) -> Any:
    total = 0.0
    for t in range(len(steps[0])):
        state, given = cell(state, tuple(each[t] for each in steps))
        total = total + given
    return total


@dataclass(frozen=True)
class Functions:
    """What a framework calls the functions that the losses need; `convolved` and `pooled` may be missing."""

    exp: Any
    tanh: Any
    relu: Any
    sigmoid: Any
    gelu: Any
    log_softmax: Any  # over the last axis
    causal: Any  # -inf above the diagonal of the last two axes
    swapped: Any  # two axes of an array in each other's place
    convolved: Any = None
    pooled: Any = None
    scanned: Any = _scanned  # a cell over all steps, the sum of what it gives


def _net(f: Functions, p: Tensors, layers: int, inner: Any, last: Any = None) -> Any:
    z = p["x"]
    for layer in range(layers):
        activation = inner if layer < layers - 1 else last
        z = z @ p[f"W{layer}"] + p[f"b{layer}"]
        z = activation(z) if activation else z
    return z


def _squares(y: Any, d: Any, count: int) -> Any:
    return 0.5 * ((y - d) ** 2).sum() / count


def _feed_forward(f: Functions, p: Tensors) -> Any:
    x = p["x"]
    centred = x - x.mean(1)[:, None]
    n = centred / ((centred**2).mean(1)[:, None] + 1e-5) ** 0.5 * p["g"] + p["be"]
    return _squares(x + f.gelu(n @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], p["d"], x.shape[0])


def _attention(f: Functions, p: Tensors, heads: int) -> Any:
    x = p["x"]
    batch, steps, width = x.shape

    def split(name: str) -> Any:
        return f.swapped((x @ p[name]).reshape(batch, steps, heads, width // heads), 1, 2)

    q, k, v = map(split, ("Wq", "Wk", "Wv"))
    scores = f.causal(q @ f.swapped(k, 2, 3) / (width // heads) ** 0.5)
    o = f.swapped(f.exp(f.log_softmax(scores)) @ v, 1, 2).reshape(batch, steps, width)
    return _squares(o @ p["Wo"], p["d"], batch * steps)


def _lenet(f: Functions, p: Tensors) -> Any:
    z = f.pooled(f.relu(f.convolved(p["x"], p["K1"]) + p["c1"][:, None, None]))
    z = f.pooled(f.relu(f.convolved(z, p["K2"]) + p["c2"][:, None, None]))
    z = z.reshape(z.shape[0], -1)
    for layer in (3, 4):
        z = f.relu(z @ p[f"W{layer}"] + p[f"b{layer}"])
    return -(p["d"] * f.log_softmax(z @ p["W5"] + p["b5"])).sum() / z.shape[0]


def _lstm(f: Functions, p: Tensors) -> Any:
    x, width = p["x"], p["x"].shape[2]
    of_input = x @ p["Wx"] + p["b"]

    def cell(state: Any, at_step: Any) -> tuple[Any, Any]:
        (h, c), (of_x, d) = state, at_step
        u = of_x + h @ p["Wh"]
        i, g, o = u[:, :width], u[:, 2 * width : 3 * width], u[:, 3 * width :]
        c = f.sigmoid(u[:, width : 2 * width]) * c + f.sigmoid(i) * f.tanh(g)
        h = f.sigmoid(o) * f.tanh(c)
        return (h, c), _squares(h, d, x.shape[0] * x.shape[1])

    zeros = of_input[0, :, :width] * 0
    return f.scanned(cell, (zeros, zeros), (of_input, p["d"]))


def loss_of(of: Workload, f: Functions) -> Callable[[Tensors], Any]:
    """The loss of a workload, of all its inputs by name."""
    batch = len(of.inputs["x"])
    if of.family == "W7" and f.convolved is None:
        raise NotImplementedError
    losses: Mapping[str, Callable[[Tensors], Any]] = {
        "W1": lambda p: _squares(_net(f, p, 3, f.relu), p["d"], batch),
        "W2": lambda p: -(p["d"] * f.log_softmax(_net(f, p, 3, f.relu))).sum() / batch,
        "W3": lambda p: _squares(_net(f, p, 2, f.sigmoid), p["d"], batch),
        "W4": lambda p: _squares(_net(f, p, DEPTH, f.tanh, f.tanh), p["d"], batch),
        "W5": lambda p: _feed_forward(f, p),
        "W6": lambda p: _attention(f, p, of.heads),
        "W7": lambda p: _lenet(f, p),
        "W8": lambda p: _lstm(f, p),
    }
    return losses[of.family]


def jax_step(of: Workload) -> Step:
    """jax.jit of value_and_grad, on arrays that are on the device."""
    jax: Any = importlib.import_module("jax")
    compiled, *given = _jax_compiled(of)
    return lambda: jax.block_until_ready(compiled(*given))


def jax_bytes(of: Workload) -> int:
    """What JAX's compiler says that it takes in memory beside the inputs: temporary and returned arrays."""
    compiled, *given = _jax_compiled(of)
    taken = compiled.lower(*given).compile().memory_analysis()
    return int(taken.temp_size_in_bytes + taken.output_size_in_bytes)


def _jax_compiled(of: Workload) -> tuple[Any, Tensors, Tensors]:
    """The function that is compiled at its first call, and what it is called with."""
    jax: Any = importlib.import_module("jax")
    jnp = jax.numpy

    def convolved(x: Any, kernel: Any) -> Any:
        layout = ("NCHW", "OIHW", "NCHW")
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=layout)

    def pooled(x: Any) -> Any:
        window = (1, 1, 2, 2)
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")

    functions = Functions(
        exp=jnp.exp,
        tanh=jnp.tanh,
        relu=jax.nn.relu,
        sigmoid=jax.nn.sigmoid,
        gelu=lambda u: jax.nn.gelu(u, approximate=False),
        log_softmax=jax.nn.log_softmax,
        causal=lambda s: jnp.where(jnp.tril(jnp.ones(s.shape[-2:], bool)), s, -jnp.inf),
        swapped=jnp.swapaxes,
        convolved=convolved,
        pooled=pooled,
        scanned=lambda cell, state, steps: jax.lax.scan(cell, state, steps)[1].sum(),
    )
    loss = loss_of(of, functions)
    asked, others = _parted(of, jnp.asarray)
    return jax.jit(jax.value_and_grad(lambda p, q: loss({**p, **q}))), asked, others


def autograd_step(of: Workload) -> Step:
    """HIPS autograd's value_and_grad."""
    autograd: Any = importlib.import_module("autograd")
    anp: Any = importlib.import_module("autograd.numpy")
    special: Any = importlib.import_module("autograd.scipy.special")
    functions = Functions(
        exp=anp.exp,
        tanh=anp.tanh,
        relu=lambda u: anp.maximum(u, 0),
        sigmoid=lambda u: 1 / (1 + anp.exp(-u)),
        gelu=lambda u: u * 0.5 * (1 + special.erf(u / np.float32(2**0.5))),
        log_softmax=lambda u: u - special.logsumexp(u, axis=-1, keepdims=True),
        causal=lambda s: anp.where(np.tril(np.ones(s.shape[-2:], bool)), s, np.float32(-1e30)),
        swapped=anp.swapaxes,
    )
    loss = loss_of(of, functions)
    asked, others = _parted(of, np.asarray)
    differentiated = autograd.value_and_grad(lambda p: loss({**p, **others}))
    step: Step = lambda: differentiated(asked)  # noqa: E731 (typed)
    return step


def torch_step(of: Workload) -> Step:
    """torch.autograd, eager."""
    torch: Any = importlib.import_module("torch")
    nn: Any = importlib.import_module("torch.nn.functional")
    functions = Functions(
        exp=torch.exp,
        tanh=torch.tanh,
        relu=torch.relu,
        sigmoid=torch.sigmoid,
        gelu=nn.gelu,
        log_softmax=lambda u: torch.log_softmax(u, -1),
        causal=lambda s: s.masked_fill(torch.ones(s.shape[-2:], dtype=torch.bool).triu(1), -torch.inf),
        swapped=torch.swapaxes,
        convolved=nn.conv2d,
        pooled=lambda u: nn.max_pool2d(u, 2),
    )
    loss = loss_of(of, functions)
    asked, others = _parted(of, torch.from_numpy)
    leaves = {name: tensor.requires_grad_() for name, tensor in asked.items()}

    def step() -> tuple[Any, Mapping[str, Any]]:
        value = loss({**leaves, **others})
        gradients = torch.autograd.grad(value, list(leaves.values()))
        return value.detach(), dict(zip(leaves, gradients, strict=True))

    return step


def _parted(of: Workload, made: Callable[[Any], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is differentiated by, and the other inputs, as a framework's tensors."""
    tensors = {name: made(array) for name, array in of.inputs.items()}
    asked = {name: tensors.pop(name) for name in of.asked}
    return asked, tensors
