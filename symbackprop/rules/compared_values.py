"""Rules of `where`s by their conditions, on values chiefly: what is superfluous, and sums of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from symbackprop.functions.table import definition_of
from symbackprop.integers.bounds import conjunction, negated
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    multiply,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    MIRRORED,
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Delta,
    Expression,
    Logic,
    Multiply,
    Number,
    Power,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.rules.conditions import is_implied, when
from symbackprop.rules.stating import stated
from symbackprop.semantics.integer_values import compared
from symbackprop.systems.partial import is_partial
from symbackprop.systems.printing import text


class _Bound(NamedTuple):
    """f > number, or another comparison."""

    value: Expression
    operator: str
    number: Fraction


def follows(condition: Expression, other: Expression) -> bool:
    """Whether a comparison follows from another of the same value with a number: f > -3 from f >= 3.

    So does f != 0 from f > 0, and from f == 2.
    """
    one, known = _bound(condition), _bound(other)
    if one is None or known is None or one.value != known.value:
        return False
    if known.operator == "==":
        return compared(one.operator, known.number, one.number)
    if isinstance(condition, Comparison) and condition.operator == "!=":
        below, above = (Comparison(sign, *condition.children) for sign in ("<", ">"))
        return follows(below, other) or follows(above, other)
    if one.operator == "==" or one.operator[0] != known.operator[0]:
        return False
    beyond = known.number - one.number if one.operator[0] == ">" else one.number - known.number
    return beyond > 0 or (beyond == 0 and (one.operator == known.operator or len(one.operator) > 1))


def _bound(condition: Expression) -> _Bound | None:
    """The comparison with all numbers on the right, and its first term positive."""
    if not isinstance(condition, Comparison):
        return None
    terms = terms_of(subtract(condition.left, condition.right))
    numbers = [term.value for term in terms if isinstance(term, Number)]
    others = sorted((term for term in terms if not isinstance(term, Number)), key=_spelled)
    if not others:
        return None
    factor = coefficient_and_rest(others[0])[0]
    value = add(*(multiply(Number(1 / factor), term) for term in others))
    operator = condition.operator if factor > 0 else MIRRORED[condition.operator]
    return _Bound(value, operator, -sum(numbers, Fraction(0)) / factor)


def _spelled(term: Expression) -> str:
    return text(multiply(*coefficient_and_rest(term)[1]))


def mask_of_positive_part(node: Expression) -> Expression | None:
    """max(0, f)*where(f > 0, g, 0) = max(0, f)*g, and where(f > 0, max(0, f)*g, 0) too."""
    match node:
        case Where(Comparison(">" | ">=", value, right), chosen, otherwise):
            parts = map(positive_part, factors_of(chosen))
            return (
                chosen if right == otherwise == ZERO and value in parts and not is_partial(chosen) else None
            )
    if not isinstance(node, Multiply):
        return None
    positive = set(filter(None, map(positive_part, node.factors)))
    for place, factor in enumerate(node.factors):
        match factor:
            case Where(Comparison(">" | ">=", value, right), chosen, otherwise) if (
                value in positive and right == otherwise == ZERO and not is_partial(chosen)
            ):
                return multiply(*node.factors[:place], chosen, *node.factors[place + 1 :])
    return None


def positive_part(factor: Expression) -> Expression | None:
    """f of a positive power of max(0, f)."""
    match factor:
        case Power(base, Number(exponent)) if exponent > 0:
            return positive_part(base)
        case Apply("max", arguments) if ZERO in arguments:
            return next((argument for argument in arguments if argument != ZERO), None)
        case Apply():
            match definition_of(factor):
                case Where(Comparison(">", value, right), chosen, otherwise):
                    return value if chosen == value and right == otherwise == ZERO else None
    return None


POSITIVE_PART = stated(
    "mask of a positive part",
    "max(0, f)*where(f > 0, g, 0) = where(f > 0, max(0, f)*g, 0) = max(0, f)*g, likewise f >= 0, max(0, f)^n",
    mask_of_positive_part,
    where=(when("not partial", "g"), when("no nan", "f > 0")),
    decreases="conditions",
    example="max(0, x[i])*where(x[i] > 0, 1, 0)*y[j]",
    near_miss="max(0, x[i])*where(x[i] > 1, 1, 0)*y[j]",
    roots=(Where, Multiply),
)


def compared_maximum(node: Expression) -> Expression | None:
    """max(f, m) <= n = f <= n, for numbers m <= n; likewise a minimum that is at least a number."""
    match node:
        case Comparison(operator, Apply("max" | "min" as function, arguments), Number(number)):
            numbers = [each for each in arguments if isinstance(each, Number)]
            others = [each for each in arguments if not isinstance(each, Number)]
            if operator not in _BOUNDS[function] or len(numbers) != 1:
                return None
            if compared(operator, numbers[0].value, number):
                return Comparison(operator, others[0], node.right)
    return None


_BOUNDS: Mapping[str, tuple[str, str]] = {"max": ("<", "<="), "min": (">", ">=")}
COMPARED_MAXIMUM = stated(
    "compared maximum",
    "(max(f, g) <= h) = (f <= h) if g <= h, likewise < and min(f, g) >= h",
    compared_maximum,
    where=(when("numeral", "g"), when("numeral", "h")),
    decreases="size",
    example="where(max(c, 0) <= 6, x[i], 0)",
    near_miss="where(max(c, 7) <= 6, x[i], 0)",
    roots=(Comparison,),
)


def add_wheres(node: Expression) -> Expression | None:
    """where(c, f, 0) + g*where(c, 1, 0) = where(c, f + g, 0); of masks alone, the search makes a factor."""
    if not isinstance(node, Add):
        return None
    conditions = [_condition_of(term) for term in node.terms]
    pairs = list(zip(node.terms, conditions, strict=True))
    whole = [each for term, each in pairs if each is not None and not _is_masked(term)]
    shared = {each for each in whole if conditions.count(each) > 1}
    if not shared:
        return None
    terms: list[Expression] = []
    done: set[Expression] = set()
    for term, condition in pairs:
        if condition is None or condition not in shared:
            terms.append(term)
        elif condition not in done:
            done.add(condition)
            chosen = [_chosen(other) for other, found in pairs if found == condition]
            terms.append(Where(_where_of(term).condition, add(*chosen), ZERO))
    return add(*terms)


def _condition_of(term: Expression) -> Expression | None:
    """The condition of a `where` with a number in front, or of a product's mask, its bound names canonical.

    None where there is a delta in it, which is contracted outside.
    """
    _, rest = coefficient_and_rest(term)
    wheres = [factor for factor in rest if isinstance(factor, Where) and factor.otherwise == ZERO]
    if len(wheres) != 1 or (len(rest) > 1 and wheres[0].chosen != ONE):
        return None
    has_delta = any(isinstance(part, Delta) for part in term.walk())
    return None if has_delta else canonical_bound_names(wheres[0].condition)


def _is_masked(term: Expression) -> bool:
    """Whether it is a product with a mask, f*where(c, 1, 0)."""
    return len(coefficient_and_rest(term)[1]) > 1 or _where_of(term).chosen == ONE


def _where_of(term: Expression) -> Where:
    _, rest = coefficient_and_rest(term)
    return next(factor for factor in rest if isinstance(factor, Where))


def _chosen(term: Expression) -> Expression:
    """n*f*g of n*f*where(c, g, 0)."""
    own = _where_of(term)
    return multiply(*(own.chosen if factor is own else factor for factor in factors_of(term)))


ADD_WHERES = stated(
    "add wheres",
    "where(c, f, 0) + n*where(c, g, 0) = where(c, f + n*g, 0), "
    "where(c, f, 0) + g*where(c, 1, 0) = where(c, f + g, 0)",
    add_wheres,
    where=(when("numeral", "n"), when("no delta", "f + g")),
    decreases="wheres",
    example="where(i > 0, c, 0) + where(i > 0, x[i], 0)",
    near_miss="where(i > 0, c, 0) + where(j > 0, y[j], 0)",
    roots=(Add,),
)


def opposite_wheres(node: Expression) -> Expression | None:
    """n*where(c, f, 0) + where(not c, g, 0) = where(c, n*f, g), the first two such terms of a sum."""
    return joined_opposites(node, _numbered_where)


def joined_opposites(node: Expression, where_of: Callable[[Expression], Where | None]) -> Expression | None:
    """The sum with its first two terms that are `where`s of opposite conditions as one, by `where_of`.

    What both choose needs no condition.
    """
    if not isinstance(node, Add):
        return None
    wheres = [(place, where_of(term)) for place, term in enumerate(node.terms)]
    for (here, one), (there, other) in combinations(wheres, 2):
        if one is not None and other is not None and negated(one.condition) == other.condition:
            first, second = (other, one) if is_negative(one.condition) else (one, other)
            rest = [term for place, term in enumerate(node.terms) if place not in (here, there)]
            joined = Where(first.condition, first.chosen, second.chosen)
            return add(first.chosen if first.chosen == second.chosen else joined, *rest)
    return None


def is_negative(condition: Expression) -> bool:
    """Whether a person would write the opposite: where(x >= 0, f, g), not where(x < 0, g, f)."""
    return isinstance(condition, Comparison) and condition.operator in ("<", "<=", "!=")


def _numbered_where(term: Expression) -> Where | None:
    """n*where(c, f, 0) as where(c, n*f, 0), where c compares values and nothing is left to contract in it."""
    number, rest = coefficient_and_rest(term)
    match rest:
        case (Where(Comparison() as condition, chosen, otherwise) as where,) if otherwise == ZERO:
            if condition.tensors and not any(isinstance(part, Delta) for part in where.walk()):
                return Where(condition, multiply(Number(number), chosen), ZERO)
    return None


OPPOSITE_WHERES = stated(
    "opposite wheres",
    "n*where(c, f, 0) + where(not c, g, 0) = where(c, n*f, g)",
    opposite_wheres,
    where=(when("no nan", "c"), when("no delta", "f + g")),
    decreases="wheres",
    example="where(c > 0, x[i], 0) - where(c <= 0, y[j], 0)",
    near_miss="where(c > 0, x[i], 0) - where(c < 0, y[j], 0)",
    roots=(Add,),
)


def under_negation(node: Expression) -> Expression | None:
    """not (c and d) = not d, where c holds for all values of its indices."""
    match node:
        case Logic("not", (Logic("and", operands),)):
            left = [each for each in operands if each.tensors or not is_implied(each, ())]
            if left and len(left) < len(operands):
                return Logic("not", (conjunction(left),))
    return None


UNDER_NEGATION = stated(
    "condition under a negation",
    "not (c and d) = not d",
    under_negation,
    where=(when("implied", "c"),),
    decreases="conditions",
    example="where(not (i + 1 > 0 and c > 0), x[i], 0)",
    near_miss="where(not (i > 0 and c > 0), x[i], 0)",
    roots=(Logic,),
)
RULES_OF_VALUES = (POSITIVE_PART, COMPARED_MAXIMUM, UNDER_NEGATION)
"""Those of the normal form; opposite `where`s are for the end."""
