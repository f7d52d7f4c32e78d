"""What stands in for PyTorch and JAX where they are not installed: NumPy under the names that gradients use.

Enough for forward(ctx, ..) and backward(ctx, ..) of an autograd.Function, and for the two functions of a
custom_vjp, where they compute with arrays. Anything else raises AttributeError where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

NUMPY_NAMES = {
    "mm": "matmul", "bmm": "matmul", "mv": "matmul", "mul": "multiply", "div": "divide", "sub": "subtract",
    "neg": "negative", "pow": "power", "cat": "concatenate", "t": "transpose", "ger": "outer",
}  # fmt: skip
WORDS = {"dim": "axis", "keepdim": "keepdims"}


class Context:
    """The `ctx` of an autograd.Function: what forward saves, backward finds."""

    def __init__(self) -> None:
        self.saved_tensors: tuple[Any, ...] = ()
        self.needs_input_grad = (True,) * 32

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep these for backward."""
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Nothing is recorded here."""

    def set_materialize_grads(self, value: bool) -> None:
        """All gradients are there."""


class Tensor(np.ndarray[Any, Any]):
    """An array with the methods of torch.Tensor that gradients use."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The function of this name, with the array as its first argument."""
        function = getattr(TORCH, name)
        if not callable(function):
            raise AttributeError(name)
        return lambda *arguments, **more: function(self, *arguments, **more)

    def sum(self, *arguments: Any, **more: Any) -> Any:
        """Over `dim`, or all."""
        return TORCH.sum(np.asarray(self), *arguments, **more)

    def mean(self, *arguments: Any, **more: Any) -> Any:
        """Over `dim`, or all."""
        return TORCH.mean(np.asarray(self), *arguments, **more)

    def max(self, *arguments: Any, **more: Any) -> Any:
        """Over all, or along `dim` with the positions."""
        return TORCH.max(np.asarray(self), *arguments, **more)

    def transpose(self, *axes: Any) -> Any:
        """Two axes exchanged."""
        return tensor(np.swapaxes(np.asarray(self), *axes)) if len(axes) == 2 else tensor(np.asarray(self).T)

    def view(self, *shape: Any) -> Any:  # type: ignore[override]
        """In another shape."""
        return super().view(*shape) if shape and isinstance(shape[0], type) else self.reshape(*shape)

    def size(self, dim: int | None = None) -> Any:  # type: ignore[override]
        """The shape, or one of its sizes."""
        return self.shape if dim is None else self.shape[dim]


def tensor(value: Any) -> Any:
    """As a tensor."""
    return np.asarray(value).view(Tensor)


def _by_numpy(name: str) -> Callable[..., Any]:
    function = getattr(np, NUMPY_NAMES.get(name, name))

    def call(*arguments: Any, **more: Any) -> Any:
        plain = [np.asarray(each) if isinstance(each, Tensor) else each for each in arguments]
        return tensor(function(*plain, **{WORDS.get(word, word): each for word, each in more.items()}))

    return call


def _softmax(x: Any, dim: int = -1, axis: int | None = None) -> Any:
    own = np.asarray(x)
    place = dim if axis is None else axis
    exponentials = np.exp(own - own.max(axis=place, keepdims=True))
    return tensor(exponentials / exponentials.sum(axis=place, keepdims=True))


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    return tensor(np.clip(np.asarray(x), min, max))


def _max(x: Any, *other: Any, **more: Any) -> Any:
    own = np.asarray(x)
    dim = more.get("dim", other[0] if other and isinstance(other[0], int) else None)
    if dim is None:
        return tensor(np.maximum(own, np.asarray(other[0])) if other else own.max())
    values = own.max(axis=dim, keepdims=bool(more.get("keepdim")))
    return SimpleNamespace(values=tensor(values), indices=np.argmax(own, axis=dim))


def _itself(x: Any, *arguments: Any, **more: Any) -> Any:
    return x


OWN = {
    "sigmoid": lambda x: tensor(1 / (1 + np.exp(-np.asarray(x)))),
    "relu": lambda x: tensor(np.maximum(np.asarray(x), 0)),
    "rsqrt": lambda x: tensor(1 / np.sqrt(np.asarray(x))),
    "erf": lambda x: tensor(np.vectorize(math.erf, otypes=[float])(np.asarray(x))),
    "unsqueeze": lambda x, dim: tensor(np.expand_dims(np.asarray(x), dim)),
    "permute": lambda x, *axes: tensor(np.transpose(np.asarray(x), axes)),
    "numel": lambda x: int(np.asarray(x).size),
    "mul_": lambda x, other: np.multiply(x, other, out=x),
    "clone": lambda x: tensor(np.array(x)),
    "new_zeros": lambda x, *shape: tensor(np.zeros(shape)),
    "tensor": tensor,
    "softmax": _softmax,
    "clamp": _clamp,
    "max": _max,
    **dict.fromkeys(("contiguous", "detach", "float", "double", "to", "type_as", "cpu", "cuda"), _itself),
}


class _Torch:
    """torch: its own functions as above, the others as NumPy has them."""

    autograd = SimpleNamespace(Function=type("Function", (), {}))
    Tensor = Tensor
    pi = math.pi

    def __getattr__(self, name: str) -> Any:
        return OWN[name] if name in OWN else _by_numpy(name)

    @property
    def nn(self) -> Any:
        """Its functions without state."""
        return SimpleNamespace(functional=self)


def _custom_vjp(function: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    """The function itself; `defvjp` is not called, for it stands outside every definition."""
    return function


TORCH = _Torch()
JAX = SimpleNamespace(
    numpy=np,
    custom_vjp=_custom_vjp,
    jit=_itself,
    nn=SimpleNamespace(**{name: OWN[name] for name in ("sigmoid", "relu", "softmax")}),
    lax=SimpleNamespace(rsqrt=OWN["rsqrt"], stop_gradient=_itself),
    Array=np.ndarray,
)
STAND_INS: dict[str, Any] = {"torch": TORCH, "jax": JAX}


def stand_in(dotted: str) -> Any:
    """What stands in for a module or a name in it; ModuleNotFoundError where nothing does."""
    root, *names = dotted.split(".")
    found = STAND_INS.get(root)
    for name in names if found is not None else ():
        found = getattr(found, name, None)
    if found is None:
        raise ModuleNotFoundError(f"No module named {dotted!r}")
    return found
