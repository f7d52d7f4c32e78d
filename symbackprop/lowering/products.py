"""A pair of factors, multiplied and summed, as the array operation that says it best.

| left, right and what is summed                 | becomes                                            |
|------------------------------------------------|----------------------------------------------------|
| nothing summed                                 | element-wise product, broadcast                    |
| summed, each side has an index of its own      | `@`, with merged axes where several are contracted |
| summed, one side has an index, none is shared  | `@` of a matrix and a vector                       |
| two vectors, summed                            | `@`                                                |
| summed, anything else                          | element-wise product and a sum over axes           |

Indices that both sides keep are batch axes of `@`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from symbackprop.array.ir import Literal, Reduce
from symbackprop.array.layout import Group, layout_of
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.value import Value
from symbackprop.array.views import (
    as_real,
    elementwise,
    grouped,
    is_windowed,
    operate,
    ordered,
    reshaped,
    transposed,
)
from symbackprop.notation.expressions import Index

Indices = tuple[Index, ...]
MOST_AXES_OF_ROWS = 2  # that a product leaves apart where its left side is merged


@dataclass(frozen=True)
class Factor:
    """A factor of a product, or with `inverse` what the product is divided by."""

    value: Value
    inverse: bool = False

    def resolved(self) -> Value:
        """The factor as a value."""
        return operate("divide", Literal(1.0), self.value) if self.inverse else self.value


def multiplied(left: Factor, right: Factor, order: Indices) -> Factor:
    """The product of two factors, nothing summed."""
    if left.inverse == right.inverse:
        if left.value.kind.is_condition and right.value.kind.is_condition:
            return Factor(elementwise("and", (left.value, right.value), order))
        return Factor(elementwise("multiply", (left.value, right.value), order), left.inverse)
    above, below = (right, left) if left.inverse else (left, right)
    return Factor(elementwise("divide", (above.value, below.value), order))


def own_order(left: Value, right: Value) -> Indices:
    """The indices of both, in the order of the one that has more axes."""
    wider, other = (right, left) if len(right.indices) > len(left.indices) else (left, right)
    return tuple(dict.fromkeys((*wider.indices, *other.indices)))


def summed(value: Value, over: Indices) -> Value:
    """The value summed over some of its indices."""
    return (
        Reduce(as_real(value), "sum", tuple(value.indices.index(index) for index in over)) if over else value
    )


def combined(left: Factor, right: Factor, over: Indices, order: Indices) -> Factor:
    """Two factors multiplied and summed over `over`, which may be empty; axes come in the given order."""
    if not over:
        return multiplied(left, right, order)
    roles = Roles.of(left.value, right.value, over, order)
    if not roles.is_matrix_product or (roles.is_inner_product and (left.inverse or right.inverse)):
        product = multiplied(left, right, own_order(left.value, right.value)).resolved()
        return Factor(ordered(summed(product, over), order))
    for one, other in ((left, right), (right, left)):
        stacked = stacked_product(as_real(one.resolved()), as_real(other.resolved()), over, order)
        if stacked is not None:
            return Factor(stacked)
    if roles.must_swap(order):
        left, right = right, left
        roles = Roles.of(left.value, right.value, over, order)
    if not roles.batch and len(roles.inner) > 1 and roles.rows and roles.columns:
        sides = (as_real(left.resolved()), as_real(right.resolved()))
        if is_windowed(sides[1]):
            sides = (sides[1], sides[0])  # NumPy copies the left so that the longest stretches stay whole
        by_batch = _product_by_batch(*sides, roles.inner) if is_windowed(sides[0]) else None
        if by_batch is not None:
            return Factor(ordered(by_batch, order))
        if any(map(is_windowed, sides)) or all(_is_scattered(side, roles.inner) for side in sides):
            places = [tuple(map(side.indices.index, roles.inner)) for side in sides]
            return Factor(ordered(Tensordot(*sides, *places), order))
    product = matrix_product(as_real(left.resolved()), as_real(right.resolved()), roles)
    return Factor(ordered(product, order))


@dataclass(frozen=True)
class Roles:
    """What each index does in a contraction."""

    batch: Indices
    rows: Indices
    columns: Indices
    inner: Indices

    @classmethod
    def of(cls, left: Value, right: Value, over: Indices, order: Indices) -> Roles:
        """Sort the indices of two values; the inner ones in the order of the side where they lie together."""
        shared = [index for index in left.indices if index in right.indices and index not in over]
        return cls(
            batch=tuple(index for index in order if index in shared),
            rows=tuple(index for index in left.indices if index not in right.indices),
            columns=tuple(index for index in right.indices if index not in left.indices),
            inner=tuple(index for index in left.indices if index in over),
        )

    @property
    def is_matrix_product(self) -> bool:
        """Whether `@` says it: both sides have an index of their own, or one has and there is no batch."""
        if self.batch:
            return bool(self.rows and self.columns)
        return bool(self.rows or self.columns) or self.is_inner_product

    @property
    def is_inner_product(self) -> bool:
        """Whether two vectors are contracted to a scalar."""
        return not (self.batch or self.rows or self.columns) and len(self.inner) == 1

    def must_swap(self, order: Indices) -> bool:
        """Whether the operands change places: to bring out the right order, or a matrix before a vector."""
        if not self.rows:
            return bool(self.columns)
        outer = [index for index in order if index in self.rows or index in self.columns]
        return bool(self.columns) and outer[0] not in self.rows


def _product_by_batch(windows: Value, other: Value, inner: Indices) -> Value | None:
    """A product for each place of the batch, summed: np.sum(delta @ windows.mT, axis=0), nothing moved.

    None where the axes do not lie so, or where a product of one is not known to be smaller than its windows.
    """
    own = windows.indices
    rows = tuple(index for index in own if index not in inner)
    columns = tuple(index for index in other.indices if index not in own)
    first = own.index(rows[0])
    batch, last = own[:first], own[first + len(rows) :]
    sizes = [[index.axis.size for index in indices] for indices in (columns, last)]
    known = all(size is not None for each in sizes for size in each)
    few = known and prod(filter(None, sizes[0])) <= prod(filter(None, sizes[1]))
    if not (few and batch and last and columns) or own != (*batch, *rows, *last):
        return None
    groups = layout_of(batch)
    stack = reshaped(windows, (*groups, rows, last))
    across = transposed(stack, (*range(first), first + 1, first))
    product = MatrixProduct(grouped(other, (*groups, columns, last)), across)
    return reshaped(Reduce(product, "sum", tuple(range(first))), layout_of((*columns, *rows)))


def _is_scattered(value: Value, inner: Indices) -> bool:
    """Whether the inner axes neither come first nor last, side by side, so that merging them copies."""
    own = value.indices
    return inner not in (own[: len(inner)], own[-len(inner) :])


def stacked_product(left: Value, right: Value, over: Indices, order: Indices) -> Value | None:
    """`W @ x` where x is a stack of matrices: W[o,c] and x[n,c,a,b] give [n,o,a,b], nothing transposed.

    None where the axes do not lie so.
    """
    own = right.indices
    inner = tuple(index for index in own if index in over)
    rows = tuple(index for index in left.indices if index not in own)
    first = own.index(inner[0])
    stack, columns = own[:first], own[first + len(inner) :]
    fits = own == (*stack, *inner, *columns) and rows and stack and columns
    shared = set(left.indices) & set(own)
    outer = tuple(index for index in order if index in (*stack, *rows, *columns))
    if not fits or shared != set(inner) or outer != (*stack, *rows, *columns):
        return None
    matrix = grouped(left, (rows, inner))
    product = MatrixProduct(matrix, reshaped(right, (*layout_of(stack), inner, columns)))
    return reshaped(product, layout_of((*stack, *rows, *columns)))


def matrix_product(left: Value, right: Value, roles: Roles) -> Value:
    """`left @ right`, one axis an index in the result; several contracted or batched indices are merged.

    Without batch indices the rows stay apart, for `@` takes a stack of rows as it is; but where the left is
    merged anyway and many axes are rows, one product of all is faster than one for each of the last axis.
    """
    batch = layout_of(roles.batch)
    is_one = bool(batch) or (len(roles.rows) > MOST_AXES_OF_ROWS and len(roles.inner) > 1)
    rows: tuple[Group, ...] = (roles.rows,) if is_one else layout_of(roles.rows)
    columns: tuple[Group, ...] = (roles.columns,) if roles.columns else ()
    left = grouped(left, (*batch, *rows, roles.inner))
    right = grouped(right, (*batch, roles.inner, *columns))
    product = MatrixProduct(left, right)
    return reshaped(product, layout_of((*roles.batch, *roles.rows, *roles.columns)))
