"""Values written as operations that have destinations, each with the same numbers to the bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symbackprop.array.ir import CONNECTIVES, Copy, Elementwise, Literal, Reshape
from symbackprop.array.layout import Group
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.slices import Refold
from symbackprop.array.value import Value
from symbackprop.array.views import transposed

_ZERO, _ONE, _SATURATING = Literal(0.0), Literal(1.0), Literal(40.0)


def _sigmoid(u: Value) -> Value:
    """As the kernel has it: e/(1 + e), e = exp(min(u, 40)), which is 1 from 40 on, and cannot overflow."""
    grown = Elementwise("exp", (Elementwise("min", (u, _SATURATING)),))
    return Elementwise("divide", (grown, Elementwise("add", (_ONE, grown))))


# Kernels by the operations that they are made of.
KERNELS: Mapping[str, Callable[[Value], Value]] = {
    "relu": lambda u: Elementwise("max", (u, _ZERO)),
    "sigmoid": _sigmoid,
    "silu": lambda u: Elementwise("multiply", (u, Elementwise("sigmoid", (u,)))),
    "gelu": lambda u: Elementwise("multiply", (u, Elementwise("normcdf", (u,)))),
}


def expanded(value: Value) -> Value:
    """The value by simpler operations; itself where it is one."""
    while (found := _expanded_once(value)) is not value:
        value = found
    return value


def _expanded_once(value: Value) -> Value:
    match value:
        case Elementwise("stop", (operand,)):
            return Copy(operand)
        case Elementwise(operation, (first, second, *others)) if operation in CONNECTIVES and others:
            return Elementwise(operation, (Elementwise(operation, (first, second)), *others))
        case Elementwise(operation, (operand,)) if operation in KERNELS and value.layout:
            return KERNELS[operation](operand)
        case Tensordot():
            return _by_matrix_product(value)
        case Reshape(operand, target):
            return Refold(operand, target)
    return value


def _by_matrix_product(value: Tensordot) -> Value:
    """What np.tensordot does: both arrays as matrices, and their product."""
    rows = [place for place in range(len(value.left.layout)) if place not in value.left_places]
    columns = [place for place in range(len(value.right.layout)) if place not in value.right_places]
    left = _as_matrix(value.left, (*rows, *value.left_places), len(rows))
    right = _as_matrix(value.right, (*value.right_places, *columns), len(value.right_places))
    return Refold(MatrixProduct(left, right), value.layout)


def _as_matrix(value: Value, order: tuple[int, ...], rows: int) -> Value:
    """The axes in this order, the first `rows` of them merged into one, and the others."""
    ordered = transposed(value, order)
    layout = ordered.layout

    def merged(groups: tuple[Group, ...]) -> Group:
        return tuple(index for group in groups for index in group)

    return Refold(ordered, (merged(layout[:rows]), merged(layout[rows:])))
