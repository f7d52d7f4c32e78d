"""A model's equations in JAX, as somebody would type them: the peer of benchmarks/digits.py.

An expression becomes an array with an axis for each index in sight, of length 1 where it does not depend on
that index. What whole numbers alone decide (positions, conditions on indices, Kronecker deltas) is worked out
by the evaluator that the checks use; real numbers are JAX's from the first operation to the last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import add, mul
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from symbackprop.errors import NotationError
from symbackprop.languages.phrases import verbatim
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
    Constant,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.semantics.points import Points, grid
from symbackprop.semantics.rationals import Rationals
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import Stage, computations, selection
from symbackprop.systems.system import System

Array: TypeAlias = Any
Frame: TypeAlias = tuple[Index, ...]

FUNCTIONS: Mapping[str, Callable[..., Array]] = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
    "gelu": lambda u: jax.nn.gelu(u, approximate=False),
    "mish": jax.nn.mish,
    "exp": jnp.exp,
    "log": jnp.log,
    "log1p": jnp.log1p,
    "expm1": jnp.expm1,
    "abs": jnp.abs,
    "sign": jnp.sign,
    "max": jnp.maximum,
    "min": jnp.minimum,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": jnp.tan,
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "atan": jnp.arctan,
    "sinh": jnp.sinh,
    "cosh": jnp.cosh,
    "erf": jax.scipy.special.erf,
    "normcdf": jax.scipy.stats.norm.cdf,
    "lgamma": jax.scipy.special.gammaln,
    "digamma": jax.scipy.special.digamma,
    "trigamma": lambda u: jax.scipy.special.polygamma(1, u),
}
REDUCTIONS: Mapping[str, Callable[..., Array]] = {
    "sum": jnp.sum,
    "prod": jnp.prod,
    "max": jnp.max,
    "min": jnp.min,
}
COMPARISONS: Mapping[str, Callable[..., Array]] = {
    "<": jnp.less,
    "<=": jnp.less_equal,
    ">": jnp.greater,
    ">=": jnp.greater_equal,
    "==": jnp.equal,
    "!=": jnp.not_equal,
}
CONNECTIVES: Mapping[str, Callable[..., Array]] = {"and": jnp.logical_and, "or": jnp.logical_or}


@dataclass(frozen=True)
class JaxModel:
    """The loss of a system and its gradients by `wrt`, in JAX's float32, compiled where the sizes are known.

    `integers` are the values of its tensors of whole numbers.
    """

    system: System
    sizes: Mapping[str, int]
    wrt: tuple[str, ...]
    integers: Mapping[str, Array]

    def __call__(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """Loss and gradients by their names.

        Raises NotationError for what has no counterpart: a position that real numbers decide.
        """
        real = {name: jnp.asarray(array) for name, array in values.items() if name not in self.integers}
        asked = {name: real.pop(name) for name in self.wrt}
        loss, gradients = self._compiled(asked, real)
        found = {str(self.system.loss): loss, **gradients}
        return {name: np.asarray(array) for name, array in found.items()}

    @cached_property
    def _compiled(self) -> Callable[..., tuple[Array, dict[str, Array]]]:
        def loss(asked: Mapping[str, Array], others: Mapping[str, Array]) -> Array:
            given = {**self.integers, **others, **asked}
            return all_values(given, self.sizes, self.system)[str(self.system.loss)]

        compiled: Callable[..., tuple[Array, dict[str, Array]]] = jax.jit(jax.value_and_grad(loss))
        return compiled


def all_values(given: Mapping[str, Array], sizes: Mapping[str, int], system: System) -> dict[str, Array]:
    """Every tensor, each by its equation."""
    known = dict(given)
    for stage in stages_of(system.equations):
        if stage.recurrence is not None:
            known.update(_stepwise(stage, known, sizes))
            continue
        for equation in stage.equations:
            known[equation.tensor] = Translation(known, sizes).array(equation.expression, equation.indices)
    return known


def _stepwise(stage: Stage, known: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    """The tensors of a recurrence; what is not computed yet is 0."""
    assert stage.recurrence is not None
    arrays = {
        equation.tensor: jnp.zeros([sizes[index.axis.name] for index in equation.indices])
        for equation in stage.equations
    }
    for equation, at in computations(stage.recurrence, sizes):
        others = tuple(each for each in equation.indices if each not in at)
        found = Translation({**known, **arrays}, sizes, at).array(equation.expression, others)
        arrays[equation.tensor] = arrays[equation.tensor].at[selection(equation, at)].set(found)
    return arrays


@dataclass(frozen=True)
class Translation:
    """Expressions over tensors of these values, the indices in `at` standing still."""

    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    at: Mapping[Index, int] | None = None

    def array(self, expression: Expression, indices: Frame) -> Array:
        """The values over all positions of the indices."""
        return jnp.broadcast_to(self.value(expression, indices), self._shape(indices))

    def value(self, node: Expression, frame: Frame) -> Array:
        """The value, an axis for each index of the frame."""
        match node:
            case Number(value):
                return float(value)
            case Constant():
                return float(np.pi)
            case Size(axis):
                return float(self.sizes[axis.name])
            case Index():
                return self._points(frame).positions(node).reshape(self._shape(frame)).astype(np.float32)
            case Delta():
                return self._whole(node, frame).astype(np.float32)
            case Element(tensor, positions):
                return self._element(self.values[tensor], positions, frame)
            case Add(terms):
                return reduce(add, [self.value(term, frame) for term in terms])
            case Multiply(factors):
                return reduce(mul, [self.value(factor, frame) for factor in factors])
            case Power(base, exponent):
                return self._power(self.value(base, frame), exponent, frame)
            case Apply(function, arguments) if function in FUNCTIONS:
                return FUNCTIONS[function](*(jnp.float32(self.value(each, frame)) for each in arguments))
            case Where(condition, chosen, otherwise):
                return jnp.where(
                    self.holds(condition, frame), self.value(chosen, frame), self.value(otherwise, frame)
                )
            case Reduction():
                return self._reduction(node, frame)
            case MatrixFunction():
                return self._matrix_function(node, frame)
        raise NotationError(verbatim(f"a {type(node).__name__} has no counterpart in JAX here"))

    def holds(self, condition: Expression, frame: Frame) -> Array:
        """Whether a condition holds."""
        match condition:
            case Comparison(operator, left, right):
                if self._is_static(condition):
                    points = self._points(frame)
                    return self._evaluator.holds(condition, points).reshape(self._shape(frame))
                return COMPARISONS[operator](self.value(left, frame), self.value(right, frame))
            case Logic("not", (operand,)):
                return jnp.logical_not(self.holds(operand, frame))
            case Logic(operator, operands):
                return reduce(CONNECTIVES[operator], [self.holds(each, frame) for each in operands])
        raise NotationError(verbatim(f"a {type(condition).__name__} is no condition"))

    def _power(self, base: Array, exponent: Expression, frame: Frame) -> Array:
        if not isinstance(exponent, Number):
            return jnp.power(base, self.value(exponent, frame))
        if exponent.value.denominator == 1:
            return jnp.float32(base) ** int(exponent.value)
        return jnp.sqrt(base) if exponent.value == 0.5 else jnp.power(base, float(exponent.value))

    def _element(self, array: Array, positions: tuple[Expression, ...], frame: Frame) -> Array:
        """Positions outside are those of a branch that is not taken: the nearest is read."""
        array = jnp.asarray(array)
        places = [self._whole(each, frame) for each in positions]
        inside = tuple(np.clip(place, 0, size - 1) for place, size in zip(places, array.shape, strict=False))
        found = array[inside] if inside else array.reshape((1,) * len(frame))
        return found if jnp.issubdtype(found.dtype, jnp.floating) else found.astype(jnp.float32)

    def _reduction(self, node: Reduction, frame: Frame) -> Array:
        hidden = replace(self, at={k: v for k, v in (self.at or {}).items() if k not in node.indices})
        inner = (*(index for index in frame), *node.indices)
        body = jnp.broadcast_to(hidden.value(node.body, inner), self._shape(inner))
        if node.kind == "argmax":
            flat = body.reshape(*body.shape[: len(frame)], -1)
            return jnp.argmax(flat, axis=-1).astype(jnp.float32)
        return REDUCTIONS[node.kind](body, axis=tuple(range(len(frame), len(inner))))

    def _matrix_function(self, node: MatrixFunction, frame: Frame) -> Array:
        matrices = self.values[node.tensor]
        match node.kind:
            case "inv":
                found = jnp.linalg.inv(matrices)
            case "cofactor":
                inverse = jnp.swapaxes(jnp.linalg.inv(matrices), -1, -2)
                found = jnp.linalg.det(matrices)[..., None, None] * inverse
            case "det":
                found = jnp.linalg.det(matrices)
            case "logdet":
                found = jnp.linalg.slogdet(matrices)[1]
        return self._element(found, (*node.batch, *node.positions), frame)

    def _is_static(self, node: Expression) -> bool:
        return all(isinstance(self.values[name], np.ndarray) for name in node.tensors)

    @property
    def _evaluator(self) -> VectorisedEvaluator:
        whole = {name: array for name, array in self.values.items() if isinstance(array, np.ndarray)}
        return VectorisedEvaluator(whole, self.sizes)

    def _whole(self, node: Expression, frame: Frame) -> np.ndarray[Any, Any]:
        """What is an integer by indices and tensors of integers alone."""
        if not self._is_static(node):
            raise NotationError(
                verbatim("a position that real numbers decide has no counterpart in JAX here")
            )
        return Rationals(self._evaluator).value(node, self._points(frame)).reshape(self._shape(frame))

    def _points(self, frame: Frame) -> Points:
        """All positions of a frame; of two indices of one name the inner one counts."""
        names = tuple(
            index if index not in frame[place + 1 :] else _hidden(index, place)
            for place, index in enumerate(frame)
        )
        return grid(names, self.sizes, {k: v for k, v in (self.at or {}).items() if k not in frame})

    def _shape(self, frame: Frame) -> tuple[int, ...]:
        return tuple(self.sizes[index.axis.name] for index in frame)


def _hidden(index: Index, place: int) -> Index:
    """A name that no expression reads."""
    return Index(f"{index.name} hidden {place}", index.axis)
