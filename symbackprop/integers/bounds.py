"""What is known of integers: whether a position lies inside its axis, under the conditions around it.

Conditions on indices are linear inequalities between integers, an index i over an axis gives 0 <= i < size,
and a claim is proved by showing that its opposite contradicts them (Fourier-Motzkin elimination, 1826).
What cannot be proved may still be true: the answer is "proved" or "not proved".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import floor, lcm

from symbackprop.integers.extrema import one_of, range_of_place
from symbackprop.integers.linear import LinearForm, constant_form, linear_form
from symbackprop.integers.recognition import counted_factors, is_integer, is_positive
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ZERO,
    Apply,
    Axis,
    Comparison,
    ComparisonOperator,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Power,
    Reduction,
    Size,
)

MOST_INEQUALITIES = 200
MOST_CASES = 16

OPPOSITE: Mapping[str, ComparisonOperator] = {
    "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==",
}  # fmt: skip

# A case is a list of forms that are all >= 0.
Case = tuple[LinearForm, ...]


def conjuncts(condition: Expression) -> tuple[Expression, ...]:
    """The conditions that `and` joins."""
    if isinstance(condition, Logic) and condition.operator == "and":
        return tuple(part for operand in condition.operands for part in conjuncts(operand))
    return (condition,)


def conjunction(conditions: Sequence[Expression]) -> Expression:
    """All of one or more conditions, each once."""
    each = tuple(dict.fromkeys(part for condition in conditions for part in conjuncts(condition)))
    return each[0] if len(each) == 1 else Logic("and", each)


def negated(condition: Expression) -> Expression:
    """The condition that holds where this one does not (De Morgan)."""
    match condition:
        case Comparison(operator, left, right):
            return Comparison(OPPOSITE[operator], left, right)
        case Logic("not", (operand,)):
            return operand
        case Logic("and", operands):
            return Logic("or", tuple([negated(operand) for operand in operands]))
        case Logic("or", operands):
            return Logic("and", tuple([negated(operand) for operand in operands]))
    return Logic("not", (condition,))


def lower_bound(position: Expression) -> Expression:
    """position >= 0."""
    return Comparison(">=", position, ZERO)


def upper_bound(position: Expression, axis: Axis) -> Expression:
    """position < size."""
    return Comparison("<", position, Size(axis))


def unproved_bounds(
    position: Expression, axis: Axis, known: Sequence[Expression] = ()
) -> tuple[Expression, ...]:
    """Those of the two conditions for a position inside its axis that do not follow from what is known."""
    if isinstance(position, Element) or (isinstance(position, Index) and position.axis == axis):
        return ()  # the language sees to it that the values of an integer tensor index this axis
    bounds = lower_bound(position), upper_bound(position, axis)
    proved = _proved_bounds(position, axis, tuple(known))
    return tuple(bound for bound, is_proved in zip(bounds, proved, strict=True) if not is_proved)


@lru_cache(maxsize=10_000)
def _proved_bounds(position: Expression, axis: Axis, known: tuple[Expression, ...]) -> tuple[bool, bool]:
    """Whether the lower and the upper bound follow; asked again wherever an element is read."""
    facts = Knowledge.of((position,), known)
    return facts.proves(lower_bound(position)), facts.proves(upper_bound(position, axis))


def lies_inside(position: Expression, index: Index) -> bool:
    """Whether a position is sure to lie inside the index' axis, which is not empty, for it has the index."""
    return not unproved_bounds(position, index.axis, (lower_bound(index), upper_bound(index, index.axis)))


@dataclass(frozen=True)
class Knowledge:
    """Inequalities that hold, as alternatives of which at least one holds whole."""

    cases: tuple[Case, ...]

    @classmethod
    def of(cls, expressions: Iterable[Expression], conditions: Sequence[Expression]) -> Knowledge:
        """What the conditions say, and the ranges of all that stands in them and in the expressions."""
        everything = (*expressions, *conditions)
        ranges = tuple(dict.fromkeys(node for each in everything for node in each.walk()))
        base = tuple(form for node in ranges for form in _range(node))
        cases: list[Case] = [base]
        for alternatives in (*map(_alternatives, conditions), *map(one_of, ranges)):
            if len(cases) * len(alternatives) <= MOST_CASES:
                cases = [(*case, *more) for case, more in product(cases, alternatives)]
        return cls(tuple(cases))

    def proves(self, condition: Expression) -> bool:
        """Whether the condition follows."""
        ranges = tuple(form for node in dict.fromkeys(condition.walk()) for form in _range(node))
        opposites = _alternatives(negated(condition))
        return all(_contradict((*case, *ranges, *opposite)) for case in self.cases for opposite in opposites)

    @property
    def is_contradictory(self) -> bool:
        """Whether the conditions never hold."""
        return all(_contradict(case) for case in self.cases)


def _range(node: Expression) -> Iterator[LinearForm]:
    """Inequalities that hold of a node by what it is."""
    own = linear_form(node)
    match node:
        case Index(_, axis):
            yield own
            yield linear_form(Size(axis)).plus(own, -1).plus(constant_form(-1))
        case Size():
            yield own
        case Multiply() | Power():
            for unknown in own.coefficients:
                yield from _product_range(counted_factors(unknown))
        case Reduction("argmax"):
            yield from range_of_place(node)
        case Apply("floor", (argument,)):
            yield from _floor_range(own, linear_form(argument))
        case Apply("mod", (number, divisor)) if is_positive(divisor):
            yield own
            # A multiple of 1/n is at least 1/n below the divisor: mod(i/2, 2) may be 3/2.
            step = _step_of(linear_form(number).plus(linear_form(divisor)), of_elements=True)
            gap = constant_form(Fraction(-1, step) if step else 0)
            yield linear_form(divisor).plus(own, -1).plus(gap)
        case Apply("abs", (argument,)):
            yield own.plus(linear_form(argument), -1)
            yield own.plus(linear_form(argument))
        case Apply("max" | "min" as function, arguments):
            sign = 1 if function == "max" else -1
            for argument in arguments:
                yield own.plus(linear_form(argument), -1).scaled(sign)


def _product_range(factors: tuple[Expression, ...]) -> Iterator[LinearForm]:
    """g*H >= 0, and (size(g) - 1 - g)*H >= 0."""
    if factors:
        yield linear_form(multiply(*factors))
    for place, factor in enumerate(factors):
        if isinstance(factor, Index):
            left = add(Size(factor.axis), MINUS_ONE, multiply(MINUS_ONE, factor))
            yield linear_form(Multiply((left, *factors[:place], *factors[place + 1 :])))


def _floor_range(own: LinearForm, argument: LinearForm) -> Iterator[LinearForm]:
    """n*f <= n*x and n*x - (n - 1) <= n*f, where n makes the coefficients of x whole."""
    scale = _common_denominator(argument)
    yield argument.plus(own, -1).scaled(scale)
    yield own.plus(argument, -1).scaled(scale).plus(constant_form(scale - 1))
    # What the rationals do not see: a floor between -1/2 and 5/2 lies between 0 and 2.
    lowest, highest = _least(argument), _least(argument.scaled(-1))
    if lowest is not None:
        yield own.plus(constant_form(-floor(lowest)))
    if highest is not None:
        yield constant_form(floor(-highest)).plus(own, -1)


def _least(form: LinearForm) -> Fraction | None:
    """The least value by the ranges of the form's indices and sizes alone; None where that has no bound."""
    least = form.constant
    for unknown, coefficient in form.coefficients.items():
        if coefficient < 0:
            if not isinstance(unknown, Index) or unknown.axis.size is None:
                return None
            least += coefficient * (unknown.axis.size - 1)
        elif not isinstance(unknown, Index | Size):
            return None
    return least


def _common_denominator(form: LinearForm) -> int:
    return lcm(*(value.denominator for value in (*form.coefficients.values(), form.constant)))


def _alternatives(condition: Expression) -> tuple[Case, ...]:
    """The condition as alternatives of inequalities; no inequality at all where it says nothing linear."""
    match condition:
        case Comparison(operator, left, right):
            difference = linear_form(add(right, multiply(MINUS_ONE, left)))
            return _comparison(operator, difference)
        case Logic("and", operands):
            parts = [_alternatives(operand) for operand in operands]
            return tuple(tuple(form for case in chosen for form in case) for chosen in product(*parts))
        case Logic("or", operands):
            return tuple(case for operand in operands for case in _alternatives(operand))
        case Logic("not", (operand,)) if isinstance(operand, Comparison | Logic):
            return _alternatives(negated(operand))
    return ((),)


def _comparison(operator: str, difference: LinearForm) -> tuple[Case, ...]:
    """left < right is right - left - 1 >= 0 for integers, and right - left >= 0 for other numbers.

    Multiples of 1/n differ by 1/n at least: i < size(i)/2 is size(i)/2 - i - 1/2 >= 0.
    """
    step = _step_of(difference)
    gap = constant_form(Fraction(-1, step) if step else 0)
    less = difference.plus(gap)
    greater = difference.scaled(-1).plus(gap)
    match operator:
        case "<":
            return ((less,),)
        case "<=":
            return ((difference,),)
        case ">":
            return ((greater,),)
        case ">=":
            return ((difference.scaled(-1),),)
        case "==":
            return ((difference, difference.scaled(-1)),)
    return ((less,), (greater,)) if gap.constant else ((),)


def _step_of(form: LinearForm, of_elements: bool = False) -> int | None:
    """n where the form is sure to be a multiple of 1/n; None where it may be any number, as an element may.

    With `of_elements`, those count as integers too, as in a position.
    """
    elements = frozenset[str]().union(*(unknown.tensors for unknown in form.coefficients))
    if not all(is_integer(unknown, elements if of_elements else ()) for unknown in form.coefficients):
        return None
    return _common_denominator(form)


def _contradict(forms: Case) -> bool:
    """Whether no rational numbers make all forms >= 0: eliminate one unknown after another."""
    system = _cleaned(forms)
    while system is not None:
        unknowns = {unknown: None for form in system for unknown in form.coefficients}
        if not unknowns or len(system) > MOST_INEQUALITIES:
            return False
        costs = {unknown: _pairs(system, unknown) for unknown in unknowns}
        system = _cleaned(_eliminated(system, min(costs, key=costs.__getitem__)))
    return True


def _pairs(system: Sequence[LinearForm], unknown: Expression) -> int:
    above = sum(form.coefficient(unknown) > 0 for form in system)
    below = sum(form.coefficient(unknown) < 0 for form in system)
    return above * below - above - below


def _eliminated(system: Sequence[LinearForm], unknown: Expression) -> Case:
    rest = [form for form in system if not form.coefficient(unknown)]
    above = [form for form in system if form.coefficient(unknown) > 0]
    below = [form for form in system if form.coefficient(unknown) < 0]
    for one, other in product(above, below):
        rest.append(one.scaled(-other.coefficient(unknown)).plus(other, one.coefficient(unknown)))
    return tuple(rest)


def _cleaned(forms: Iterable[LinearForm]) -> list[LinearForm] | None:
    """The forms that say something, the strictest of those alike; None where one is plainly false."""
    strictest: dict[frozenset[tuple[Expression, Fraction]], LinearForm] = {}
    for form in forms:
        if not form.coefficients:
            if form.constant < 0:
                return None
            continue
        scale = 1 / abs(next(iter(form.coefficients.values())))
        form = form.scaled(scale)
        key = frozenset(form.coefficients.items())
        if key not in strictest or form.constant < strictest[key].constant:
            strictest[key] = form
    return list(strictest.values())
