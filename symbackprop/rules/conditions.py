"""The side conditions of rules: one table, each a small pure function with its wording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from symbackprop.errors import RecordError
from symbackprop.functions.table import definition_of
from symbackprop.integers.bounds import Knowledge, conjuncts, lies_inside
from symbackprop.integers.leaving_guards import is_readable_without
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import factors_of, is_reciprocal
from symbackprop.notation.expressions import (
    ZERO,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Where,
)
from symbackprop.notation.substitution import elements_of
from symbackprop.rewriting.patterns import Bound, Found
from symbackprop.systems.dependence import moves
from symbackprop.systems.partial import (
    Ranges,
    is_number_or_exponential,
    is_partial,
    is_positive,
)

MOST_FACTORS = 16  # of a product that is differentiated factor by factor


@dataclass(frozen=True)
class Predicate:
    """What may be asked of what variables stand for; the wording names the variables.

    One that `is_of_use` says when a rule pays: without it the rule holds as well.
    """

    wording: str
    holds: Callable[..., bool]
    is_of_use: bool = False


@dataclass(frozen=True)
class When:
    """A side condition: a predicate of the table, of these variables of a rule."""

    predicate: str
    variables: tuple[str, ...]

    @property
    def words(self) -> str:
        """The condition as it is printed."""
        return PREDICATES[self.predicate].wording.format(*self.variables)

    @property
    def is_of_use(self) -> bool:
        """Whether the rule holds without it as well."""
        return PREDICATES[self.predicate].is_of_use

    def holds(self, found: Found) -> bool:
        """Whether it holds for what the variables stand for; True while one is not bound yet."""
        values: dict[str, Bound] = {variable.name: value for variable, value in found.values.items()}
        if not all(name in values for name in self.variables):
            return True
        return PREDICATES[self.predicate].holds(*(values[name] for name in self.variables))


def when(predicate: str, *variables: str) -> When:
    """The side condition; RecordError where the table does not know it."""
    if predicate not in PREDICATES:
        raise RecordError(
            worded(
                "a rule's side condition asks for '{predicate}', which is no predicate", predicate=predicate
            ),
            remedy=worded(
                "write it into PREDICATES in rules/conditions.py, or use one of {predicates}",
                predicates=", ".join(PREDICATES),
            ),
        )
    return When(predicate, variables)


def stated_where(formula: str, conditions: tuple[str, ...]) -> str:
    """An equation and its side conditions, as a sentence."""
    return f"{formula}, where {' and '.join(conditions)}" if conditions else formula


def without_where(statement: str, conditions: tuple[str, ...]) -> str:
    """The equation of such a sentence, for pages on which the side conditions have a line of their own."""
    return statement.removesuffix(stated_where("", conditions))


def is_independent(value: Expression, indices: tuple[Index, ...]) -> bool:
    """Whether the value does not depend on any of the indices."""
    return value.free_indices.isdisjoint(indices)


def contains_delta(expression: Expression) -> bool:
    """Whether the expression has a delta of indices; that of a lookup may remain as a scatter."""
    return any(isinstance(node, Delta) and not node.tensors for node in expression.walk())


def has_no_delta_factor(expression: Expression) -> bool:
    """Whether no factor is a delta of indices."""
    return not any(isinstance(each, Delta) and not each.tensors for each in factors_of(expression))


def is_about_indices(condition: Expression) -> bool:
    """Whether no tensor is read."""
    return not condition.tensors


def is_one_comparison(condition: Expression) -> bool:
    """Whether the condition can be negated without changing how a mask of values is computed."""
    return not condition.tensors or isinstance(condition, Comparison)


def is_conjunction(condition: Expression) -> bool:
    """Whether the condition is one comparison, or several that `and` joins."""
    return not any(isinstance(part, Logic) for part in conjuncts(condition))


def has_no_where_factor(expression: Expression) -> bool:
    """Whether no factor is a where(d, g, 0)."""
    return not any(isinstance(each, Where) and each.otherwise == ZERO for each in factors_of(expression))


def may_join(factor: Expression, one: Expression, other: Expression) -> bool:
    """Whether f is 1, or both conditions speak of indices alone: a mask of values is a factor of its own."""
    is_one = isinstance(factor, Number) and factor.value == 1
    return is_one or not (one.tensors or other.tensors)


def is_proper_number(number: Number) -> bool:
    """Whether a number is neither 0 nor 1."""
    return number.value not in (0, 1)


def is_positive_number(number: Number) -> bool:
    """Whether a number is greater than 0."""
    return number.value > 0


@lru_cache(maxsize=10_000)
def is_implied(condition: Expression, others: tuple[Expression, ...]) -> bool:
    """Whether the condition follows from the others and from the ranges of all their indices."""
    return Knowledge.of((condition,), others).proves(condition)


def needs_no_guard(factor: Expression, condition: Expression, ranges: Ranges) -> bool:
    """Whether a factor may leave a `where`: a tensor at its own places; x[t-1] and 1/z[t] may need it."""
    if not is_readable_without(factor, condition, ranges.axes):
        return False
    if isinstance(factor, Delta):
        plain = all(isinstance(p, Index) for read in elements_of(factor) for p in read.positions)
        return plain and not ranges.is_undefined(factor)
    return isinstance(factor, Number) or (
        isinstance(factor, Element)
        and all(isinstance(position, Index) for position in factor.positions)
        and not ranges.is_undefined(factor)
    )


def is_tied(expression: Expression, indices: tuple[Index, ...]) -> bool:
    """Whether a delta among the factors depends on one of the indices."""
    deltas = (factor for factor in factors_of(expression) if isinstance(factor, Delta))
    return any(not delta.free_indices.isdisjoint(indices) for delta in deltas)


def is_read_at_a_step_of(factor: Expression, condition: Expression) -> bool:
    """Whether what is read of a recurrence depends on an index that the condition speaks of."""
    return not factor.free_indices.isdisjoint(condition.free_indices)


def is_read_at_steps_beside(factor: Expression, position: Expression) -> bool:
    """Whether what is read of a recurrence depends on an index of the position, or on one that is bound."""
    return factor.binds or is_read_at_a_step_of(factor, position)


def is_not_zero(expression: Expression) -> bool:
    """Whether it is not the number 0."""
    return expression != ZERO


def depends_on(expression: Expression, element: Element) -> bool:
    """Whether the expression has a derivative by the element that is not 0 throughout."""
    return moves(expression, element.tensor)


def has_many_factors(product: Expression) -> bool:
    """Whether a product is too long to be differentiated factor by factor."""
    return isinstance(product, Multiply) and len(product.factors) > MOST_FACTORS


def is_defined_by_a_formula(call: Expression) -> bool:
    """Whether a function is one that the table defines by a formula."""
    return isinstance(call, Apply) and definition_of(call) is not None


def is_never_zero(exponent: Expression) -> bool:
    """Whether an exponent is a number, 1/p, e^-u, or of indices and sizes that keep it from 0."""
    return all(is_number_or_exponential(each) or is_reciprocal(each) for each in factors_of(exponent)) or (
        not exponent.tensors and Knowledge.of((exponent,), ()).proves(Comparison("!=", exponent, ZERO))
    )


def is_looked_up(*_values: object) -> bool:
    """What the model says, or the search finds: a rule is used where it has been looked up."""
    return True


def is_assumed(*_values: object) -> bool:
    """What cannot be read off the expression: it depends on the sizes or the values."""
    return True


PREDICATES: Mapping[str, Predicate] = {
    "independent": Predicate("{} is independent of {}", is_independent),
    "about indices": Predicate("{} reads no tensor", is_about_indices),
    "one comparison": Predicate("{} is one comparison or reads no tensor", is_one_comparison),
    "conjunction": Predicate("{} has no `or` and no `not`", is_conjunction),
    "may join": Predicate("{} = 1 or neither {} nor {} reads a tensor", may_join),
    "no where": Predicate("no factor of {} is a where(d, g, 0)", has_no_where_factor),
    "no delta factor": Predicate("no factor of {} is a delta of indices", has_no_delta_factor),
    "has delta": Predicate("{} has a delta of indices", contains_delta, is_of_use=True),
    "no delta": Predicate(
        "{} has no delta of indices", lambda value: not contains_delta(value), is_of_use=True
    ),
    "number": Predicate("{} is a number other than 0 and 1", is_proper_number),
    "positive number": Predicate("{} is a positive number", is_positive_number),
    "integer": Predicate("{} is an integer", lambda number: number.value.denominator == 1),
    "numeral": Predicate("{} is a number", lambda value: isinstance(value, Number)),
    "not lost": Predicate("{} is 0 or not small beside {}", is_looked_up),
    "no numeral": Predicate("{} is no number", lambda value: not isinstance(value, Number)),
    "index": Predicate("{} is an index", lambda value: isinstance(value, Index)),
    "implied": Predicate("{} is implied by the other conditions and the ranges of its indices", is_implied),
    "implied by both": Predicate("{} follows from {} and from {}", is_looked_up),
    "alike": Predicate("{} and {} read no tensor and each follows from the other", is_looked_up),
    "looked up": Predicate("{} runs over the axis that {} is looked up in", is_looked_up),
    "inside": Predicate("{} lies inside the axis of {}", lies_inside),
    "not partial": Predicate("{} is defined for all finite values", lambda value: not is_partial(value)),
    "readable": Predicate("{} has no lookup at a position that needs {} for a guard", is_readable_without),
    "partial": Predicate("{} is partial", is_partial),
    "tied": Predicate("a factor of {} is a delta that depends on {}", is_tied),
    "negative number": Predicate("{} is a negative number", lambda number: number.value < 0),
    "loop-carried": Predicate("{} is a loop-carried read at a step that {} compares", is_read_at_a_step_of),
    "loop-carried at": Predicate(
        "{0} is a loop-carried read at a step that {1} compares or {0} binds", is_read_at_steps_beside
    ),
    "defined when empty": Predicate("{} is defined if the axis of {} is empty", is_assumed),
    "defined": Predicate("{} is defined", is_assumed),
    "not empty": Predicate("the axis of {} is not empty", is_assumed),
    "no nan": Predicate("{} compares no nan", is_assumed),
    "dependent": Predicate("{} depends on {}", depends_on),
    "constant": Predicate("{} does not depend on {}", lambda value, by: not depends_on(value, by)),
    "many factors": Predicate(f"{{}} has more than {MOST_FACTORS} factors", has_many_factors, is_of_use=True),
    "formula": Predicate("{} is defined by a formula", is_defined_by_a_formula),
    "no formula": Predicate("{} is defined by no formula", lambda call: not is_defined_by_a_formula(call)),
    "positive": Predicate("{} is positive for all finite values", is_positive),
    "not positive": Predicate("{} may be 0 or negative", lambda value: not is_positive(value)),
    "positive or never zero": Predicate(
        "{} is positive for all finite values or {} is a number or never 0",
        lambda base, exponent: is_positive(base) or is_never_zero(exponent),
    ),
    "maybe zero": Predicate("{} is no number and may be 0", lambda value: not is_never_zero(value)),
    "symmetric": Predicate("{} is symmetric by a fact or by its definition", is_looked_up),
    "of the numerator": Predicate(
        "{} is an index of the numerator alone and {} of the denominator", is_looked_up
    ),
    "divided": Predicate("half of the terms of {} or more are divided", is_looked_up, is_of_use=True),
    "one array": Predicate("{} is an array no larger than one that is there", is_looked_up, is_of_use=True),
    "same at one place": Predicate("{} is {} where a bound index is one outside", is_looked_up),
    "weighted sum": Predicate("{} is a weighted sum of {}, divided or not", is_looked_up, is_of_use=True),
    "difference": Predicate("{} has terms of both signs", is_looked_up),
    "same size": Predicate("the axes of {} and {} have one size", is_looked_up),
    "digit": Predicate("0 <= {} < {}", is_looked_up),
    "counts through": Predicate("the size of {} is size({})*size({})", is_looked_up),
    "named": Predicate("{} has a name", is_looked_up),
    "invertible": Predicate("{} is invertible", is_assumed),
    "not zero": Predicate("{} is not 0", is_not_zero),
}
