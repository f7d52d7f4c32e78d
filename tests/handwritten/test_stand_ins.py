"""NumPy under torch's and JAX's names, for gradients that only compute with arrays."""

import numpy as np
import pytest

from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.running.definitions import defined
from symbackprop.handwritten.running.stand_ins import Context, stand_in, tensor

X = np.arange(6.0).reshape(2, 3) - 2


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda x, torch: x.sum(dim=0), X.sum(axis=0)),
        (lambda x, torch: x.mean(-1, keepdim=True), X.mean(-1, keepdims=True)),
        (lambda x, torch: x.t().mm(x), X.T @ X),
        (lambda x, torch: x.transpose(0, 1), X.T),
        (lambda x, torch: x.view(3, 2), X.reshape(3, 2)),
        (lambda x, torch: x.view(-1), X.ravel()),
        (lambda x, torch: x.unsqueeze(-1), X[..., None]),
        (lambda x, torch: x.clamp(min=0), np.maximum(X, 0)),
        (lambda x, torch: x.max(dim=1).values, X.max(axis=1)),
        (lambda x, torch: torch.max(x, dim=1, keepdim=True).values, X.max(axis=1, keepdims=True)),
        (lambda x, torch: torch.softmax(x, dim=0), np.exp(X) / np.exp(X).sum(axis=0)),
        (lambda x, torch: torch.einsum("ij,kj->ik", x, x), X @ X.T),
        (lambda x, torch: (x * x).sum(1).unsqueeze(1) * torch.exp(x), (X**2).sum(1)[:, None] * np.exp(X)),
        (lambda x, torch: torch.rsqrt(x.pow(2) + 1), 1 / np.sqrt(X**2 + 1)),
        (lambda x, torch: x.sum() * x.numel() / x.size(0), X.sum() * 3),
        (lambda x, torch: x.var(-1), X.var(axis=-1, ddof=1)),
        (lambda x, torch: torch.var(x, dim=0, unbiased=False, keepdim=True), X.var(axis=0, keepdims=True)),
        (lambda x, torch: x.std(dim=1, correction=0), X.std(axis=1)),
        (lambda x, torch: x.min(dim=1)[0] * x.min(), X.min(axis=1) * X.min()),
        (lambda x, torch: x.max(1, True)[0], X.max(axis=1, keepdims=True)),
        (lambda x, torch: np.max(x, axis=1), X.max(axis=1)),
        (lambda x, torch: x.repeat(2, 1), np.vstack([X, X])),
        (lambda x, torch: torch.cat(x.split(2, dim=1)[::-1], dim=1), X[:, [2, 0, 1]]),
        (lambda x, torch: torch.stack(x.chunk(3, dim=1)), X.T[..., None]),
        (lambda x, torch: x.cumsum(dim=1) + torch.zeros(2, 3), X.cumsum(axis=1)),
        (lambda x, torch: torch.logsumexp(x, dim=1), np.log(np.exp(X).sum(axis=1))),
        (lambda x, torch: x.masked_fill(x > 0, 7.0), np.where(X > 0, 7.0, X)),
        (lambda x, torch: x.norm(dim=1, keepdim=True), np.linalg.norm(X, axis=1, keepdims=True)),
        (lambda x, torch: torch.tril(torch.ones(3, 3), diagonal=-1), np.tril(np.ones((3, 3)), -1)),
        (lambda x, torch: torch.cat([x, torch.zeros_like(x)], dim=1), np.hstack([X, 0 * X])),
    ],
)
def test_a_tensor_is_an_array_under_other_names(found, expected):
    assert np.allclose(found(tensor(X), stand_in("torch")), expected)


@pytest.mark.parametrize("name", ["sort", "median", "unique", "nonzero"])
def test_what_numpy_has_by_the_same_name_for_something_else_is_not_taken(name):
    with pytest.raises(AttributeError, match=name):
        getattr(stand_in("torch"), name)(X)
    with pytest.raises(AttributeError, match=name):
        getattr(tensor(X), name)()


def test_what_is_saved_is_found():
    context = Context()
    context.save_for_backward(1, 2)
    context.dim = 3
    assert context.saved_tensors == (1, 2) and context.dim == 3 and context.needs_input_grad[0]


def test_names_that_an_import_binds():
    text = (
        "import jax, jax.numpy as jnp\nfrom jax import custom_vjp, nothing\nimport torch.nn.functional as F\n"
    )
    names = defined(Program(text, "f.py"), {})
    assert names["jnp"].tanh(0.0) == 0.0 and names["jax"].jit(3) == 3
    assert names["F"].relu(X).min() == 0.0 and names["custom_vjp"](len) is len
    with pytest.raises(ModuleNotFoundError, match="jax"):
        names["nothing"](1)
    with pytest.raises(ModuleNotFoundError):
        stand_in("tensorflow.keras")
