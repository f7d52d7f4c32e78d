"""Whether an equal form keeps the digits of the form before: their rounding compared on stress data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeAlias

from symbackprop.algebra.multiplied_differences import places_of_own_mean
from symbackprop.algebra.opened import rational_functions, written_out
from symbackprop.functions.table import definition_of
from symbackprop.notation.arithmetic import (
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    is_sum,
    multiply,
    negate,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import substitute
from symbackprop.presentation.means.weighted import is_sum_or_multiple, parts_a_weighted_mean
from symbackprop.rewriting.justification import Equality
from symbackprop.rewriting.rule import Path, node_at
from symbackprop.semantics.rounding import SIZE, RoundingErrors
from symbackprop.semantics.stress_data import StressData

MOST_ERROR = 4  # times the bound of the form before
Formula: TypeAlias = tuple[tuple[Index, ...], Expression]
UNDERFLOW = 1e-280
UNIT = 2.0**-52

SMOOTH = ("sum", "prod")  # a maximum is chosen, and of two that are close the wrong one
SIZE_WITHIN = 5  # of every axis, where forms with cases are compared in its middle


def keeps_digits(form: Expression, expression: Expression, equalities: Iterable[Equality] = ()) -> bool:
    """Whether the form, equal by `equalities`, element = formula, rounds no worse than the expression."""
    return Digits(tuple(equalities)).are_kept_by(form, expression)


@dataclass(frozen=True)
class Digits:
    """The digits of forms that are equal by `equalities`, element = formula.

    What has been evaluated of one form is there for the next, which has most of its parts.
    """

    equalities: tuple[Equality, ...] = ()
    _evaluated: dict[object, RoundingErrors] = field(default_factory=dict, init=False, compare=False)

    def are_kept_by(self, form: Expression, expression: Expression) -> bool:
        """Whether the form's rounding is at most MOST_ERROR times the expression's, on all the stress data.

        A form that is not finite where the expression is has lost all. Where the model has a function that
        is a quotient in e^u, its values count as data, for a textbook writes y*(1 - y) where y = sigmoid(u);
        1 - sigmoid(u) is no form of a/(a + e^u).
        """
        if not _may_lose_digits(form, expression):
            return True
        if parts_a_weighted_mean(form, expression, self._sums):
            return False
        behind, quotients = functions_behind(expression), frozenset(rational_functions())
        if _brings_in(quotients - behind, form):
            return False
        for errors, at in self._placed(form, expression, (self._functions | behind) & quotients):
            before, after = errors.of(expression, at), errors.of(form, at)
            if any(map(_is_worse, *after, *before)):
                return False
        return True

    def are_more_in(self, form: Expression, other: Expression) -> bool:
        """Whether the other form loses digits that this one keeps, and this one none of the other's."""
        if form == other or self.are_kept_by(other, form):
            return False
        return self.are_kept_by(form, other)

    def _placed(
        self, form: Expression, expression: Expression, exact: frozenset[str]
    ) -> Iterator[tuple[RoundingErrors, dict[Index, int]]]:
        """What evaluates both, each time with where the free indices stand."""
        indices = form.free_indices | expression.free_indices
        formulas = (formula for _, formula in self._formulas.values())
        data = StressData.of((form, expression, *formulas), self._formulas)
        near = self._errors(data, exact, _size_with_places(form, expression))
        yield from ((near, at) for at in _places(indices))
        if indices & (_indices_as_numbers(form) | _indices_as_numbers(expression)):
            yield near, {index: SIZE - 1 for index in indices}
        if _has_cases(form):
            yield self._errors(data, exact, SIZE_WITHIN), _middle(indices)

    def _errors(self, data: StressData, exact: frozenset[str], size: int) -> RoundingErrors:
        if (data, exact, size) not in self._evaluated:
            given = (data.points, data.of_element, self._formulas, exact, size)
            self._evaluated[data, exact, size] = RoundingErrors(*given, partial(_own_mean, self._formulas))
        return self._evaluated[data, exact, size]

    @cached_property
    def _formulas(self) -> dict[str, Formula]:
        return dict(_formulas(self.equalities))

    @cached_property
    def _functions(self) -> frozenset[str]:
        return _functions_in([formula for _, formula in self._formulas.values()])

    @cached_property
    def _sums(self) -> dict[Expression, Expression]:
        return {name: formula for name, formula in self.equalities if is_sum_or_multiple(formula)}


def _brings_in(functions: frozenset[str], form: Expression) -> bool:
    """Whether one of the functions stands beside a number, or in a sum that is divided by.

    exp(u)/(a + exp(u)) is not sigmoid(u)/(a*(1 - sigmoid(u)) + sigmoid(u)). In a - a*sigmoid(u) it stands
    beside the number 1.
    """
    if not any(isinstance(node, Apply) and node.function in functions for node in form.walk()):
        return False
    below = (node.base for node in form.walk() if isinstance(node, Power) and is_reciprocal(node))
    beside = (
        node
        for node in form.walk()
        if isinstance(node, Add) and any(isinstance(term, Number) for term in _without_common_factors(node))
    )
    applied = (factor for sums in (*below, *beside) for term in terms_of(sums) for factor in factors_of(term))
    return any(isinstance(factor, Apply) and factor.function in functions for factor in applied)


def _without_common_factors(node: Add) -> list[Expression]:
    """The terms, each without the factors that all of them have."""
    factors = [factors_of(term) for term in node.terms]
    common = [each for each in factors[0] if all(each in others for others in factors)]
    return [multiply(*(each for each in own if each not in common)) for own in factors]


def _own_mean(formulas: Mapping[str, Formula], node: Add) -> tuple[int, tuple[int, ...]] | None:
    """Where a mean stands, and what of: the mean of what is left is taken off again in the end."""
    terms = tuple([_written_mean(term, formulas) for term in node.terms])
    return places_of_own_mean(node if terms == node.terms else Add(terms))


def _written_mean(term: Expression, formulas: Mapping[str, Formula]) -> Expression:
    """What is summed up and divided, where a term is a name for such."""
    number, factors = coefficient_and_rest(term)
    match factors:
        case [Element(tensor, positions)] if tensor in formulas:
            indices, formula = formulas[tensor]
            if any(map(is_sum, factors_of(formula))):
                return multiply(
                    Number(number), substitute(formula, dict(zip(indices, positions, strict=True)))
                )
    return term


def _size_with_places(*forms: Expression) -> int:
    """The size of axes in which a bound index reaches the places that masks ask for, up to SIZE_WITHIN."""
    conditions = (node for form in forms for node in form.walk() if isinstance(node, Comparison))
    places = (
        int(each.right.value) + 1
        for each in conditions
        if each.operator == "==" and isinstance(each.left, Index) and isinstance(each.right, Number)
    )
    return max((SIZE, *(place for place in places if place <= SIZE_WITHIN)))


def _places(indices: Iterable[Index]) -> Iterator[dict[Index, int]]:
    """Where the free indices stand: those of one axis apart, and all at one place."""
    ordered = sorted(indices, key=lambda index: index.name)
    axes = [index.axis for index in ordered]
    yield {index: axes[:number].count(index.axis) % SIZE for number, index in enumerate(ordered)}
    if len(set(axes)) < len(axes):
        yield dict.fromkeys(ordered, 0)


def _indices_as_numbers(form: Expression) -> frozenset[Index]:
    """The indices that are factors or terms: at 0 alone, e^(k*t) is 1 whatever k is."""
    nodes = (node for node in form.walk() if isinstance(node, Add | Multiply | Power | Apply))
    return frozenset(child for node in nodes for child in node.children if isinstance(child, Index))


def _has_cases(form: Expression) -> bool:
    """Whether a condition is about free indices alone: z[t] - where(t == 0, 0, z[t - 1]) is exact at 0."""
    conditions = (node.condition for node in form.walk() if isinstance(node, Where))
    return any(
        not each.tensors and bool(each.free_indices) and each.free_indices <= form.free_indices
        for each in conditions
    )


def _middle(indices: Iterable[Index]) -> dict[Index, int]:
    """The free indices two places from both ends of an axis, where no boundary counts."""
    return dict.fromkeys(indices, SIZE_WITHIN // 2)


def _is_worse(value: float, error: float, value_before: float, error_before: float) -> bool:
    """Whether the form has lost digits at a point; not where a fact is used that the data do not obey."""
    if not math.isfinite(value_before) or not math.isfinite(error_before):
        return False
    if not math.isfinite(value) or not math.isfinite(error):
        return True
    allowed = MOST_ERROR * max(error_before, abs(value_before))
    if error <= allowed or allowed < UNDERFLOW:
        return False
    return abs(value - value_before) <= MOST_ERROR * (error + error_before) * UNIT


def _may_lose_digits(form: Expression, expression: Expression) -> bool:
    """Whether the form adds or divides what the expression does not."""
    return not _additions(form) <= _additions(expression)


def _additions(expression: Expression) -> set[Expression]:
    """The sums, and the powers and exponentials, which may overflow."""
    return {node for node in expression.walk() if isinstance(node, Add | Power) or _is_exponential(node)}


def _is_exponential(node: Expression) -> bool:
    return isinstance(node, Apply) and node.function == "exp"


def _formulas(equalities: Sequence[Equality]) -> Iterator[tuple[str, Formula]]:
    """The formula of each tensor at indices of its own, as far as the equalities say it so.

    1/(1 + e^-u) as typed is sigmoid(u).
    """
    functions = {formula: known for known, formula in equalities if isinstance(known, Apply)}
    for known, formula in equalities:
        if isinstance(known, Element) and _is_general(known.positions, formula):
            indices = tuple(position for position in known.positions if isinstance(position, Index))
            yield known.tensor, (indices, functions.get(formula, formula))


def _functions_in(expressions: Iterable[Expression]) -> frozenset[str]:
    """The functions that are applied, and those that they are made of: silu(u) is u*sigmoid(u)."""
    found: set[str] = set()
    pending = [node for each in expressions for node in each.walk()]
    while pending:
        node = pending.pop()
        if isinstance(node, Apply) and node.function not in found:
            found.add(node.function)
            pending.extend((definition_of(node) or node).walk())
    return frozenset(found)


def functions_behind(expression: Expression) -> frozenset[str]:
    """The functions that are applied, and the quotients whose derivative stands here.

    e^-u/(1 + e^-u)^2 comes of a sigmoid(u), named or not.
    """
    return _functions_in((expression,)) | _differentiated_in(expression)


def _differentiated_in(expression: Expression) -> frozenset[str]:
    squares = {node.base for node in expression.walk() if isinstance(node, Power) and _is_square_below(node)}
    return frozenset(
        name
        for name in rational_functions()
        for base in squares
        for argument in (
            node.arguments[0] for node in base.walk() if isinstance(node, Apply) and node.function == "exp"
        )
        for sign in (argument, negate(argument))
        if Power(written_out(base), MINUS_ONE) in written_out(Apply(name, (sign,))).walk()
    )


def _is_square_below(node: Power) -> bool:
    return isinstance(node.exponent, Number) and node.exponent.value <= -2


def _is_general(positions: Sequence[Expression], formula: Expression) -> bool:
    distinct = {position for position in positions if isinstance(position, Index)}
    return len(distinct) == len(positions) and formula.free_indices <= distinct


def compared_part(expression: Expression, place: Path) -> Path:
    """The innermost place on the way to `place` of what a condition compares, or a maximum chooses from."""
    for length in range(len(place), 0, -1):
        above = node_at(expression, place[: length - 1])
        if isinstance(above, Comparison) or (isinstance(above, Reduction) and above.kind not in SMOOTH):
            return place[:length]
    return ()
