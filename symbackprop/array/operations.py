"""What a node makes of its operands alone, by NumPy: a table, which the interpreter looks up."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.ir import Copy, Elementwise, Expand, InPrecision, Reduce, Transpose
from symbackprop.array.linear_algebra import (
    Cholesky,
    Cofactors,
    Determinant,
    Diagonal,
    Inverse,
    Solve,
    Symmetric,
)
from symbackprop.array.lookups import Gather, Scan, Take
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.slices import Flip, OfPythonInts, Pad
from symbackprop.array.value import Value
from symbackprop.errors import ProgramError
from symbackprop.functions.table import FUNCTIONS
from symbackprop.schedule.kinds import Kind
from symbackprop.semantics.array_functions import UFUNCS


def _cofactors(matrices: NDArray[Any]) -> NDArray[Any]:
    """The signed minors of matrices (..., n, n), which may be singular, in the same places.

    A = U S V' has the cofactors det(U V') U C V', where the diagonal C holds for each singular value the
    product of the others: G. W. Stewart, On the adjugate matrix, Linear Algebra and its Applications 283
    (1998), 151-164.
    """
    left, values, right = np.linalg.svd(matrices)
    diagonal = np.eye(values.shape[-1], dtype=bool)
    others = np.prod(np.where(diagonal, 1, values[..., None, :]), axis=-1)
    sign = np.sign(np.linalg.det(left) * np.linalg.det(right))
    result: NDArray[Any] = sign[..., None, None] * (left * others[..., None, :]) @ right
    return result


# Of the node and the arrays that are its operands.
Operation: TypeAlias = Callable[..., Any]

_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "negative": np.negative,
    "floor_divide": np.floor_divide,
    "mod": np.mod,
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
    "max": np.maximum,
    "min": np.minimum,
    "abs": np.abs,
    "sqrt": np.sqrt,
}


_OF_PYTHON_INTS: Mapping[str, Callable[..., int]] = {
    "max": max,
    "min": min,
    "abs": abs,
    "isqrt": math.isqrt,
    "int": int,
}


# Python's own, of which none overflows.
_ARITHMETIC_OF_PYTHON_INTS: Mapping[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "power": operator.pow,
    "negative": operator.neg,
    "floor_divide": operator.floordiv,
    "mod": operator.mod,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _elementwise(node: Elementwise, *operands: Any) -> Any:
    of_ints = _ARITHMETIC_OF_PYTHON_INTS.get(node.operation)
    if of_ints is not None and all(type(each) is int for each in operands):
        return of_ints(*operands)
    if node.kind is Kind.DOUBLE and node.operation in UFUNCS:
        return UFUNCS[node.operation](*operands)
    return _operation(node.operation)(*operands)


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


def _reduced(node: Reduce, array: Any) -> Any:
    axes = node.places[0] if node.reduction == "argmax" else node.places
    if node.initial is not None:
        return np.max(array, axis=axes, keepdims=node.keep, initial=float(node.initial.value))
    return getattr(np, node.reduction)(array, axis=axes, keepdims=node.keep)


def _scanned(node: Scan, array: Any) -> Any:
    along = np.moveaxis(np.flip(array, node.place) if node.reverse else array, node.place, 0)
    before = np.concatenate((np.full_like(along[:1], 1.0 if node.reduction == "prod" else 0.0), along))
    found = np.cumprod(before, axis=0) if node.reduction == "prod" else np.cumsum(before, axis=0)
    ends = found[1:] if node.own else found[: len(along)]
    back = np.moveaxis(ends, 0, node.place)
    return np.flip(back, node.place) if node.reverse else back


def _gathered(node: Gather, array: Any, *places: Any) -> Any:
    """ProgramError where a place is less than 0, for it would wrap round."""
    if any(np.any(np.less(place, 0)) for place in places):
        raise ProgramError(
            f"a place before the first of axes {node.skip} and on of an array of {array.shape}"
        )
    return array[(slice(None),) * node.skip + places]


def _determinant(node: Determinant, matrix: Any) -> Any:
    return np.linalg.slogdet(matrix).logabsdet if node.logarithm else np.linalg.det(matrix)


def _in_precision(node: InPrecision, array: Any) -> Any:
    found = np.asarray(array, dtype=f"float{node.bits}")
    return found.astype(np.asarray(array).dtype) if node.back else found


OF_ARRAYS: Mapping[type[Value], Operation] = {
    Elementwise: _elementwise,
    OfPythonInts: lambda node, *numbers: _OF_PYTHON_INTS[node.function](*numbers),
    Reduce: _reduced,
    MatrixProduct: lambda node, left, right: left @ right,
    Tensordot: lambda node, left, right: np.tensordot(left, right, (node.left_places, node.right_places)),
    Transpose: lambda node, array: array.transpose(node.order),
    Expand: lambda node, array: np.expand_dims(array, node.places),
    Diagonal: lambda node, array: np.diagonal(array, axis1=node.first, axis2=node.second),
    Flip: lambda node, array: np.flip(array, node.place),
    Scan: _scanned,
    Pad: lambda node, array, *widths: np.pad(array, np.reshape(widths, (2, -1)).T),
    Copy: lambda node, array: np.copy(array)[()],
    InPrecision: _in_precision,
    Gather: _gathered,
    Take: _gathered,
    Solve: lambda node, matrix, right: np.linalg.solve(matrix, right),
    Inverse: lambda node, matrix: np.linalg.inv(matrix),
    Cofactors: lambda node, matrix: _cofactors(matrix),
    Determinant: _determinant,
    Symmetric: lambda node, matrix: matrix,
    Cholesky: lambda node, matrix: np.linalg.cholesky(matrix),
}
