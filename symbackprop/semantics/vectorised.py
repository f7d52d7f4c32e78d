"""A fast evaluator: what an expression means, at many points at once.

A point is a position for each free index. A reduction takes each point to all positions of its bound indices,
a `where` splits the points, so that what is not chosen is not read, and a Kronecker delta leaves only the
points where its sides agree. It shares the nodes with the naive evaluator and nothing with the lowering.
Values are float64, or complex for the complex step, which decides by real parts; `numbers` may be others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from math import prod
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import NotationError, VerificationError
from symbackprop.functions.table import INTEGER_FUNCTIONS, definition_of
from symbackprop.integers.recognition import is_ratio, is_rounded_of_indices
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
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
from symbackprop.semantics.array_functions import compared
from symbackprop.semantics.array_matrices import matrix_values
from symbackprop.semantics.array_numbers import DOUBLE, ArrayNumbers
from symbackprop.semantics.guards import NO_GUARDS, Guards
from symbackprop.semantics.points import Points, grid
from symbackprop.semantics.rationals import Rationals
from symbackprop.semantics.ties import deltas_of, tied_sum
from symbackprop.semantics.underflow import without_underflow

Array: TypeAlias = NDArray[Any]
MOST_POINTS = 1_000_000  # each costs memory: those of a reduction are worked through in parts


@dataclass(frozen=True)
class VectorisedEvaluator:
    """Evaluates expressions where tensors have these values and axes (by name) these sizes.

    Tensors that are `pending` need not be known everywhere: a product of them and of other factors is 0 where
    either are, whatever the others. That is how the chain rule reads an adjoint: what the loss does not
    depend on may be undefined, and where a local derivative is 0 nothing is passed on.

    `reached` notes which sides of each comparison came up. Comparisons and integers are worked out in the
    numbers that decide. `guards` hold at every point: between positions that they leave, real numbers choose.
    """

    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    pending: frozenset[str] = frozenset()
    reached: dict[Expression, set[bool]] = field(default_factory=dict, compare=False)
    numbers: ArrayNumbers = DOUBLE
    guards: Guards = NO_GUARDS

    def array(
        self, expression: Expression, indices: tuple[Index, ...], at: Mapping[Index, int] | None = None
    ) -> Array:
        """The values over all positions of `indices`, in that layout; those in `at` stand still.

        Raises VerificationError for a read outside of axes, an unknown tensor, an extremum of nothing.
        """
        points = grid(indices, self.sizes, at or {})
        return points.each(self._value(expression, points)).reshape(points.shape)

    def at_points(self, expression: Expression, points: Points) -> Array:
        """The value at each point."""
        return points.each(self._value(expression, points))

    def under(self, condition: Expression, holds: bool = True) -> VectorisedEvaluator:
        """The same at points where a condition holds, or where it does not."""
        return replace(self, guards=self.guards.under(condition, holds))

    def _value(self, node: Expression, points: Points) -> Array:
        match node:
            case Number(value):
                return self.numbers.number(value)
            case Constant():
                return self.numbers.pi()
            case Size(axis):
                return self.numbers.exact(np.asarray(float(self.sizes[axis.name])))
            case Index():
                return self.numbers.exact(points.positions(node).astype(np.float64))
            case Element(tensor, positions):
                return self._element(tensor, positions, points)
            case Add(terms):
                return reduce(self.numbers.add, [self._value(term, points) for term in terms])
            case Multiply(factors) if self.numbers.underflows:
                product, others = partial(self._product, factors, points), partial(self._value, points=points)
                return without_underflow(node, product, others)
            case Multiply(factors):
                return self._product(factors, points)
            case Power(base, exponent):
                return self.numbers.power(self._value(base, points), self._value(exponent, points))
            case Apply() if node.function not in INTEGER_FUNCTIONS:
                return self._apply(node, points)
            case Apply() | Delta():
                return self.numbers.exact(self._integers.value(node, points).astype(np.float64))
            case Where():
                deltas = deltas_of(node) if self.pending else ()  # a derivative that is 0 decides nothing
                return self._where_all_agree(deltas, points, node.free_indices, partial(self._where, node))
            case Reduction():
                return self._reduction(node, points)
            case MatrixFunction():
                return self._matrix_function(node, points)
        raise NotationError(worded("a {kind} has no value of its own", kind=type(node).__name__))

    def _apply(self, node: Apply, points: Points) -> Array:
        if is_rounded_of_indices(node):
            return self.numbers.exact(self._integers.in_float64(node, points))
        if self.numbers.by_definition and (formula := definition_of(node)) is not None:
            return self._value(formula, points)
        return self.numbers.apply(node.function, [self._value(each, points) for each in node.arguments])

    @property
    def _integers(self) -> Rationals:
        return Rationals(self._deciding)

    @property
    def _deciding(self) -> VectorisedEvaluator:
        numbers = self.numbers.of_conditions
        return self if numbers is self.numbers else replace(self, numbers=numbers)

    def _element(self, tensor: str, positions: tuple[Expression, ...], points: Points) -> Array:
        if tensor not in self.values:
            raise VerificationError(worded("no value was given for '{tensor}'", tensor=tensor))
        array = np.asarray(self.values[tensor])
        if not positions:
            return self.numbers.exact(array)
        inside = [
            each
            for each, size in zip(positions, array.shape, strict=True)
            if isinstance(each, Index) and self.sizes[each.axis.name] <= size
        ]
        if len(inside) == len(positions):  # whatever the point
            return self.numbers.exact(points.flat(array[tuple([points.places[each] for each in inside])]))
        places = self._integers.places(tensor, positions, self.values, points)
        return self.numbers.exact(points.flat(array[tuple(places)]))

    def _product(self, factors: tuple[Expression, ...], points: Points) -> Array:
        """Deltas first: where one is 0 nothing else is read."""
        deltas = [factor for factor in factors if isinstance(factor, Delta)]
        others = [factor for factor in factors if not isinstance(factor, Delta)]
        free = frozenset[Index]().union(*(factor.free_indices for factor in others))
        return self._where_all_agree(deltas, points, free, partial(self._with_adjoints, others))

    def _where_all_agree(
        self, deltas: Sequence[Delta], points: Points, free: Set[Index], value: Callable[[Points], Array]
    ) -> Array:
        """A value that reads these indices, at the points where all deltas are 1; elsewhere 0."""
        left = points.where_all(deltas, self._agree)
        if left is None:
            return value(points)
        found = value(points.where(left, free))
        whole = np.full(points.count, self.numbers.number(ZERO.value), dtype=found.dtype)
        whole[left] = found
        return whole

    def _with_adjoints(self, factors: Sequence[Expression], points: Points) -> Array:
        """A product without deltas: 0 where the factors that read what is pending are, or the others."""
        apart = [factor for factor in factors if not self.pending.isdisjoint(factor.tensors)]
        if not apart:
            return self._times(factors, points)
        others = [factor for factor in factors if factor not in apart]
        found, adjoints = self._times(others, points), self._times(apart, points)
        passed = self.numbers.multiply(found, adjoints)
        return np.where((found == 0) | (adjoints == 0), self.numbers.number(ZERO.value), passed)

    def _agree(self, delta: Delta, points: Points) -> Array:
        """Whether the two sides of a delta agree, at each point."""
        left, right = delta.left, delta.right
        if isinstance(left, Index) and isinstance(right, Index):
            return points.flat(compared("==", points.places[left], points.places[right]))
        return self._integers.compared(Comparison("==", left, right), points)

    def _times(self, factors: Sequence[Expression], points: Points) -> Array:
        values = [self._value(factor, points) for factor in factors]
        return reduce(self.numbers.multiply, values) if values else self.numbers.number(ONE.value)

    def _where(self, node: Where, points: Points) -> Array:
        condition, chosen, otherwise = node.children
        holds = self.holds(condition, points)
        under, beside = self.under(condition), self.under(condition, holds=False)
        if holds.all() or not holds.any():
            return under._value(chosen, points) if holds.all() else beside._value(otherwise, points)
        one = under._value(chosen, points.where(holds, chosen.free_indices))
        other = beside._value(otherwise, points.where(~holds, otherwise.free_indices))
        result = np.empty(points.count, dtype=np.result_type(one, other, np.float64))
        result[holds], result[~holds] = one, other
        return result

    def holds(self, condition: Expression, points: Points) -> Array:
        """Whether a condition holds, at each point; of `and` and `or` no more is looked at than decides."""
        match condition:
            case Comparison():
                found = self._compared(condition, points)
                sides = self.reached.setdefault(condition, set())
                sides.update(side for side in (True, False) if np.any(found == side))
                return found
            case Logic("not", (operand,)):
                return ~self.holds(operand, points)
            case Logic(operator, operands):
                found, inside = np.full(points.count, operator == "and"), self
                for operand in operands:
                    undecided = np.flatnonzero(found == (operator == "and"))
                    found[undecided] = inside.holds(operand, points.where(undecided, operand.free_indices))
                    inside = inside.under(operand, operator == "and")
                return found
        raise NotationError(worded("a {kind} is not a condition", kind=type(condition).__name__))

    def _compared(self, condition: Comparison, points: Points) -> Array:
        """A comparison, exact where integers alone are compared and ratios of them: 1/10 + 1/5 is 3/10."""
        integers = [name for name in condition.tensors if np.asarray(self.values[name]).dtype.kind in "iu"]
        if all(is_ratio(side, integers) for side in condition.children):
            return self._integers.compared(condition, points)
        left, right = (self._deciding._value(side, points) for side in condition.children)
        return points.each(compared(condition.operator, left, right))

    def _reduction(self, node: Reduction, points: Points) -> Array:
        if node.kind == "sum":
            return self._sum(node, points)
        sizes = [self.sizes[index.axis.name] for index in node.indices]
        if prod(sizes) == 0 and node.kind != "prod":
            raise VerificationError(worded("the {node} over an empty axis has no value", node=node.kind))
        rows = self._rows(node.body, node.indices, points)
        if node.kind == "prod":
            return self.numbers.product(rows)
        best = np.argmin(np.real(rows), axis=1) if node.kind == "min" else np.argmax(np.real(rows), axis=1)
        if node.kind == "argmax":
            return self.numbers.exact(best)
        return np.asarray(rows[np.arange(points.count), best])

    def _sum(self, node: Reduction, points: Points) -> Array:
        """A bound index that a delta ties to others takes one position, and no other."""
        found = tied_sum(node)  # its indices may be those of a sum inside, too
        if any(self.sizes[index.axis.name] == 0 for index in (*found.visited, *found.tied)):
            return self.numbers.number(ZERO.value)
        return self.numbers.total(self._rows(found.body, found.visited, points, found.tied))

    def _rows(
        self,
        body: Expression,
        indices: tuple[Index, ...],
        points: Points,
        tied: Mapping[Index, Expression] = MappingProxyType({}),
    ) -> Array:
        """The body at all positions of the indices, a row for each point."""
        shape = tuple(self.sizes[index.axis.name] for index in indices)
        width = prod(shape)
        height = max(MOST_POINTS // max(width, 1), 1)
        # An index of the same name outside is hidden by the one that is bound here.
        inside = replace(self, guards=self.guards.outside((*indices, *tied)))
        free = frozenset[Index]().union(body.free_indices, *(place.free_indices for place in tied.values()))
        outer = free & points.places.keys() - {*indices, *tied}
        parts = []
        for start in range(0, points.count, height):
            part = points.between(start, min(start + height, points.count), outer)
            along = self._with_ties(part.along(indices, shape), tied)
            parts.append(inside.at_points(body, along).reshape(part.count, width))
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.zeros((0, width))])

    def _with_ties(self, points: Points, tied: Mapping[Index, Expression]) -> Points:
        """The points with a position for each tied index, the nearest in its axis where it would leave it."""
        places = {index: self._nearest(place, index, points) for index, place in tied.items()}
        return Points(points.shape, {**points.places, **places}) if tied else points

    def _nearest(self, place: Expression, index: Index, points: Points) -> Array:
        """A position for a tied index, inside its axis."""
        size = self.sizes[index.axis.name]
        if isinstance(place, Index) and self.sizes[place.axis.name] <= size:
            return points.places[place]
        return np.clip(self._integers.value(place, points), 0, size - 1).reshape(points.shape)

    def _matrix_function(self, node: MatrixFunction, points: Points) -> Array:
        array = self.numbers.exact(np.asarray(self.values[node.tensor]))
        found = self._integers.places(node.tensor, node.children, self.values, points)
        places = list(map(points.flat, found))
        batch, positions = places[: len(node.batch)], places[len(node.batch) :]
        return matrix_values(self.numbers, node.kind, array, batch, positions, points.count)
