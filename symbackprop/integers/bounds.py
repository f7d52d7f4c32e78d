"""What is known of integers: whether a position lies inside its axis, under the conditions around it.

Conditions on indices are linear inequalities between integers, an index i over an axis gives 0 <= i < size,
and a claim is proved by showing that its opposite contradicts them (Fourier-Motzkin elimination, 1826).
What cannot be proved may still be true: the answer is "proved" or "not proved".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import product

from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.extrema import one_of, opened_extrema
from symbackprop.integers.fourier_motzkin import Case, contradict
from symbackprop.integers.linear import LinearForm, constant_form, linear_form
from symbackprop.integers.ranges import divisors_in, multiplied_by, multiplied_by_divisors, ranges_of, step_of
from symbackprop.integers.recognition import compares_integers, is_integer, rounds_reals
from symbackprop.integers.roundings import with_roundings
from symbackprop.notation.arithmetic import add, multiply, subtract
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ZERO,
    Axis,
    Comparison,
    ComparisonOperator,
    Element,
    Expression,
    Index,
    Logic,
    Size,
    Where,
)

MOST_CASES = 16

OPPOSITE: Mapping[str, ComparisonOperator] = {
    "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==",
}  # fmt: skip


def conjuncts(condition: Expression) -> tuple[Expression, ...]:
    """The conditions that `and` joins."""
    if isinstance(condition, Logic) and condition.operator == "and":
        return tuple(part for operand in condition.operands for part in conjuncts(operand))
    return (condition,)


def conjunction(conditions: Sequence[Expression]) -> Expression:
    """All of one or more conditions, each once, those of places before those that read values there."""
    parts = dict.fromkeys(part for condition in conditions for part in conjuncts(condition))
    each = tuple(sorted(parts, key=lambda part: bool(part.tensors)))
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
    if is_inside_as_declared(position, axis):
        return ()
    bounds = lower_bound(position), upper_bound(position, axis)
    proved = _proved_bounds(position, axis, tuple([each for each in known if _may_bound(each, position)]))
    return tuple(bound for bound, is_proved in zip(bounds, proved, strict=True) if not is_proved)


def _may_bound(condition: Expression, position: Expression) -> bool:
    """Whether a condition may say anything of a position: what compares other real numbers does not."""
    return not condition.tensors.isdisjoint(position.tensors) or _is_of_integers(condition)


@lru_cache(maxsize=10_000)
def _is_of_integers(condition: Expression) -> bool:
    return not condition.tensors or any(
        compares_integers(each, each.tensors) for each in conjuncts(condition)
    )


def is_inside_as_declared(position: Expression, axis: Axis) -> bool:
    """Whether a position lies inside an axis by what is declared: an index of it, or a value looked up.

    `input ids[n] in V` makes every value of ids a place of V. The language lets ids[n] index V alone, a
    generated module refuses data with other values, and an evaluator a read outside. So a lookup, like an
    index, needs no guard, and what is computed of one, ids[n] + 1, is no lookup. A value that is a place of
    another axis, a label of K + 1 where there are K thresholds, is inside where that axis is no longer.
    """
    match position:
        case Index(_, own) | Element(_, _, Axis() as own):
            return own == axis
    return isinstance(position, Element)


@lru_cache(maxsize=10_000)
def _proved_bounds(position: Expression, axis: Axis, known: tuple[Expression, ...]) -> tuple[bool, bool]:
    """Whether the lower and the upper bound follow; asked again wherever an element is read."""
    facts = Knowledge.of((position,), known)
    return facts.proves(lower_bound(position)), facts.proves(upper_bound(position, axis))


def lies_inside(position: Expression, index: Index) -> bool:
    """Whether a position is sure to lie inside the index' axis, which is not empty, for it has the index."""
    return not unproved_bounds(position, index.axis, (lower_bound(index), upper_bound(index, index.axis)))


def is_longer(axis: Axis, other: Axis) -> bool | None:
    """Whether the first axis has more places than the second, or no more; None where no relation tells."""
    if axis.formula is None and other.formula is None:
        return None
    knowledge = Knowledge.of((Size(axis), Size(other)), ())
    if knowledge.proves(Comparison("<=", Size(axis), Size(other))):
        return False
    return True if knowledge.proves(Comparison(">=", Size(axis), Size(other))) else None


def by_length(axes: Sequence[Axis]) -> tuple[Axis, ...] | None:
    """The axes from the shortest to the longest; None where the sizes of two cannot be compared."""
    ordered: list[Axis] = []
    for axis in axes:
        longer = [_is_no_shorter(other, axis) for other in ordered]
        shorter = [_is_no_shorter(axis, other) for other in ordered]
        if not all(up or down for up, down in zip(longer, shorter, strict=True)):
            return None
        ordered.insert(shorter.index(False) if False in shorter else len(ordered), axis)
    return tuple(ordered)


def _is_no_shorter(axis: Axis, other: Axis) -> bool:
    return axis == other or _at_least(Size(axis), Size(other))


@lru_cache(maxsize=1_000)
def _at_least(size: Size, other: Size) -> bool:
    return Knowledge.of((size, other), ()).proves(Comparison(">=", size, other))


@dataclass(frozen=True)
class Knowledge:
    """Inequalities that hold, as alternatives of which at least one holds whole."""

    cases: tuple[Case, ...]
    _verdicts: dict[Expression, bool] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def of(cls, expressions: Iterable[Expression], conditions: Sequence[Expression]) -> Knowledge:
        """What the conditions say, and the ranges of all that stands in them and in the expressions."""
        return _knowledge(tuple(map(opened_extrema, expressions)), tuple(map(opened_extrema, conditions)))

    def proves(self, condition: Expression) -> bool:
        """Whether the condition follows."""
        if condition not in self._verdicts:
            self._verdicts[condition] = self._implies(opened_extrema(condition))
        return self._verdicts[condition]

    def _implies(self, condition: Expression) -> bool:
        ranges = ranges_of((condition,))
        opposites = [
            multiplied_by_divisors(opposite, (condition,)) for opposite in _alternatives(negated(condition))
        ]
        return all(contradict((*case, *ranges, *opposite)) for case in self.cases for opposite in opposites)

    @cached_property
    def is_contradictory(self) -> bool:
        """Whether the conditions never hold."""
        return all(contradict(case) for case in self.cases)


@lru_cache(maxsize=10_000)
def _knowledge(expressions: tuple[Expression, ...], conditions: tuple[Expression, ...]) -> Knowledge:
    """The rules ask the same of the same guards wherever they stand."""
    everything = (*expressions, *conditions)
    nodes = dict.fromkeys(node for each in everything for node in each.walk())
    rounded = [node for node in nodes if rounds_reals(node)]
    if rounded:
        conditions = tuple([with_roundings(each, rounded) for each in conditions])
    cases: list[Case] = [ranges_of(everything)]
    chosen = [_chosen(node) for node in nodes if isinstance(node, Where)]
    for alternatives in (*map(_alternatives, conditions), *map(one_of, nodes), *chosen):
        if len(cases) * len(alternatives) <= MOST_CASES:
            cases = [(*case, *more) for case, more in product(cases, alternatives)]
    divisors = divisors_in(everything)  # of many cases the same
    return Knowledge(tuple([multiplied_by(case, divisors) for case in cases]))


def _chosen(node: Where) -> tuple[Case, ...]:
    """where(c, a, b) is a, and c holds, or b, and c does not; nothing of numbers that may not be whole."""
    if not is_integer(node, node.tensors):
        return ((),)
    branches = ((node.condition, node.chosen), (negated(node.condition), node.otherwise))
    return tuple(
        (*_comparison("==", related_form(subtract(node, branch)), None)[0], *case)
        for condition, branch in branches
        for case in _alternatives(condition)
    )


def _alternatives(condition: Expression) -> tuple[Case, ...]:
    """The condition as alternatives of inequalities; no inequality at all where it says nothing linear."""
    match condition:
        case Comparison(operator, left, right):
            difference = add(right, multiply(MINUS_ONE, left))
            return _comparison(operator, related_form(difference), step_of(linear_form(difference)))
        case Logic("and", operands):
            parts = [_alternatives(operand) for operand in operands]
            return tuple(tuple(form for case in chosen for form in case) for chosen in product(*parts))
        case Logic("or", operands):
            return tuple(case for operand in operands for case in _alternatives(operand))
        case Logic("not", (operand,)) if isinstance(operand, Comparison | Logic):
            return _alternatives(negated(operand))
    return ((),)


def _comparison(operator: str, difference: LinearForm, step: int | None) -> tuple[Case, ...]:
    """left < right is right - left - 1 >= 0 for integers, and right - left >= 0 for other numbers.

    Multiples of 1/n, n the `step`, differ by 1/n at least: i < size(i)/2 is size(i)/2 - i - 1/2 >= 0.
    """
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
