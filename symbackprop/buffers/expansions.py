"""Values written as operations that have destinations, each with the same numbers to the bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from symbackprop.array.ir import CONNECTIVES, Copy, Elementwise, Literal, Reshape, Transpose
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


def _exp_of_sum(terms: Sequence[Value]) -> Value:
    """As the kernel has it: exp(s)*exp(r), s the sum as rounded and r what the roundings have lost."""
    total, *others = terms
    lost: Value | None = None
    for term in others:
        before, total = total, Elementwise("add", (total, term))
        of_term = Elementwise("subtract", (total, before))
        of_before = Elementwise("subtract", (before, Elementwise("subtract", (total, of_term))))
        so_far = of_before if lost is None else Elementwise("add", (lost, of_before))
        lost = Elementwise("add", (so_far, Elementwise("subtract", (term, of_term))))
    assert lost is not None
    is_small = Elementwise("<", (Elementwise("abs", (lost,)), _ONE))
    kept = Elementwise("where", (is_small, lost, _ZERO))
    return Elementwise("multiply", (Elementwise("exp", (total,)), Elementwise("exp", (kept,))))


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
        case Elementwise("exp_of_sum", terms) if value.layout:
            return _exp_of_sum(terms)
        case Elementwise("where", (mask, chosen, Literal() as otherwise)) if _is_broadcast(mask, chosen):
            return Elementwise("where", (Elementwise("not", (mask,)), otherwise, chosen))
        case Tensordot():
            return _by_matrix_product(value)
        case MatrixProduct(Reshape(Transpose(), _) as left, right) if len(right.layout) == 2:
            return _by_rows_of_memory(value, left)
        case Reshape(operand, target):
            return Refold(operand, target)
    return value


def _is_broadcast(mask: Value, chosen: Value) -> bool:
    """Whether a mask has fewer axes than the array that it chooses.

    Then a number is better put where the mask is false, into the array or a copy of it, than the array's
    elements, one by one, where it is true.
    """
    return 0 < len(mask.layout) < len(chosen.layout)


def _by_rows_of_memory(value: MatrixProduct, left: Reshape) -> Value:
    """The product by the transpose of the left matrix, where a copy of that keeps the last axis the last.

    grad[h,e,i] = sum(b, t, O[b,h,t,e]*d[b,t,i]) copies O to [b,t,h,e] in rows, and to [h,e,b,t] one by one.
    """
    assert isinstance(left.operand, Transpose)
    layout, order = left.operand.layout, left.operand.order
    first = next((n for n in range(len(order)) if _merged(layout[n:]) == left.layout[-1]), len(order))
    rows, inner = order[:first], order[first:]
    if not inner or len(order) - 1 not in rows:
        return value
    turned = _as_matrix(left.operand.operand, (*inner, *rows), len(inner))
    return Refold(MatrixProduct(Transpose(turned, (1, 0)), value.right), value.layout)


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
    return Refold(ordered, (_merged(ordered.layout[:rows]), _merged(ordered.layout[rows:])))


def _merged(groups: tuple[Group, ...]) -> Group:
    return tuple(index for group in groups for index in group)
