"""What stands in for PyTorch and JAX where they are not installed: NumPy under the names that gradients use.

Enough for forward(ctx, ..) and backward(ctx, ..) of an autograd.Function, and for the two functions of a
custom_vjp, where they compute with arrays. Anything else raises AttributeError where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

NUMPY_NAMES = {
    "mm": "matmul", "bmm": "matmul", "mv": "matmul", "mul": "multiply", "div": "divide", "sub": "subtract",
    "neg": "negative", "pow": "power", "cat": "concatenate", "t": "transpose", "ger": "outer",
}  # fmt: skip
WORDS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "diagonal": "k"}
# Methods that arrays have, too, with other words for what they are told, or another meaning.
METHODS = (
    "sum", "mean", "prod", "max", "min", "var", "std", "argmax", "argmin", "cumsum", "cumprod", "all", "any",
    "squeeze", "repeat", "sort", "take", "nonzero", "put",
)  # fmt: skip
# What NumPy has by the same name does something else.
DIFFERENT = frozenset(
    ("sort", "median", "split", "unique", "histogram", "nonzero", "take", "put", "cov", "diff")
)


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


class Extremum(NamedTuple):
    """What torch.max gives along an axis."""

    values: Any
    indices: Any


class Tensor(np.ndarray[Any, Any]):
    """An array with the methods of torch.Tensor that gradients use."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The function of this name, with the array as its first argument."""
        function = getattr(TORCH, name)
        if not callable(function):
            raise AttributeError(name)
        return lambda *arguments, **more: function(self, *arguments, **more)

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


def _as_torch_has_it(name: str) -> Callable[..., Any]:
    def method(self: Tensor, *arguments: Any, **more: Any) -> Any:
        return getattr(TORCH, name)(np.asarray(self), *arguments, **more)

    return method


for _name in METHODS:
    setattr(Tensor, _name, _as_torch_has_it(_name))


def _by_numpy(name: str) -> Callable[..., Any]:
    if name in DIFFERENT:
        raise AttributeError(name)
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


def _log_sum_exp(x: Any, dim: int = -1, keepdim: bool = False) -> Any:
    own = np.asarray(x)
    largest = own.max(axis=dim, keepdims=True)
    found = np.log(np.exp(own - largest).sum(axis=dim, keepdims=True)) + largest
    return tensor(found if keepdim else found.squeeze(dim))


def _pieces(x: Any, size: Any, dim: int) -> Any:
    """torch.split: pieces of one size, the last may be shorter, or of several."""
    own = np.asarray(x)
    ends = np.cumsum(size)[:-1] if np.ndim(size) else np.arange(size, own.shape[dim], size)
    return tuple([tensor(each) for each in np.split(own, ends, axis=dim)])


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    return tensor(np.clip(np.asarray(x), min, max))


def _extremum(values: str, places: str, of_two: Any) -> Callable[..., Any]:
    """torch.max and torch.min: over all, along `dim` with the positions, or of two tensors."""

    def call(x: Any, *other: Any, **more: Any) -> Any:
        own = np.asarray(x)
        dim, keeps = more.get("dim"), more.get("keepdim", False)
        if other and isinstance(other[0], int):
            dim, keeps = (*other, keeps)[:2]
        elif other:
            return tensor(of_two(own, np.asarray(other[0])))
        if dim is None:  # as NumPy has it where it is told so
            numpys = {"axis": more.get("axis"), "keepdims": more.get("keepdims", False)}
            return tensor(getattr(own, values)(**numpys))
        found = getattr(own, values)(axis=dim, keepdims=keeps)
        return Extremum(tensor(found), getattr(np, places)(own, axis=dim, keepdims=keeps))

    return call


def _spread(name: str) -> Callable[..., Any]:
    """torch.var and torch.std, which divide by N - 1 where they are told nothing else."""

    def call(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **more: Any) -> Any:
        axis = more.get("axis", dim)
        freedom = more.get("correction", more.get("ddof", int(unbiased)))
        kept = more.get("keepdims", keepdim)
        return tensor(getattr(np, name)(np.asarray(x), axis=axis, ddof=freedom, keepdims=kept))

    return call


def _shaped(name: str) -> Callable[..., Any]:
    """torch.zeros(2, 3) or torch.zeros((2, 3)); what it is told of types and devices does not matter."""
    return lambda *shape, **more: tensor(getattr(np, name)(shape[0] if np.ndim(shape[0]) else shape))


def _drawn(name: str) -> Callable[..., Any]:
    """torch.randn(2, 3): what a constructor draws is replaced by the data of the audit."""
    generator = np.random.default_rng(0)
    return lambda *shape, **more: tensor(getattr(generator, name)(shape[0] if np.ndim(shape[0]) else shape))


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
    "max": _extremum("max", "argmax", np.maximum),
    "min": _extremum("min", "argmin", np.minimum),
    **{name: _spread(name) for name in ("var", "std")},
    **{name: _shaped(name) for name in ("zeros", "ones", "empty")},
    "randn": _drawn("standard_normal"),
    "rand": _drawn("random"),
    "silu": lambda x: tensor(np.asarray(x) / (1 + np.exp(-np.asarray(x)))),
    "softplus": lambda x: tensor(np.logaddexp(0, np.asarray(x))),
    "log_softmax": lambda x, dim=-1: tensor(np.log(np.asarray(_softmax(x, dim)))),
    "logsumexp": _log_sum_exp,
    "masked_fill": lambda x, mask, value: tensor(np.where(np.asarray(mask), value, np.asarray(x))),
    "norm": lambda x, **more: tensor(np.sqrt(_by_numpy("sum")(np.square(np.asarray(x)), **more))),
    "repeat": lambda x, *times: tensor(np.tile(np.asarray(x), times)),
    "split": lambda x, size, dim=0: _pieces(x, size, dim),
    "chunk": lambda x, count, dim=0: _pieces(x, -(-np.shape(x)[dim] // count), dim),
    "add_": lambda x, other: np.add(x, other, out=x),
    "zero_": lambda x: np.multiply(x, 0, out=x),
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
