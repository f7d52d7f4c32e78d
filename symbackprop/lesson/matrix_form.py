"""Equations without indices, where they are sums and products of matrices: dE/dW2 = delta2^T z1.

A tensor of two indices is a matrix whose rows are counted by the first, one of one index is a column. A sum
over indices is a product of matrices where each of its indices leads from one factor to the next. What has
one of two indices alone scales rows or columns: a softmax is diag(exp(S) 1)^-1 exp(S).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from symbackprop.notation.arithmetic import factors_of, is_sum, multiply, terms_of
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Add,
    Apply,
    Axis,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
)
from symbackprop.typesetting.boxes import POWER, Begins, Box, at_level, leaf
from symbackprop.typesetting.boxes import PRODUCT as PRODUCT_LEVEL
from symbackprop.typesetting.forms import Form, application, called, joined, raised


@dataclass(frozen=True)
class Named:
    """A tensor, perhaps transposed."""

    tensor: str
    transposed: bool = False


@dataclass(frozen=True)
class Ones:
    """A column of ones over an axis, perhaps transposed."""

    axis: Axis
    transposed: bool = False


@dataclass(frozen=True)
class Scalar:
    """A number or a formula without indices, which is added to every element or multiplies all."""

    value: Expression


@dataclass(frozen=True)
class Applied:
    """A function of every element."""

    function: str
    argument: Matrix


@dataclass(frozen=True)
class Diagonal:
    """The diagonal matrix of a column's elements, or its inverse."""

    column: Matrix
    inverted: bool = False


@dataclass(frozen=True)
class Joined:
    """A product of matrices, a product element by element or a sum; a scalar comes first."""

    kind: str
    parts: tuple[Matrix, ...]


Matrix: TypeAlias = Named | Ones | Scalar | Applied | Diagonal | Joined
PRODUCT, ELEMENTWISE, SUM = "product", "elementwise", "sum"


def matrix_form(expression: Expression, indices: Sequence[Expression]) -> Matrix | None:
    """The matrix or column whose element at `indices` the expression is; None where there is no such form."""
    names = tuple(index for index in indices if isinstance(index, Index))
    if len(names) != len(indices) or len(set(names)) != len(names) or not 1 <= len(names) <= 2:
        return None
    terms = [_term(term, names) or _bias(term, names) for term in terms_of(expression)]
    return _joined(SUM, terms)


def has_product(matrix: Matrix) -> bool:
    """Whether it says more than an equation of single elements does."""
    match matrix:
        case Joined(kind, parts):
            matrices = [part for part in parts if not isinstance(part, Scalar)]
            return (kind == PRODUCT and len(matrices) > 1) or any(map(has_product, parts))
        case Applied(_, argument):
            return has_product(argument)
    return False


def shown(matrix: Matrix) -> Expression:
    """The matrix as a page shows it."""
    match matrix:
        case Named(tensor, transposed):
            return _turned(Element(tensor)) if transposed else Element(tensor)
        case Ones(_, transposed):
            ones = Form(lambda _: leaf(r"\mathbf{1}", 0.6))
            return _turned(ones) if transposed else ones
        case Scalar(value):
            return value
        case Applied("exp", argument):  # e to the power of a matrix is not that of its elements
            return Form(lambda boxes: called(r"\exp", boxes), (shown(argument),))
        case Applied(function, argument):
            return Apply(function, (shown(argument),))
        case Diagonal(column, inverted):
            pattern = r"\operatorname{{diag}}\left({}\right)" + "^{{-1}}" * inverted
            return Form(lambda boxes: application(pattern, boxes), (shown(column),))
        case Joined(kind, parts) if kind == ELEMENTWISE and all(map(_is_turned, parts)):
            return _turned(shown(_transposed(matrix)))
        case Joined(kind, parts):
            inside = tuple(map(shown, parts))
            if kind == PRODUCT:
                factors = [factors_of(each) for each in map(_as_factor, parts, inside)]
                return Multiply(tuple([one for several in factors for one in several]))
            return Add(inside) if kind == SUM else Form(_beside_circles, inside)


def _is_turned(matrix: Matrix) -> bool:
    return isinstance(matrix, Named) and matrix.transposed


def _transposed(matrix: Matrix) -> Matrix:
    match matrix:
        case Named(tensor, transposed):
            return Named(tensor, not transposed)
        case Ones(axis, transposed):
            return Ones(axis, not transposed)
        case Applied(function, argument):
            return Applied(function, _transposed(argument))
        case Joined(kind, parts):
            turned = [_transposed(part) for part in parts]
            scalars = [part for part in turned if isinstance(part, Scalar)]
            others = [part for part in turned if not isinstance(part, Scalar)]
            return Joined(kind, (*scalars, *reversed(others)) if kind == PRODUCT else tuple(turned))
    return matrix


def _as_factor(part: Matrix, whole: Expression) -> Expression:
    """A product element by element in parentheses: (A o B) x, which is not A o (B x)."""
    is_elementwise = isinstance(part, Joined) and part.kind == ELEMENTWISE
    return Form(lambda boxes: at_level(boxes[0], POWER), (whole,)) if is_elementwise else whole


def _turned(whole: Expression) -> Expression:
    # No function is applied to a transposed matrix in parentheses: it needs no dot in front.
    return Form(lambda boxes: replace(raised(boxes[0], r"\top", 1.0), begins=Begins.OTHER), (whole,))


def _beside_circles(boxes: Sequence[Box]) -> Box:
    return joined([at_level(box, POWER) for box in boxes], r" \odot ", 1.4, PRODUCT_LEVEL)


def _joined(kind: str, parts: Sequence[Matrix | None]) -> Matrix | None:
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or not found:
        return None
    return found[0] if len(found) == 1 else Joined(kind, tuple(found))


def _term(term: Expression, indices: tuple[Index, ...]) -> Matrix | None:
    """A scalar times what has the indices themselves, between what scales its rows and its columns."""
    scalars, others = _scalars_apart(term)
    scales = [factor for factor in others if _is_scale(factor, indices)]
    parts = [
        _contraction(each, indices) if is_sum(each) else _elementwise(each, indices)
        for each in others
        if each not in scales
    ]
    return _scaled(scalars, _joined(ELEMENTWISE, parts), scales, indices)


def _scalars_apart(term: Expression) -> tuple[list[Expression], list[Expression]]:
    """The factors without indices, and the others."""
    factors = factors_of(term)
    scalars = [factor for factor in factors if not factor.free_indices and not factor.binds]
    return scalars, [factor for factor in factors if factor not in scalars]


def _is_scale(factor: Expression, indices: tuple[Index, ...]) -> bool:
    """Whether it has one of two indices alone, or divides a column's elements."""
    return len(factor.free_indices) == 1 and (len(indices) == 2 or _is_inverse(factor))


def _is_inverse(factor: Expression) -> bool:
    return isinstance(factor, Power) and factor.exponent == MINUS_ONE


def _scaled(
    scalars: Sequence[Expression],
    matrix: Matrix | None,
    scales: Sequence[Expression],
    indices: tuple[Index, ...],
) -> Matrix | None:
    """The matrix between the diagonal matrices of the scales, behind the scalars."""
    before, after = list[Matrix | None](), list[Matrix | None]()
    for each in scales:
        (index,) = each.free_indices
        base = each.base if isinstance(each, Power) and _is_inverse(each) else each
        column = _elementwise(base, (index,)) or matrix_form(base, (index,))
        diagonal = None if column is None else Diagonal(column, _is_inverse(each))
        (before if index == indices[0] else after).append(diagonal)
    product = _joined(PRODUCT, [*before, matrix, *after])
    return product if product is None or not scalars else _product(Scalar(multiply(*scalars)), product)


def _bias(term: Expression, indices: tuple[Index, ...]) -> Matrix | None:
    """The same row in every place, b[k] of u[b,k] as 1 b^T, or column: sum(k, p[b,k]) as (p 1) 1^T."""
    match indices:
        case (row, column) if term.free_indices in ({row}, {column}):
            (own,) = term.free_indices
            repeated = _term(term, (own,))
            if repeated is None:
                return None
            if own == column:
                return _product(Ones(row.axis), _transposed(repeated))
            return _product(repeated, Ones(column.axis, transposed=True))
    return None


def _product(*factors: Matrix) -> Matrix:
    """The product, its own scalars in front."""
    parts = [
        part
        for each in factors
        for part in (each.parts if isinstance(each, Joined) and each.kind == PRODUCT else (each,))
    ]
    scalars = [part for part in parts if isinstance(part, Scalar)]
    return Joined(PRODUCT, (*scalars, *[part for part in parts if part not in scalars]))


def _elementwise(expression: Expression, indices: tuple[Index, ...]) -> Matrix | None:
    """What reads every tensor at these indices themselves."""
    match expression:
        case Number():
            return Scalar(expression)
        case Element(tensor, positions) if positions == indices:
            return Named(tensor)
        case Element(tensor, positions) if len(indices) == 2 and positions == indices[::-1]:
            return Named(tensor, transposed=True)
        case Apply(function, (argument,)):
            inside = _elementwise(argument, indices)
            return None if inside is None else Applied(function, inside)
        case Power(base, Number(exponent)) if exponent == 2:
            return _joined(ELEMENTWISE, [_elementwise(base, indices)] * 2)
        case Add(terms):
            parts = [
                _elementwise(term, indices) or _term(term, indices) or _bias(term, indices) for term in terms
            ]
            return _joined(SUM, parts)
    return None


def _contraction(total: Expression, indices: tuple[Index, ...]) -> Matrix | None:
    """The product of matrices that a sum over products of elements is, from the first index to the last."""
    if not is_sum(total) or not set(indices).isdisjoint(total.indices):
        return None
    waiting = list(factors_of(total.body))
    at: Index | None = indices[0]
    last = indices[1] if len(indices) == 2 else None
    open_indices, parts = set(total.indices), list[Matrix | None]()
    while at is not None and at != last:
        here = [factor for factor in waiting if at in factor.free_indices]
        reached = {index for factor in here for index in factor.free_indices} - {at}
        if len(reached) > 1 or (here and any(len(each.free_indices) != 1 + len(reached) for each in here)):
            return None
        to = next(iter(reached), None)
        if not here and last is not None:
            return None
        places = (at,) if to is None else (at, to)
        parts.append(
            _joined(ELEMENTWISE, [_elementwise(each, places) for each in here]) if here else Ones(at.axis)
        )
        waiting = [factor for factor in waiting if factor not in here]
        open_indices.discard(at)
        at = to
    if waiting or open_indices or at != last:
        return None
    return _joined(PRODUCT, parts)
