"""Runs a program with NumPy, node by node: what the emitted module must agree with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import ProgramError
from symbackprop.notation.expressions import Axis
from symbackprop.notation.functions import FUNCTIONS
from symbackprop.program.ir import (
    AxisSize,
    Cast,
    Copy,
    Diagonal,
    Elementwise,
    Expand,
    Fill,
    Identity,
    Literal,
    MatrixProduct,
    Positions,
    Read,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.program.layout import Group
from symbackprop.program.linear_algebra import Cholesky, Determinant, Inverse, Solve
from symbackprop.program.program import Program
from symbackprop.program.value import Value

Array: TypeAlias = NDArray[Any]

_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "negative": np.negative,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "and": lambda *operands: np.logical_and.reduce(np.broadcast_arrays(*operands)),
    "or": lambda *operands: np.logical_or.reduce(np.broadcast_arrays(*operands)),
    "not": np.logical_not,
    "where": np.where,
    "sqrt": np.sqrt,
}


@dataclass(frozen=True)
class _Interpreter:
    values: dict[str, Array]
    sizes: Mapping[str, int]
    dtype: np.dtype[Any]

    def size(self, axis: Axis) -> int:
        return self.sizes[axis.name]

    def shape(self, layout: tuple[Group, ...]) -> tuple[int, ...]:
        return tuple(prod(self.size(index.axis) for index in group) for group in layout)

    def evaluate(self, value: Value) -> Any:
        operands = [self.evaluate(operand) for operand in value.operands]
        match value:
            case Read(name, _, _):
                return self.values[name]
            case Literal(number):
                return number
            case AxisSize(axis, at_least_one):
                return max(self.size(axis), 1) if at_least_one else self.size(axis)
            case Positions(index):
                return np.arange(self.size(index.axis))
            case Identity(row, _):
                return np.eye(self.size(row.axis), dtype=self.dtype)
            case Elementwise(operation, _):
                return _operation(operation)(*operands)
            case Reduce(_, reduction, places, keep):
                return getattr(np, reduction)(
                    operands[0], axis=places[0] if reduction == "argmax" else places, keepdims=keep
                )
            case MatrixProduct():
                return operands[0] @ operands[1]
            case Transpose(_, order):
                return operands[0].transpose(order)
            case Expand(_, places):
                return np.expand_dims(operands[0], places)
            case Reshape(_, target):
                return operands[0].reshape(self.shape(target))
            case Diagonal(_, first, second, _):
                return np.diagonal(operands[0], axis1=first, axis2=second)
            case Cast():
                return np.asarray(operands[0]).astype(self.dtype)[()]
            case Fill(_, target):
                return np.full(self.shape(target), operands[0], dtype=self.dtype)
            case Copy():
                return np.copy(operands[0])[()]
            case Solve():
                return np.linalg.solve(*operands)
            case Inverse():
                return np.linalg.inv(*operands)
            case Determinant(_, logarithm):
                return np.linalg.slogdet(*operands).logabsdet if logarithm else np.linalg.det(*operands)
            case Cholesky():
                return np.linalg.cholesky(*operands)
        raise ProgramError(f"no interpretation of a {type(value).__name__}")


def _operation(name: str) -> Callable[..., Any]:
    if name in _OPERATIONS:
        return _OPERATIONS[name]
    function = FUNCTIONS[name]

    def apply(*arguments: Any) -> Any:
        found = np.result_type(*arguments)
        dtype = found if found.kind == "f" else np.dtype(np.float64)
        arrays = np.broadcast_arrays(*arguments)
        places = zip(*(array.flat for array in arrays), strict=True)
        numbers = [function.evaluate(*map(float, place)) for place in places]
        return np.array(numbers, dtype=dtype).reshape(arrays[0].shape)[()]

    return apply


def interpret(program: Program, tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Every tensor of the program, declared and computed, from arrays for the declared ones."""
    values = {name: np.asarray(array) for name, array in tensors.items()}
    sizes = dict(program.sizes)
    for tensor in program.tensors:
        shape = values[tensor.name].shape
        sizes.update({index.axis.name: size for index, size in zip(tensor.indices, shape, strict=True)})
    dtype = next(iter(values.values())).dtype if values else np.dtype(np.float64)
    interpreter = _Interpreter(values, sizes, dtype)
    with np.errstate(all="ignore"):
        for statement in program.statements:
            values[statement.name] = interpreter.evaluate(statement.value)
    return values
