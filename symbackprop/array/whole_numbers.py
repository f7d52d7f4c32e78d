"""Integer expressions as values: Python ints, or over free indices arrays of integers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from symbackprop.array.ir import (
    AsDoubles,
    AsIntegers,
    AxisSize,
    Elementwise,
    Fill,
    Literal,
    Positions,
    Read,
    Reduce,
)
from symbackprop.array.layout import layout_of
from symbackprop.array.slices import Conditional, Count, OfPythonInts
from symbackprop.array.value import Value
from symbackprop.array.views import lined_up, ordered, union_in_order
from symbackprop.errors import ProgramError
from symbackprop.indexing.counting import Counter, Extent, Offset, is_counted, size_of
from symbackprop.integers.bounds import conjuncts, negated
from symbackprop.integers.linear import divided, linear_form
from symbackprop.integers.recognition import bounds_rounded, is_rounded_of_indices, rounds_reals
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Apply,
    Axis,
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
from symbackprop.notation.substitution import rename_bound
from symbackprop.schedule.kinds import Kind
from symbackprop.semantics.floats_of_indices import Float64, Operation, operations_of
from symbackprop.systems.printing import text


class Lowering(Protocol):
    """Lowers what integer expressions read: elements, places of maxima, conditions."""

    @property
    def values(self) -> Mapping[str, Axis]:
        """The axis that the values of each integer tensor index."""

    def value(self, expression: Expression, order: tuple[Index, ...]) -> Value:
        """The expression as array operations."""

    def under(self, condition: Expression) -> Lowering:
        """The lowering of what is chosen by a condition."""

    def knowing(self, certain: Sequence[Expression]) -> Lowering:
        """The lowering where these conditions hold."""


@dataclass(frozen=True)
class WholeNumbers:
    """Lowers integer expressions: to Python ints, or over free indices to arrays of integers.

    `order` is the order in which the axes of an array come; without a `lowering` nothing can be read.
    """

    order: tuple[Index, ...] = ()
    lowering: Lowering | None = None

    def value(self, expression: Expression) -> Value:
        """The expression as an integer; ProgramError for what is no whole number."""
        match expression:
            case Number(value) if value.denominator == 1:
                return Literal(int(value))
            case Size(Extent() as axis):
                return self.value(axis.length)
            case Size(axis):
                return AxisSize(axis)
            case Offset(name, _):
                return Read(name, (), Kind.PYTHON)
            case Counter(name, axis):
                return Count(name, axis)
            case Index():
                return Positions(expression)
            case Element() | Reduction("argmax") if self.lowering is not None:
                return _as_integers(self.lowering.value(expression, self.order))
            case Apply() if is_rounded_of_indices(expression):
                found = self.in_doubles(operations_of(expression))
                return AsIntegers(found) if found.layout else OfPythonInts("int", (found,))
            case Apply() if self.lowering is not None and rounds_reals(expression):
                return _as_integers(self.lowering.value(expression, self.order))
            case Apply("max" | "min") if self.lowering is not None and bounds_rounded(expression):
                # Bounded first: 64 bits do not hold every whole number that a real one may be.
                return _as_integers(self.lowering.value(expression, self.order))
            case Reduction():
                return self._reduced(expression)
            case Add() | Multiply():
                return self._ordered(linear_form(expression).expression())
            case Power(base, exponent):
                return self._operation("power", self._without_overflow(base, exponent), self.value(exponent))
            case Delta(left, right):
                return self._chosen(Comparison("==", left, right), ONE, ZERO)
            case Where(condition, chosen, otherwise):
                return self._chosen(condition, chosen, otherwise)
            case Apply("max" | "min" | "abs" as function, arguments):
                return self._function(function, tuple(map(self.value, arguments)))
            case Apply("floor", (Power(base, Number(exponent)),)) if exponent == Fraction(1, 2):
                return OfPythonInts("isqrt", (self.value(base),))
            case Apply("floor", (argument,)):
                return self._operation("floor_divide", *map(self.value, divided(argument)))
            case Apply("mod", (number, divisor)):
                return self._operation("mod", self.value(number), self.value(divisor))
        raise ProgramError(f"'{text(expression)}' is no whole number that the program can compute")

    def in_doubles(self, number: Float64) -> Value:
        """A number that indices and sizes alone decide, in float64 whatever the model's dtype."""
        match number:
            case Operation(name, arguments):
                found = [self.in_doubles(each) for each in arguments]
                doubles = [AsDoubles(each) if each.kind is Kind.INTEGER else each for each in found]
                return self._operation(name, *doubles)
            case Constant():
                return Literal(math.pi)
        return self.value(number)

    def _without_overflow(self, base: Expression, exponent: Expression) -> Value:
        """The base of a power; of an array as integers of any length where 64 bits may not hold the power."""
        value = self.value(base)
        number = exponent.value if isinstance(exponent, Number) else None
        largest = base.axis.size if isinstance(base, Index) else None
        is_small = number is not None and (
            number <= 2 or (largest is not None and largest.bit_length() * number < 64)
        )
        return value if is_small or value.kind is not Kind.INTEGER else AsIntegers(value, any_length=True)

    def condition(self, condition: Expression) -> Value:
        """A condition, over the free indices an array."""
        if self.lowering is not None:
            return self.lowering.value(condition, self.order)
        match condition:
            case Comparison(operator, left, right):
                return self._operation(operator, self.value(left), self.value(right))
            case Logic(operator, operands):
                return self._operation(operator, *map(self.condition, operands))
        raise ProgramError(f"'{text(condition)}' is no condition on whole numbers")

    def _function(self, function: str, values: tuple[Value, ...]) -> Value:
        if all(value.kind is Kind.PYTHON for value in values):
            return OfPythonInts(function, values)
        return self._operation(function, *values)

    def _chosen(self, condition: Expression, chosen: Expression, otherwise: Expression) -> Value:
        """`np.where`; by counters of loops Python's `where`, where it gives one number."""
        holds = self.condition(condition)
        if is_counted(condition):
            branches = (
                self._knowing(condition).value(chosen),
                self._knowing(negated(condition)).value(otherwise),
            )
            target = union_in_order(branches, self.order)
            return Conditional(holds, *(_filled(branch, target) for branch in branches))
        one = self._under(condition).value(chosen)
        other = self._under(negated(condition)).value(otherwise)
        return self._operation("where", holds, one, other)

    def _under(self, condition: Expression) -> WholeNumbers:
        return self if self.lowering is None else replace(self, lowering=self.lowering.under(condition))

    def _knowing(self, condition: Expression) -> WholeNumbers:
        """What lowers a branch that runs only where the condition holds."""
        if self.lowering is None:
            return self
        return replace(self, lowering=self.lowering.knowing(conjuncts(condition)))

    def _reduced(self, reduction: Reduction) -> Value:
        """A sum, product or extremum of integers; an index that the body lacks counts its size."""
        afresh = rename_bound(reduction, self.order)
        value = replace(self, order=(*self.order, *afresh.indices)).value(afresh.body)
        counted = {"sum": "multiply", "prod": "power"}.get(afresh.kind)
        for index in afresh.indices:
            if index not in value.indices and counted is not None:
                value = Elementwise(counted, (value, self.value(size_of(index.axis))))
        places = tuple(value.indices.index(index) for index in afresh.indices if index in value.indices)
        return ordered(Reduce(value, afresh.kind, places) if places else value, self.order)

    def _ordered(self, expression: Expression) -> Value:
        """A sum or a product that stands as a linear form: 2 * A - 1."""
        match expression:
            case Add(terms):
                # A positive number in front saves a sign: 8 - i, not -i + 8.
                first, *rest = sorted(terms, key=lambda term: _sign_and_rest(term)[0])
                total = self.value(first)
                for is_subtracted, term in (_sign_and_rest(term) for term in rest):
                    operation = "subtract" if is_subtracted else "add"
                    total = self._operation(operation, total, self.value(term))
                return total
            case Multiply((first, *rest)) if first == MINUS_ONE:
                return self._operation("negative", self._ordered(multiply(*rest)))
            case Multiply((first, *rest)):
                product = self.value(first)
                for factor in rest:
                    product = self._operation("multiply", product, self.value(factor))
                return product
        return self.value(expression)

    def _operation(self, operation: str, *arguments: Value) -> Value:
        target = union_in_order(arguments, self.order)
        found = Elementwise(operation, tuple(lined_up(argument, target) for argument in arguments))
        return as_places(found) if operation == "mod" else found


def _filled(value: Value, target: tuple[Index, ...]) -> Value:
    """The integer over all of these indices, in their order."""
    found = ordered(value, target)
    if found.indices == target:
        return found
    return Fill(lined_up(found, target), layout_of(target), of_places=True)


def as_places(value: Value) -> Value:
    """Integers as places, which those of any length are not."""
    return AsIntegers(value) if _is_of_any_length(value) else value


def _is_of_any_length(value: Value) -> bool:
    if isinstance(value, AsIntegers):
        return value.any_length
    return value.kind is Kind.INTEGER and any(map(_is_of_any_length, value.operands))


def _as_integers(value: Value) -> Value:
    """The value; what was rounded to a whole number is still real."""
    return AsIntegers(value) if value.kind in (Kind.REAL, Kind.DOUBLE) else value


def whole_number(expression: Expression) -> Value:
    """An expression of counters, sizes and whole numbers as a Python int; ProgramError for anything else."""
    return WholeNumbers().value(expression)


def count_of(axis: Extent) -> Value:
    """The places of an extent: none where its length would be less than 0, as T - 1 for an empty T."""
    length = whole_number(axis.length)
    form = linear_form(axis.length)
    may_lack = form.constant < 0 or any(factor < 0 for factor in form.coefficients.values())
    return OfPythonInts("max", (length, Literal(0))) if may_lack else length


def _sign_and_rest(term: Expression) -> tuple[bool, Expression]:
    form = linear_form(term)
    value = next(iter(form.coefficients.values()), form.constant)
    return (True, form.scaled(-1).expression()) if value < 0 else (False, term)
