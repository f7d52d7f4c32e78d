"""Expressions in index notation to array operations.

`order` is the order of indices that the result's axes come in; an index that the expression does not depend
on has no axis, so that a bias stays a vector until something broadcasts it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from symbackprop.array.cost import cost_of
from symbackprop.array.ir import AxisSize, Identity, Literal
from symbackprop.array.slices import Conditional
from symbackprop.array.value import Value
from symbackprop.array.views import (
    as_number,
    as_real,
    elementwise,
    filled,
    ordered,
    union_in_order,
)
from symbackprop.array.whole_numbers import WholeNumbers
from symbackprop.errors import ProgramError
from symbackprop.functions.table import FUNCTIONS
from symbackprop.indexing.counting import Counter, is_counted
from symbackprop.indexing.digit_sums import with_summed_digits
from symbackprop.indexing.padding import is_padding
from symbackprop.integers.bounds import conjunction, conjuncts, negated
from symbackprop.integers.recognition import compares_integers, counted_sides, is_rounded_of_indices
from symbackprop.lowering.matrix_operations import matrix_function, solution
from symbackprop.lowering.products import Factor
from symbackprop.lowering.reading import Conditions, ElementReader, Source
from symbackprop.lowering.reductions import extremum_or_product, summed_in_one_pass
from symbackprop.lowering.scaling import number_apart, positive_power, scaled
from symbackprop.lowering.summed_products import contraction, flattened_product
from symbackprop.notation.arithmetic import factors_of
from symbackprop.notation.expressions import (
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
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import rename_bound
from symbackprop.presentation.masked_sums import on_the_smaller_factor
from symbackprop.rules.summation import number_on_the_right
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.solves import linear_system
from symbackprop.schedule.terms import (
    Indices,
    broadcast_terms,
    natural_order,
    number_value,
    signed_terms,
    tidied,
)
from symbackprop.semantics.floats_of_indices import operations_of
from symbackprop.systems.partial import NOTHING_KNOWN, Ranges
from symbackprop.systems.printing import text

_NONE = Conditions()


@dataclass(frozen=True)
class ExpressionLowering:
    """Lowers expressions.

    `kinds` says which names hold other numbers than reals, `own` the indices that each tensor was given with,
    `positive_definite` the tensors whose matrices are so, each with the tensor that a fact names.
    `conditions` are those of the `where`s around the expression, `values` the axes that integers index,
    `ranges` what the equations say of tensors.
    """

    kinds: Mapping[str, Kind]
    own: Mapping[str, Indices]
    positive_definite: Mapping[str, str] = field(default_factory=dict)
    conditions: Conditions = _NONE
    values: Mapping[str, Axis] = field(default_factory=dict)
    ranges: Ranges = NOTHING_KNOWN

    def value(self, expression: Expression, order: Indices) -> Value:
        """The expression as array operations, its axes in the given order, which names every free index.

        Raises ProgramError for what has no lowering.
        """
        match expression:
            case Number(value):
                return Literal(float(value))
            case Constant():
                return Literal(math.pi)
            case Size(axis):
                return AxisSize(axis)
            case Index() | Apply("floor" | "mod", _):
                return self.integer(expression, order)
            case Apply() if is_rounded_of_indices(expression):
                return WholeNumbers(order, self).in_doubles(operations_of(expression))
            case Element():
                return ordered(self.reader_of(expression, order).value(), order)
            case Add(terms):
                return self._sum_of_terms(terms, order)
            case Multiply(factors):
                return self._product(factors, (), order)
            case Power(base, exponent):
                return self._power(base, exponent, order)
            case Apply(function, arguments):
                return self._function(function, arguments, order)
            case MatrixFunction():
                return matrix_function(expression, order, self.positive_definite, self.value, self._part_of)
            case Reduction("sum", _, _):
                return self._summation(expression, order)
            case Reduction():
                return extremum_or_product(expression, order, self)
        return self._conditional(expression, order)

    def _conditional(self, expression: Expression, order: Indices) -> Value:
        match expression:
            case Delta(left, right):
                return self._delta(left, right, order)
            case Where(condition, chosen, otherwise):
                return self._where(condition, chosen, otherwise, order)
            case Comparison(_, Number(), _) if number_on_the_right(expression) is not None:
                return self.value(number_on_the_right(expression) or expression, order)
            case Comparison(operator, left, right):
                integers = counted_sides(left, right, self.integers)
                lower = self.value if integers is None else self.integer
                sides = [lower(side, order) for side in integers or (left, right)]
                return elementwise(operator, sides, order)
            case Logic("not", (operand,)):
                return elementwise("not", (self.value(operand, order),), order)
            case Logic(operator, operands):
                # Each is evaluated everywhere, also where another says that it reads outside.
                deciding = operands if operator == "and" else [negated(operand) for operand in operands]
                inside = self.under(conjunction(deciding))
                return elementwise(operator, [inside.value(operand, order) for operand in operands], order)
        raise ProgramError(f"no array operation for a {type(expression).__name__}: {text(expression)}")

    def reader_of(self, element: Element, order: Indices) -> ElementReader:
        """What reads a tensor at these positions."""
        kind = self.kinds.get(element.tensor, Kind.REAL)
        own = self.own[element.tensor]
        return ElementReader(element, own, kind, order, self.conditions, self)

    def _part_of(self, source: Source, own: Indices, element: Element, order: Indices) -> Value:
        """An element of what has no name, given over its own indices."""
        return ElementReader(element, own, Kind.REAL, order, self.conditions, self, source).value()

    def integer(self, expression: Expression, order: Indices) -> Value:
        """An integer expression as a Python int or an array of integers."""
        return WholeNumbers(order, self).value(expression)

    @cached_property
    def integers(self) -> frozenset[str]:
        """The tensors that hold integers."""
        return frozenset(name for name, kind in self.kinds.items() if kind is Kind.INTEGER)

    def compares_integers(self, condition: Expression) -> bool:
        """Whether a condition compares integers, so that no number is rounded."""
        return compares_integers(condition, self.integers)

    def _sum_of_terms(self, terms: Sequence[Expression], order: Indices) -> Value:
        """The terms added from left to right; a term with a minus sign is subtracted."""
        (_, first), *rest = signed_terms(terms)
        total = self.value(first, order)
        for is_subtracted, term in rest:
            operation = "subtract" if is_subtracted else "add"
            total = elementwise(operation, (total, self.value(term, order)), order)
        return total

    def _power(self, base: Expression, exponent: Expression, order: Indices) -> Value:
        if isinstance(exponent, Number):
            return self._factor(Power(base, exponent), order).resolved()
        return elementwise("power", [self.value(part, order) for part in (base, exponent)], order)

    def _factor(self, factor: Expression, order: Indices) -> Factor:
        """A factor; a negative power of one is a division by the positive power."""
        if not (isinstance(factor, Power) and isinstance(factor.exponent, Number)):
            value = self.value(factor, order)
            return Factor(value if value.kind.is_condition else as_number(value))
        exponent = factor.exponent.value
        base = as_number(self.value(factor.base, order))
        return Factor(positive_power(base, abs(exponent)), inverse=exponent < 0)

    def _function(self, function: str, arguments: Sequence[Expression], order: Indices) -> Value:
        numbers = [float(argument.value) for argument in arguments if isinstance(argument, Number)]
        if len(numbers) == len(arguments):
            return Literal(float(FUNCTIONS[function].evaluate(*numbers).real))
        return elementwise(function, [self.value(argument, order) for argument in arguments], order)

    def _summation(self, reduction: Reduction, order: Indices) -> Value:
        """A sum: an index that the body lacks counts its size, the others go to the body's contraction."""
        afresh = rename_bound(reduction, order)
        system = linear_system(afresh)
        if system is not None:
            return solution(system, order, self.value)
        afresh = with_summed_digits(afresh, order, self.own) or afresh
        masks = [name for name in afresh.tensors if self.kinds.get(name, Kind.REAL).is_condition]
        afresh = on_the_smaller_factor(afresh, self.ranges, masks) or afresh
        indices, body = afresh.indices, afresh.body
        in_one_pass = summed_in_one_pass(afresh, order, self)
        if in_one_pass is not None:
            return in_one_pass
        used = tuple(index for index in indices if index in body.free_indices)
        unused = [Size(index.axis) for index in indices if index not in body.free_indices]
        if unused:
            inner = Reduction("sum", used, body) if used else body
            return self._product((*factors_of(inner), *unused), (), order)
        whole = self._product(factors_of(body), used, order)
        terms = broadcast_terms(body, used, self.ranges)
        if not terms:
            return whole
        apart = self.value(Add(tuple(tidied(Reduction("sum", used, term)) for term in terms)), order)
        return apart if cost_of(apart) < cost_of(whole) else whole

    def _product(self, factors: Sequence[Expression], over: Indices, order: Indices) -> Value:
        """number * scalars * (arrays, contracted over `over`) / scalars."""
        flat, over = flattened_product(factors, over, order)
        number = Fraction(1)
        scalars: list[Factor] = []
        arrays: list[Factor] = []
        for factor in flat:
            if (value := number_value(factor)) is not None:
                number *= value
                continue
            own = natural_order(factor, (*order, *over), flat if over else ())
            in_front, lowered = number_apart(self._factor(factor, own))
            number *= in_front
            (arrays if lowered.value.layout else scalars).append(lowered)
        return scaled(number, scalars, contraction(arrays, over, order) if arrays else None)

    def _delta(self, left: Expression, right: Expression, order: Indices) -> Value:
        plain = all(isinstance(side, Index) and not isinstance(side, Counter) for side in (left, right))
        if not (isinstance(left, Index) and isinstance(right, Index) and plain and left.axis == right.axis):
            return self.value(Comparison("==", left, right), order)
        return ordered(Identity(left, right), order) if left != right else Literal(1.0)

    def _where(
        self, condition: Expression, chosen: Expression, otherwise: Expression, order: Indices
    ) -> Value:
        """`np.where`; a `where` between 1 and 0 is the condition itself, a mask.

        A `where` by counters of loops is Python's. An element that is 0 outside its axes is padded where a
        view reads it; index arrays are brought inside, and need the mask.
        """
        if is_counted(condition):
            return self._counted_where(condition, chosen, otherwise, order)
        inside = [self.under(part) for part in (condition, negated(condition))]
        if otherwise == ZERO and isinstance(chosen, Element):
            own, certain = self.own[chosen.tensor], self.conditions.certain
            reader = inside[0].reader_of(chosen, order)
            if is_padding(condition, chosen, own, certain) and reader.is_view:
                return ordered(reader.value(), order)
        holds = self.value(condition, order)
        if (chosen, otherwise) == (Number(1), Number(0)):
            return holds
        branches = [inside[0].value(chosen, order), inside[1].value(otherwise, order)]
        return elementwise("where", (holds, *branches), order)

    def for_branches(self) -> ExpressionLowering:
        """The lowering of what only `where`s read, whose conditions are not known."""
        return replace(self, conditions=replace(self.conditions, unknown=True))

    def under(self, condition: Expression) -> ExpressionLowering:
        """The lowering of what is chosen by a condition."""
        chosen = (*self.conditions.chosen, *conjuncts(condition))
        return replace(self, conditions=replace(self.conditions, chosen=chosen))

    def knowing(self, certain: Sequence[Expression]) -> ExpressionLowering:
        """The lowering where these conditions hold."""
        known = (*self.conditions.certain, *certain)
        return replace(self, conditions=replace(self.conditions, certain=known))

    def _counted_where(
        self, condition: Expression, chosen: Expression, otherwise: Expression, order: Indices
    ) -> Value:
        """Python's `where`, which runs only the branch that it chooses."""
        branches = []
        for part, branch in ((condition, chosen), (negated(condition), otherwise)):
            branches.append(as_number(self.knowing(conjuncts(part)).value(branch, order)))
        target = union_in_order(branches, order)
        one, other = (filled(branch, target) if target else as_real(branch) for branch in branches)
        return Conditional(self.value(condition, order), one, other)
