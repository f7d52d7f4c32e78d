"""An independent judge: the system's equations as arrays over all indices, differentiated by HIPS autograd.

It shares the expression nodes and the definitions of functions with the package and nothing else: no rule, no
derivative, no lowering, no evaluator, no kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad
from autograd.scipy.special import digamma, erf, gammaln, polygamma

from symbackprop.functions.table import definition_of
from symbackprop.notation import expressions as ex
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.systems.system import System

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": anp.exp, "log": anp.log, "sin": anp.sin, "cos": anp.cos, "tan": anp.tan, "asin": anp.arcsin,
    "acos": anp.arccos, "atan": anp.arctan, "sinh": anp.sinh, "cosh": anp.cosh, "tanh": anp.tanh,
    "log1p": anp.log1p, "expm1": anp.expm1, "erf": erf, "lgamma": gammaln, "digamma": digamma,
    "trigamma": lambda u: polygamma(1, u),
    "sign": lambda u: anp.sign(u),
    "sigmoid": lambda u: 0.5 * (anp.tanh(0.5 * u) + 1.0),
    "relu": lambda u: _where(u > 0, u, 0.0 * u),
    "softplus": lambda u: anp.logaddexp(0.0, u),
    "gelu": lambda u: 0.5 * u * (1.0 + erf(u / np.sqrt(2.0))),
    "normcdf": lambda u: 0.5 * (1.0 + erf(u / np.sqrt(2.0))),
    "silu": lambda u: u * 0.5 * (anp.tanh(0.5 * u) + 1.0),
    "abs": lambda u: u * anp.sign(u),
    "floor": lambda u: np.floor(u + 1e-9).astype(int),
    "mod": lambda u, m: np.mod(u, m),
    "stop": lambda u: _unboxed(u),
    "floor_of_real": lambda u: np.floor(_unboxed(u)),
    "ceil": lambda u: np.ceil(_unboxed(u)),
    "round": lambda u: np.round(_unboxed(u)),
    "max": lambda a, b: _where(a >= b, a, b),
    "min": lambda a, b: _where(a <= b, a, b),
}  # fmt: skip
COMPARISONS: Mapping[str, Callable[..., Any]] = {
    "<": anp.less, "<=": anp.less_equal, ">": anp.greater, ">=": anp.greater_equal, "==": anp.equal,
    "!=": anp.not_equal,
}  # fmt: skip


class Arrays:
    """Evaluates a node to an array with one axis an index in scope, of size 1 where it is constant."""

    def __init__(self, tensors: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
        self.tensors, self.sizes = tensors, sizes

    def value(self, node: ex.Expression, scope: tuple[ex.Index, ...]) -> Any:
        match node:
            case ex.Number(value):
                return float(value)
            case ex.Constant():
                return np.pi
            case ex.Size(axis):
                return float(self.sizes[axis.name])
            case ex.Index():
                shape = [1] * len(scope)
                shape[_place(scope, node)] = -1
                return np.arange(self.sizes[node.axis.name]).reshape(shape)
            case ex.Element(tensor, positions):
                return self._element(tensor, positions, scope)
            case ex.Add(terms):
                return sum(self.value(term, scope) for term in terms)
            case ex.Multiply(factors):
                result: Any = 1.0
                for factor in factors:
                    result = result * self.value(factor, scope)
                return result
            case ex.Power(base, exponent):
                return self.value(base, scope) ** self.value(exponent, scope)
            case ex.Apply(function, _) if function not in FUNCTIONS:
                # A function that is nothing but its formula needs no row of its own here.
                formula = definition_of(node)
                assert formula is not None, f"no row for {function}"
                return self.value(formula, scope)
            case ex.Apply(function, arguments):
                return FUNCTIONS[function](*(self.value(argument, scope) for argument in arguments))
            case ex.Delta(left, right):
                return 1.0 * anp.equal(self.value(left, scope), self.value(right, scope))
            case ex.Where(condition, chosen, otherwise):
                branches = self.value(chosen, scope), self.value(otherwise, scope)
                return _where(self.truth(condition, scope), *branches)
            case ex.Reduction():
                return self._reduction(node, scope)
            case MatrixFunction():
                return self._matrix_function(node, scope)
        raise NotImplementedError(type(node).__name__)

    def truth(self, node: ex.Expression, scope: tuple[ex.Index, ...]) -> Any:
        match node:
            case ex.Comparison(operator, left, right):
                return COMPARISONS[operator](self.value(left, scope), self.value(right, scope))
            case ex.Logic("not", (operand,)):
                return anp.logical_not(self.truth(operand, scope))
            case ex.Logic(operator, operands):
                join = anp.logical_and if operator == "and" else anp.logical_or
                result = self.truth(operands[0], scope)
                for operand in operands[1:]:
                    result = join(result, self.truth(operand, scope))
                return result
        raise NotImplementedError(type(node).__name__)

    def _element(self, tensor: str, positions: tuple[ex.Expression, ...], scope: tuple[ex.Index, ...]) -> Any:
        return self._read(self.tensors[tensor], positions, scope)

    def _read(self, array: Any, positions: tuple[ex.Expression, ...], scope: tuple[ex.Index, ...]) -> Any:
        if not positions:
            return array
        # What a `where` does not choose may lie outside: it is read somewhere inside, and thrown away.
        grids = [
            np.clip(np.asarray(self.value(position, scope)).astype(int), 0, size - 1)
            for position, size in zip(positions, array.shape, strict=True)
        ]
        return array[tuple(np.broadcast_arrays(*grids))] if len(grids) > 1 else array[grids[0]]

    def _matrix_function(self, node: MatrixFunction, scope: tuple[ex.Index, ...]) -> Any:
        """All matrices of the tensor at once, read at the positions afterwards."""
        matrices = self.tensors[node.tensor]
        if node.kind == "inv":
            whole = anp.linalg.inv(matrices)
        elif node.kind == "cofactor":
            inverse = anp.swapaxes(anp.linalg.inv(matrices), -1, -2)
            whole = anp.linalg.det(matrices)[..., None, None] * inverse
        elif node.kind == "det":
            whole = anp.linalg.det(matrices)
        else:
            whole = anp.linalg.slogdet(matrices)[1]
        return self._read(whole, node.children, scope)

    def _reduction(self, node: ex.Reduction, scope: tuple[ex.Index, ...]) -> Any:
        inner = (*scope, *node.indices)
        lengths = tuple(self.sizes[index.axis.name] for index in node.indices)
        body = self.value(node.body, inner) * np.ones((1,) * len(scope) + lengths)
        flat = anp.reshape(body, (*body.shape[: len(scope)], -1))
        if node.kind == "sum":
            return anp.sum(flat, axis=-1)
        if node.kind == "prod":
            result: Any = 1.0
            for place in range(flat.shape[-1]):
                result = result * flat[..., place]
            return result
        data = flat._value if hasattr(flat, "_value") else flat
        best = np.argmin(data, axis=-1) if node.kind == "min" else np.argmax(data, axis=-1)
        if node.kind == "argmax":
            return best
        chosen = np.arange(flat.shape[-1]) == best[..., None]
        return anp.sum(anp.where(chosen, flat, 0.0), axis=-1)


def _where(condition: Any, chosen: Any, otherwise: Any) -> Any:
    """Like numpy.where; autograd's own does not differentiate through broadcasting."""
    shape = np.broadcast_shapes(np.shape(condition), np.shape(chosen), np.shape(otherwise))
    full = np.ones(shape)
    return anp.where(np.logical_and(condition, full > 0), chosen * full, otherwise * full)


def _unboxed(array: Any) -> Any:
    """The numbers, which autograd does not follow any further."""
    while hasattr(array, "_value"):
        array = array._value
    return array


def _place(scope: tuple[ex.Index, ...], index: ex.Index) -> int:
    """The innermost binder of that name wins."""
    return len(scope) - 1 - scope[::-1].index(index)


def loss_of(
    system: System, values: Mapping[str, Any], sizes: Mapping[str, int]
) -> Callable[[dict[str, Any]], Any]:
    """The loss as a function of declared tensors that are chosen; `values` are the others'."""

    def loss(chosen: dict[str, Any]) -> Any:
        tensors: dict[str, Any] = {**values, **chosen}
        for equation in system.equations:
            shape = tuple(sizes[index.axis.name] for index in equation.indices)
            array = Arrays(tensors, sizes).value(equation.expression, equation.indices)
            tensors[equation.tensor] = array * np.ones(shape)
        # Adding nothing of each keeps autograd content where the loss does not depend on a tensor.
        return tensors[system.loss or ""] + sum(0.0 * anp.sum(array) for array in chosen.values())

    return loss


def loss_and_gradients(
    system: System, values: Mapping[str, Any], sizes: Mapping[str, int], wrt: tuple[str, ...]
) -> tuple[float, dict[str, Any]]:
    """The loss and its gradients by declared tensors."""
    loss = loss_of(system, values, sizes)
    chosen = {name: np.asarray(values[name], dtype=float) for name in wrt}
    return float(loss(chosen)), grad(loss)(chosen)
