"""Derivatives of elements and of functions of matrices, and below a binder.

Bound indices are renamed before they could meet the positions of what is differentiated by.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import add, multiply, negate, subtract
from symbackprop.notation.derivatives import Derivative, PartialDerivative
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import fresh_index, rename_bound, substitute
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import calculus_rule


def deltas_of(element: Element, by: Element) -> Expression | None:
    """The deltas of the two lists of positions; what a position compares moves it in jumps alone."""
    return multiply(*_deltas(element.positions, by.positions)) if element.tensor == by.tensor else None


def scalar_rule(node: Element, by: Element) -> Expression | None:
    """Of a tensor without indices."""
    return None if node.positions else deltas_of(node, by)


def element_rule(node: Expression) -> Expression | None:
    """Of an element in a formula, or of one that nothing stands between."""
    match node:
        case PartialDerivative(Element() as above, below) | Derivative(Element() as above, below):
            return deltas_of(above, below) if above.positions else None
    return None


def inverse(node: MatrixFunction, by: Element) -> Expression | None:
    """Petersen & Pedersen, The Matrix Cookbook (2012), equation 60."""
    if node.kind != "inv":
        return None
    *batch, p, q = by.positions
    i, j = node.positions
    return multiply(MINUS_ONE, *_deltas(node.batch, batch), node.at(i, p), node.at(q, j))


def cofactor(node: MatrixFunction, by: Element) -> Expression | None:
    """The cofactors are differentiated by Jacobi's formula, as a product."""
    if node.kind != "cofactor":
        return None
    *batch, p, q = by.positions
    i, j = node.positions
    straight, crossed = (node.at(j, i), node.at(q, p)), (node.at(j, p), node.at(q, i))
    difference = subtract(multiply(*straight), multiply(*crossed))
    return multiply(node.determinant, *_deltas(node.batch, batch), difference)


def determinant(node: MatrixFunction, by: Element) -> Expression | None:
    """Jacobi's formula. Magnus & Neudecker, Matrix Differential Calculus (2019), section 8.3.

    d det X = tr(X# dX), with the adjoint matrix X#, the transposed cofactors, which is det(X) X^-1 only where
    X is invertible.
    """
    if node.kind != "det":
        return None
    *batch, p, q = by.positions
    return multiply(*_deltas(node.batch, batch), node.cofactor(p, q))


def log_determinant(node: MatrixFunction, by: Element) -> Expression | None:
    """Petersen & Pedersen, The Matrix Cookbook (2012), equation 57."""
    if node.kind != "logdet":
        return None
    *batch, p, q = by.positions
    return multiply(*_deltas(node.batch, batch), node.at(q, p))


def under_the_sum(node: Reduction, by: Element) -> Expression | None:
    """(sum(i, f))' = sum(i, f')."""
    if node.kind != "sum":
        return None
    node = rename_bound(node, by.free_indices)
    return Reduction("sum", node.indices, PartialDerivative(node.body, by))


def product_over_index(node: Reduction, by: Element) -> Expression | None:
    """(prod(i, f))' = sum(i, f'*product of the others)."""
    if node.kind != "prod":
        return None
    node = rename_bound(node, by.free_indices)
    return Reduction(
        "sum", node.indices, Multiply((_product_of_others(node), PartialDerivative(node.body, by)))
    )


def unused_index(node: Reduction, by: Element) -> Expression | None:
    """The maximum over an index that the body does not contain is the body's."""
    used = tuple(index for index in node.indices if index in node.body.free_indices)
    if node.kind not in ("max", "min") or len(used) == len(node.indices):
        return None
    return PartialDerivative(Reduction(node.kind, used, node.body) if used else node.body, by)


def first_maximum(node: Reduction, by: Element) -> Expression | None:
    """(max(i, f))' = f' at the first maximum."""
    if node.kind not in ("max", "min"):
        return None
    node = rename_bound(node, by.free_indices)
    inner = Where(_is_first_best(node), PartialDerivative(node.body, by), ZERO)
    return Reduction("sum", node.indices, inner)


def _deltas(here: Sequence[Expression], there: Sequence[Expression]) -> list[Expression]:
    """A delta for each pair of positions; nothing, as a factor 1, for two that are the same."""
    return [Delta(left, right) for left, right in zip(here, there, strict=True) if left != right]


def _copy_of_bound(node: Reduction) -> dict[Index, Expression]:
    avoid = set(node.body.free_indices) | set(node.indices)
    copies: dict[Index, Expression] = {}
    for index in node.indices:
        copy = fresh_index(index, avoid)
        avoid.add(copy)
        copies[index] = copy
    return copies


def _bound(copies: dict[Index, Expression]) -> tuple[Index, ...]:
    return tuple(copy for copy in copies.values() if isinstance(copy, Index))


def _product_of_others(node: Reduction) -> Expression:
    # The product over all other positions, not prod/f, is right where a factor is 0.
    copies = _copy_of_bound(node)
    elsewhere = [Comparison("!=", copy, index) for index, copy in copies.items()]
    condition = elsewhere[0] if len(elsewhere) == 1 else Logic("or", tuple(elsewhere))
    return Reduction("prod", _bound(copies), Where(condition, substitute(node.body, copies), ONE))


def _is_first_best(node: Reduction) -> Expression:
    """Whether the bound indices stand at the first maximum (or minimum), counted in row-major order."""
    from_body = node.body if node.kind == "max" else negate(node.body)
    copies = _copy_of_bound(node)
    best = Reduction("argmax", _bound(copies), substitute(from_body, copies))
    return Comparison("==", best, _row_major_position(node.indices))


def _row_major_position(indices: tuple[Index, ...]) -> Expression:
    position: Expression = indices[0]
    for index in indices[1:]:
        position = add(multiply(position, Size(index.axis)), index)
    return linear_form(position).expression()


UNUSED_INDEX = calculus_rule(
    "unused index of a maximum",
    "max(i, f)' = f', and likewise a minimum",
    Reduction,
    unused_index,
    when("independent", "f", "i"),
    when("not empty", "i"),
    example="d(max(i, y[j]))/dy[j2]",
    near_miss="d(max(i, x[i]))/dx[i2]",
)
ARRAY_RULES = (
    calculus_rule(
        "derivative under the sum",
        "(sum(i, f))' = sum(i, f')",
        Reduction,
        under_the_sum,
        example="d(sum(i, x[i]^2))/dx[i2]",
        near_miss="d(max(i, x[i]^2))/dx[i2]",
    ),
    calculus_rule(
        "product over an index",
        "(prod(i, f))' = sum(i, f'*product of the others)",
        Reduction,
        product_over_index,
        example="d(prod(i, x[i]))/dx[i2]",
        near_miss="d(sum(i, x[i]))/dx[i2]",
    ),
    calculus_rule(
        "inverse",
        "d inv(X)[i,j]/dX[p,q] = -inv(X)[i,p]*inv(X)[q,j]",
        MatrixFunction,
        inverse,
        example="d(inv(T)[j,j2])/dT[j3,j3']",
        near_miss="d(det(T))/dT[j,j2]",
    ),
    calculus_rule(
        "determinant",
        "d det(X)/dX[p,q] = cofactor(X)[p,q]",
        MatrixFunction,
        determinant,
        example="d(det(T))/dT[j,j2]",
        near_miss="d(logdet(T))/dT[j,j2]",
    ),
    calculus_rule(
        "cofactor",
        "d cofactor(X)[i,j]/dX[p,q] = det(X)*(inv(X)[j,i]*inv(X)[q,p] - inv(X)[j,p]*inv(X)[q,i])"
        ", where X is invertible",
        MatrixFunction,
        cofactor,
        when("invertible", "X"),
        example="d(cofactor(T)[j,j2])/dT[j3,j3']",
        near_miss="d(inv(T)[j,j2])/dT[j3,j3']",
    ),
    calculus_rule(
        "logarithm of the determinant",
        "d logdet(X)/dX[p,q] = inv(X)[q,p]",
        MatrixFunction,
        log_determinant,
        example="d(logdet(T))/dT[j,j2]",
        near_miss="d(det(T))/dT[j,j2]",
    ),
    calculus_rule(
        "first maximum",
        "(max(i, f))' = f' at the first maximum",
        Reduction,
        first_maximum,
        example="d(max(i, x[i]))/dx[i2]",
        near_miss="d(sum(i, x[i]))/dx[i2]",
    ),
)
