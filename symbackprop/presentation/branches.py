"""Rules of `where`s as they are printed: what both branches have in common stands outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations

from symbackprop.integers.bounds import conjunction, conjuncts, negated
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    multiply,
    terms_of,
)
from symbackprop.notation.expressions import ZERO, Add, Comparison, Delta, Expression, Logic, Number, Where
from symbackprop.rules.compared_values import follows, joined_opposites
from symbackprop.rules.conditions import is_implied, when
from symbackprop.rules.stating import stated


def opposite_branches(node: Expression) -> Expression | None:
    """f*where(c, g, 0) + f2*where(not c, h, 0) = where(c, f*g, f2*h), the first two such terms of a sum."""
    return joined_opposites(node, _where_of)


def _where_of(term: Expression) -> Where | None:
    """f*where(c, g, 0) as where(c, f*g, 0), for one comparison c and a single such factor."""
    factors = factors_of(term)
    wheres = [factor for factor in factors if isinstance(factor, Where) and _is_mask(factor)]
    if len(wheres) != 1 or any(isinstance(part, Delta) for part in term.walk()):
        return None
    (where,) = wheres
    chosen = multiply(*(where.chosen if factor is where else factor for factor in factors))
    return Where(where.condition, chosen, ZERO)


def _is_mask(where: Where) -> bool:
    return where.otherwise == ZERO and isinstance(where.condition, Comparison)


def cases_of_one_condition(node: Expression) -> Expression | None:
    """f*where(c and d, g, 0) + f2*where(c and not d, h, 0) = where(c, where(d, f*g, f2*h), 0), of values.

    What d implies need not stand beside it: y != 0 beside y == 1.
    """
    if not isinstance(node, Add):
        return None
    masks = [(place, mask) for place, term in enumerate(node.terms) if (mask := _mask_of_values(term))]
    for (here, one), (there, other) in permutations(masks, 2):
        parts, others = conjuncts(one.condition), conjuncts(other.condition)
        for condition in parts:
            shared = [each for each in others if each != negated(condition)]
            is_opposite = 0 < len(shared) < len(others) and all(
                each in shared for each in parts if each != condition
            )
            if is_opposite and all(each in parts or follows(each, condition) for each in shared):
                rest = [term for place, term in enumerate(node.terms) if place not in (here, there)]
                cases = Where(condition, one.chosen, other.chosen)
                return add(*rest[:here], Where(conjunction(shared), cases, ZERO), *rest[here:])
    return None


def _mask_of_values(term: Expression) -> Where | None:
    """f*where(c, g, 0) as where(c, f*g, 0), for comparisons of values c and a single `where`."""
    factors = factors_of(term)
    masks = [factor for factor in factors if isinstance(factor, Where)]
    if len(masks) != 1 or masks[0].otherwise != ZERO or any(isinstance(part, Delta) for part in term.walk()):
        return None
    (mask,) = masks
    if not all(isinstance(each, Comparison) and each.tensors for each in conjuncts(mask.condition)):
        return None
    chosen = multiply(*(mask.chosen if factor is mask else factor for factor in factors))
    return Where(mask.condition, chosen, ZERO)


def guard_of_cases(node: Expression) -> Expression | None:
    """where(c, where(d, f, where(e, g, 0)), 0) = where(d, f, where(e, g, 0)), where d and e imply c."""
    if not (isinstance(node, Where) and node.otherwise == ZERO):
        return None
    cases = list(_cases_that_choose(node.chosen))
    parts = conjuncts(node.condition)
    left = [part for part in parts if not all(_is_said(part, case) for case in cases)]
    if len(left) == len(parts):
        return None
    return Where(conjunction(left), node.chosen, ZERO) if left else node.chosen


def _cases_that_choose(node: Expression) -> Iterator[tuple[Expression, ...]]:
    """The conditions of each branch other than 0 of multiples of `where`s; nothing of the last one."""
    while node != ZERO:
        match coefficient_and_rest(node)[1]:
            case (Where(condition, chosen, otherwise),):
                if chosen != ZERO:
                    yield conjuncts(condition)
                node = otherwise
            case _:
                yield ()
                return


def _is_said(condition: Expression, case: Sequence[Expression]) -> bool:
    """Whether the conditions of a case say it; a guard of what they look up they do not."""
    if condition.tensors:
        return condition in case or any(follows(condition, each) for each in case)
    return not any(each.tensors for each in case) and is_implied(condition, tuple(case))


def branches_of_one_condition(node: Expression) -> Expression | None:
    """f*where(c, g, 0) + f2*where(c, 0, h) = where(c, f*g, f2*h), the first two such terms of a sum."""
    if not isinstance(node, Add):
        return None
    first = [(place, each) for place, term in enumerate(node.terms) if (each := _either_branch(term))]
    for (here, one), (there, other) in combinations(first, 2):
        chosen, otherwise = (one, other) if one.otherwise == ZERO else (other, one)
        if one.condition == other.condition and chosen.otherwise == otherwise.chosen == ZERO:
            rest = [term for place, term in enumerate(node.terms) if place not in (here, there)]
            return add(Where(one.condition, chosen.chosen, otherwise.otherwise), *rest)
    return None


def _either_branch(term: Expression) -> Where | None:
    """f*where(c, g, 0) as where(c, f*g, 0), likewise the other branch, where c compares values."""
    factors = factors_of(term)
    wheres = [each for each in factors if isinstance(each, Where) and ZERO in (each.chosen, each.otherwise)]
    if len(wheres) != 1 or not wheres[0].condition.tensors:
        return None
    (where,) = wheres
    branches = [
        each if each == ZERO else multiply(*(each if factor is where else factor for factor in factors))
        for each in (where.chosen, where.otherwise)
    ]
    return Where(where.condition, *branches)


def factor_out_of_branches(node: Expression) -> Expression | None:
    """where(c, f*g, f*h) = f*where(c, g, h)."""
    if not isinstance(node, Where) or ZERO in (node.chosen, node.otherwise):
        return None
    (one, first), (other, second) = map(coefficient_and_rest, (node.chosen, node.otherwise))
    shared = Counter(first) & Counter(second)
    number = one if one == other else -Fraction(1) if one < 0 and other < 0 else Fraction(1)
    if not shared and number == 1:
        return None
    inside = [
        multiply(Number(factor / number), *(Counter(rest) - shared).elements())
        for factor, rest in ((one, first), (other, second))
    ]
    if inside[0] == inside[1]:
        return node.chosen
    return multiply(Number(number), *shared.elements(), Where(node.condition, *inside))


def term_out_of_branches(node: Expression) -> Expression | None:
    """where(c, f + g, f + h) = f + where(c, g, h)."""
    if not isinstance(node, Where) or ZERO in (node.chosen, node.otherwise):
        return None
    shared = Counter(terms_of(node.chosen)) & Counter(terms_of(node.otherwise))
    if all(isinstance(term, Number) for term in shared):
        return None
    inside = [
        add(*(Counter(terms_of(branch)) - shared).elements()) for branch in (node.chosen, node.otherwise)
    ]
    return add(*shared.elements(), Where(node.condition, *inside))


def branches_that_agree(node: Expression) -> Expression | None:
    """where(c, f, where(d, f, g)) = where(c or d, f, g), and where the other branches agree."""
    match node:
        case Where(condition, chosen, Where(other, same, rest)) if chosen == same:
            return Where(_joined("or", condition, other), chosen, rest)
        case Where(condition, Where(other, chosen, same), rest) if same == rest:
            return Where(_joined("and", condition, other), chosen, rest)
        case Where(Comparison() as condition, Where(other, same, rest), chosen) if chosen == same:
            return Where(_joined("or", negated(condition), other), chosen, rest)
        case Where(Comparison() as condition, rest, Where(other, chosen, same)) if rest == same:
            return Where(_joined("and", negated(condition), other), chosen, rest)
    return None


def _joined(operator: str, *conditions: Expression) -> Expression:
    parts = [
        part
        for condition in conditions
        for part in (
            condition.operands
            if isinstance(condition, Logic) and condition.operator == operator
            else (condition,)
        )
    ]
    return Logic("or" if operator == "or" else "and", tuple(dict.fromkeys(parts)))


OPPOSITE_BRANCHES = stated(
    "opposite branches",
    "f*where(c, g, 0) + f2*where(not c, h, 0) = where(c, f*g, f2*h)",
    opposite_branches,
    where=(when("no nan", "c"),),
    decreases="wheres",
    example="x[i]*where(c > 0, x[i], 0) - y[j]*where(c <= 0, y[j], 0)",
    near_miss="x[i]*where(c > 0, x[i], 0) - y[j]*where(c < 0, y[j], 0)",
    roots=(Add,),
)
CASES_OF_ONE_CONDITION = stated(
    "cases of one condition",
    "f*where(c and d, g, 0) + f2*where(c and not d, h, 0) = where(c, where(d, f*g, f2*h), 0)",
    cases_of_one_condition,
    where=(when("no nan", "d"),),
    decreases="names and numbers",
    example="x[i]*where(c == 2, x[i], 0) - where(c != 0 and c != 2, y[j], 0)",
    near_miss="x[i]*where(c == 2, x[i], 0) - where(c != 0 and c != 1, y[j], 0)",
    roots=(Add,),
)
GUARD_OF_CASES = stated(
    "guard of cases",
    "where(c and d, n*where(e, f, where(g, h, 0)), 0) = where(d, n*where(e, f, where(g, h, 0)), 0)",
    guard_of_cases,
    where=(when("implied by both", "c", "e", "g"),),
    decreases="names and numbers",
    example="where(c != 0, -where(c == 1, x[i], 0), 0)",
    near_miss="where(c != 0, -where(c <= 1, x[i], 0), 0)",
    roots=(Where,),
)
BRANCHES_OF_ONE_CONDITION = stated(
    "branches of one condition",
    "f*where(c, g, 0) + f2*where(c, 0, h) = where(c, f*g, f2*h)",
    branches_of_one_condition,
    decreases="wheres",
    example="x[i]*where(c > 0 and c < 1, x[i], 0) - y[j]*where(c > 0 and c < 1, 0, y[j])",
    near_miss="x[i]*where(c > 0 and c < 1, x[i], 0) - y[j]*where(c > 0 and c < 2, 0, y[j])",
    roots=(Add,),
)
FACTOR_OUT_OF_BRANCHES = stated(
    "factor out of branches",
    "where(c, f*g, f*h) = f*where(c, g, h)",
    factor_out_of_branches,
    decreases="names and numbers",
    example="where(c > 0, 2*x[i]*c, x[i])",
    near_miss="where(c > 0, 2*x[i]*c, y[j])",
    roots=(Where,),
)
TERM_OUT_OF_BRANCHES = stated(
    "term out of branches",
    "where(c, f + g, f + h) = f + where(c, g, h)",
    term_out_of_branches,
    decreases="names and numbers",
    example="where(i > 0, x[i] - c, x[i])",
    near_miss="where(i > 0, x[i] - c, c)",
    roots=(Where,),
)
BRANCHES_THAT_AGREE = stated(
    "branches that agree",
    "where(c, f, where(d, f, g)) = where(c or d, f, g), where(c, where(d, f, g), g) = where(c and d, f, g), "
    "where(c, where(d, f, g), f) = where(not c or d, f, g), "
    "where(c, g, where(d, f, g)) = where(not c and d, f, g)",
    branches_that_agree,
    where=(when("no nan", "c"),),
    decreases="wheres",
    example="where(c > 0, x[i], where(c < -1, x[i], y[j]))",
    near_miss="where(c > 0, x[i], where(c < -1, c, y[j]))",
    roots=(Where,),
)
