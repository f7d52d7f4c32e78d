"""The naive evaluator: what an expression means, as loops over indices.

It is slow and obviously right; every rule, derivation step and program is held against it. Values are
float64, complex (for the complex step) or, with the arithmetic `PRECISE`, mpmath numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import mpmath
import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import NotationError, VerificationError
from symbackprop.functions.table import INTEGER_FUNCTIONS, definition_of
from symbackprop.integers.recognition import is_ratio, is_rounded_of_indices
from symbackprop.languages.phrases import worded
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
from symbackprop.semantics import gaussian_elimination
from symbackprop.semantics.array_functions import float64_of
from symbackprop.semantics.integer_values import compared, integer_value
from symbackprop.semantics.number_systems import FLOATS, PRECISE, Arithmetic
from symbackprop.systems.printing import text
from symbackprop.systems.shifted_exponentials import shifted_exponentials

Array: TypeAlias = NDArray[Any]
Positions: TypeAlias = dict[Index, int]


@dataclass(frozen=True)
class NaiveEvaluator:
    """Evaluates expressions where tensors have these values and axes (by name) these sizes."""

    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    arithmetic: Arithmetic = FLOATS
    _of_matrices: dict[MatrixFunction, Any] = field(default_factory=dict, init=False, compare=False)
    _exact: dict[Expression, bool] = field(default_factory=dict, init=False, compare=False)

    def expression(self, expression: Expression, positions: Positions | None = None) -> Any:
        """The value of an expression where its free indices stand at `positions`."""
        return self._value(expression, positions or {})

    def array(self, expression: Expression, indices: tuple[Index, ...], at: Positions | None = None) -> Array:
        """The values over all positions of `indices`, in that layout; those in `at` stand still."""
        shape = tuple(self.sizes[index.axis.name] for index in indices)
        results = self._values_over(expression, indices, at or {})
        exact = self.arithmetic is PRECISE
        return np.array(results, dtype=object if exact else None).reshape(shape)

    def _values_over(self, node: Expression, indices: tuple[Index, ...], at: Positions) -> list[Any]:
        """The values at all positions of `indices`, the last running fastest; those in `at` stand still."""
        here, values = dict(at), []
        for place in itertools.product(*[range(self.sizes[index.axis.name]) for index in indices]):
            here.update(zip(indices, place, strict=True))
            values.append(self._value(node, here))
        return values

    def _value(self, node: Expression, at: Positions) -> Any:
        match node:
            case Number():
                return self.arithmetic.number(node)
            case Element(tensor, positions):
                places = [
                    at[position] if type(position) is Index else self._integer(position, at)
                    for position in positions
                ]
                return self._element(tensor, places)
            case Multiply(factors):
                found = math.prod([self._value(factor, at) for factor in factors])
                return found if found == found else self._without_underflow(node, found, at)
            case Add(terms):
                return sum([self._value(term, at) for term in terms])
            case Power(base, exponent):
                return self.arithmetic.power(self._value(base, at), self._value(exponent, at))
            case Index():
                return at[node]
            case Size(axis):
                return float(self.sizes[axis.name])
            case Constant():
                return self.arithmetic.pi
            case Apply(function, arguments):
                return self._apply(node, function, arguments, at)
            case Where(condition, chosen, otherwise):
                return self._value(chosen if self._holds(condition, at) else otherwise, at)
            case Delta(left, right):
                return 1 if self._integer(left, at) == self._integer(right, at) else 0
            case Reduction():
                return self._reduction(node, at)
            case MatrixFunction():
                return self._matrix_function(node, at)
        raise NotationError(worded("a {kind} has no value of its own", kind=type(node).__name__))

    def _without_underflow(self, product: Multiply, found: Any, at: Positions) -> Any:
        """The product where it divides by exponentials that all underflow, else what was found."""
        for each in shifted_exponentials(product):
            if self._value(each.total, at) == 0:
                return self._value(each.product, at)
        return found

    def _integer(self, node: Expression, at: Positions) -> Any:
        """The value of an integer expression, or a ratio of such, worked out in exact rationals."""
        return integer_value(node, at, self.sizes, self._read)

    def _read(self, node: Expression, at: Mapping[Index, int]) -> Any:
        """What an integer expression reads: an integer, or whether a comparison holds."""
        here = dict(at)
        if isinstance(node, Comparison):
            return self._holds(node, here)
        value = self._value(node, here).real
        if value - value != 0:
            raise VerificationError(worded("the position {node} is not finite", node=text(node)))
        return int(value)

    def _element(self, tensor: str, positions: list[Any]) -> Any:
        if tensor not in self.values:
            raise VerificationError(worded("no value was given for '{tensor}'", tensor=tensor))
        array = self.values[tensor]
        for place, size in zip(positions, array.shape, strict=True):
            if not 0 <= place < size:
                raise VerificationError(
                    worded(
                        "'{tensor}' is read outside its axes, at {positions} of {shape}",
                        tensor=tensor,
                        positions=str(positions),
                        shape=str(array.shape),
                    )
                )
        return array[tuple(positions)]

    def _matrix_function(self, node: MatrixFunction, at: Positions) -> Any:
        """Each matrix is inverted once, for its inverse is read element by element."""
        batch = [self._integer(position, at) for position in node.batch]
        key = MatrixFunction(node.kind, node.tensor, node.axis, tuple(Number(place) for place in batch))
        if key not in self._of_matrices:
            places = range(self.sizes[node.axis.name])
            rows = [
                [self._element(node.tensor, [*batch, row, column]) for column in places] for row in places
            ]
            self._of_matrices[key] = self._of_matrix(node.kind, rows)
        if not node.positions:
            return self._of_matrices[key]
        row, column = (self._integer(position, at) for position in node.positions)
        size = self.sizes[node.axis.name]
        if not (0 <= row < size and 0 <= column < size):
            read = f"{node.kind}({node.tensor})"
            raise VerificationError(
                worded(
                    "'{read}' is read outside its axes, at {positions} of {shape}",
                    read=read,
                    positions=str((row, column)),
                    shape=str((size, size)),
                )
            )
        return self._of_matrices[key][row][column]

    def _of_matrix(self, kind: str, rows: gaussian_elimination.Matrix) -> Any:
        if kind == "inv":
            return gaussian_elimination.inverse(rows)
        if kind == "cofactor":
            return gaussian_elimination.cofactors(rows)
        determinant = gaussian_elimination.determinant(rows)
        if kind == "det":
            return determinant
        return self.arithmetic.apply("log", (determinant if determinant.real > 0 else -determinant,))

    def _apply(self, node: Apply, function: str, arguments: tuple[Expression, ...], at: Positions) -> Any:
        if function in INTEGER_FUNCTIONS:
            return self._integer(node, at)
        if is_rounded_of_indices(node):
            return self._in_float64(node, at)
        formula = definition_of(node) if self.arithmetic is PRECISE else None
        if formula is not None:
            return self._value(formula, at)
        return self.arithmetic.apply(function, tuple(self._value(argument, at) for argument in arguments))

    def _in_float64(self, node: Expression, at: Positions) -> Any:
        """What indices and sizes alone decide and is rounded, whatever is computed with."""
        found = float(float64_of(node, lambda each: self._integer(each, at)))
        return mpmath.mpf(found) if self.arithmetic is PRECISE else found

    def _holds(self, condition: Expression, at: Positions) -> bool:
        match condition:
            case Comparison(operator, left, right):
                value = self._integer if self._is_exact(condition) else self._value
                return compare(operator, value(left, at), value(right, at))
            case Logic("not", (operand,)):
                return not self._holds(operand, at)
            case Logic("and", operands):
                return all(self._holds(operand, at) for operand in operands)
            case Logic(_, operands):
                return any(self._holds(operand, at) for operand in operands)
        raise NotationError(worded("a {kind} is not a condition", kind=type(condition).__name__))

    def _is_exact(self, comparison: Expression) -> bool:
        """Whether integers alone are compared, and ratios of them: 1/10 + 1/5 is 3/10 then."""
        if comparison not in self._exact:
            read = ((name, self.values.get(name)) for name in comparison.tensors)
            integers = [name for name, array in read if array is not None and array.dtype.kind in "iu"]
            self._exact[comparison] = all(is_ratio(side, integers) for side in comparison.children)
        return self._exact[comparison]

    def _reduction(self, node: Reduction, at: Positions) -> Any:
        terms = self._values_over(node.body, node.indices, at)
        if node.kind == "sum":
            return sum(terms)
        if node.kind == "prod":
            return math.prod(terms)
        if not terms:
            empty = next(index for index in node.indices if not self.sizes[index.axis.name])
            what = f"{node.kind} over {empty.name} of {text(node.body)}"
            raise VerificationError(
                worded(
                    "{what}: axis {axis} is empty (over an empty axis it has no value)",
                    what=what,
                    axis=empty.axis.name,
                )
            )
        reals: list[Any] = [term.real for term in terms]
        undefined = next((place for place, real in enumerate(reals) if real != real), None)
        best = min(reals) if node.kind == "min" else max(reals)
        first = reals.index(best) if undefined is None else undefined
        return first if node.kind == "argmax" else terms[first]


def compare(operator: str, left: Any, right: Any) -> bool:
    """A comparison of two numbers, complex ones by their real parts."""
    return compared(operator, left.real, right.real)
