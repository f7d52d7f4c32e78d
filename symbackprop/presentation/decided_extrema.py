"""Maxima, minima and `where`s that conditions decide: where(f <= g, min(f, g), h) = where(f <= g, f, h)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from symbackprop.integers.bounds import conjuncts, negated
from symbackprop.integers.recognition import has_positions
from symbackprop.notation.arithmetic import factors_of, multiply, negate
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    ComparisonOperator,
    Expression,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.rules.compared_values import follows
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated
from symbackprop.systems.partial import is_partial

# Which comparisons of a first argument with a second leave the first one.
LEAVES_FIRST: Mapping[str, tuple[ComparisonOperator, ...]] = {"min": ("<", "<="), "max": (">", ">=")}


def decided(node: Expression, conditions: Sequence[Expression]) -> Expression:
    """f for min(f, g) where f <= g is one of the conditions, likewise a maximum."""
    match node:
        case Apply("min" | "max" as function, (one, other)):
            for first, second in ((one, other), (other, one)):
                if any(Comparison(sign, first, second) in conditions for sign in LEAVES_FIRST[function]):
                    return first
    return node


def _decided_all_through(expression: Expression, conditions: Sequence[Expression]) -> Expression:
    """The expression with all of its extrema decided; what binds indices anew is left alone.

    So are positions: a clip keeps x[floor(clip(u, 0, size(t) - 1))] inside, beside a mask as well.
    """
    if any(isinstance(node, Reduction) for node in expression.walk()):
        return expression
    return _decided_outside_positions(expression, conditions)


def _decided_outside_positions(node: Expression, conditions: Sequence[Expression]) -> Expression:
    if has_positions(node):
        return node
    children = tuple([_decided_outside_positions(child, conditions) for child in node.children])
    return decided(node if children == node.children else node.with_children(children), conditions)


def extremum_under_condition(node: Expression) -> Expression | None:
    """where(f <= g, h*min(f, g), k) = where(f <= g, h*f, k), and min(f, g)*where(f <= g, h, 0)."""
    match node:
        case Where(condition, chosen, otherwise):
            after: Expression = Where(
                condition, _decided_all_through(chosen, conjuncts(condition)), otherwise
            )
        case Multiply(factors):
            after = multiply(*_decided_by_masks(factors))
        case _:
            return None
    return None if after == node else after


def _decided_by_masks(factors: Sequence[Expression]) -> Sequence[Expression]:
    """The factors with the extrema decided that the masks among them decide.

    What has no value elsewhere, as 1/v at v = 0, goes into the mask; a 1 is left in its place.
    """
    decided_factors = [*factors]
    for at, mask in enumerate(factors):
        if not _is_mask(mask):
            continue
        known = conjuncts(mask.condition)
        chosen = mask.chosen
        for place, factor in enumerate(decided_factors):
            after = factor if _is_mask(factor) else _decided_all_through(factor, known)
            if after != factor and _needs_its_mask(after):
                chosen, after = multiply(chosen, after), ONE
            decided_factors[place] = after
        decided_factors[at] = Where(mask.condition, chosen, ZERO)
    return decided_factors


def _is_mask(factor: Expression) -> TypeGuard[Where]:
    return isinstance(factor, Where) and factor.otherwise == ZERO


def _needs_its_mask(factor: Expression) -> bool:
    """Whether it may be undefined, or overflow, or divides by what may underflow."""
    return is_partial(factor) or any(
        isinstance(each, Power) and isinstance(each.exponent, Number) and each.exponent.value < 0
        for each in factor.walk()
    )


def where_under_condition(node: Expression) -> Expression | None:
    """where(c, f*where(d, g, h), k) = where(c, f*g, k), where d follows from c: z != 0 from z > 0.

    In the other branch where it is the opposite: where(z > 0, k, f*where(z <= 0, g, h)).
    """
    if not isinstance(node, Where):
        return None
    known, opposite = conjuncts(node.condition), negated(node.condition)
    chosen = _without_implied(node.chosen, known)
    otherwise = _without_implied(node.otherwise, (opposite,))
    after = Where(node.condition, chosen, otherwise)
    return None if after == node else after


def _without_implied(part: Expression, known: Sequence[Expression]) -> Expression:
    """The part with what `where`s choose under these conditions; in a sum, those on none of its indices."""
    if isinstance(part, Reduction):
        known = [each for each in known if each.free_indices.isdisjoint(part.indices)]
    children = tuple([_without_implied(child, known) for child in part.children])
    after = part if children == part.children else part.with_children(children)
    if isinstance(after, Where) and all(
        condition in known or any(follows(condition, each) for each in known)
        for condition in conjuncts(after.condition)
    ):
        return after.chosen
    return after


def implied_alternative(node: Expression) -> Expression | None:
    """(f*min(g, h) <= f*g or g <= h) = (f*min(g, h) <= f*g): equal, where the other condition holds."""
    if not (isinstance(node, Logic) and node.operator == "or"):
        return None
    for place, operand in enumerate(node.operands):
        others = (*node.operands[:place], *node.operands[place + 1 :])
        known = conjuncts(operand)
        if any(_is_equal_under(other, known) for other in others):
            return Logic("or", others) if len(others) > 1 else others[0]
    return None


def _is_equal_under(condition: Expression, known: Sequence[Expression]) -> bool:
    match condition:
        case Comparison("<=" | ">=" | "==", left, right):
            return _decided_all_through(left, known) == _decided_all_through(right, known)
    return False


def rest_of_a_mask(node: Expression) -> Expression | None:
    """f - f*where(c, 1, 0) = where(c, 0, f), the first such terms of a sum."""
    if not isinstance(node, Add):
        return None
    for place, term in enumerate(node.terms):
        for factor in factors_of(term):
            if isinstance(factor, Where) and factor.is_indicator:
                whole = negate(multiply(*(each for each in factors_of(term) if each is not factor)))
                if whole in node.terms:
                    left = [each for at, each in enumerate(node.terms) if at != place]
                    left[left.index(whole)] = Where(factor.condition, ZERO, whole)
                    return Add(tuple(left)) if len(left) > 1 else left[0]
    return None


EXTREMUM_UNDER_CONDITION = stated(
    "extremum under a condition",
    "where(f <= g, h*min(f, g), k) = where(f <= g, h*f, k), min(f, g)*where(f <= g, h, 0) = "
    "f*where(f <= g, h, 0), 1/min(f, g)*where(f <= g, h, 0) = where(f <= g, h/f, 0), likewise maxima",
    extremum_under_condition,
    decreases="names and numbers",
    example="min(x[i], c)*where(x[i] <= c, y[j], 0)",
    near_miss="min(x[i], c)*where(x[i] > c, y[j], x[i])",
    roots=(Multiply, Where),
)
WHERE_UNDER_CONDITION = stated(
    "where under a condition",
    "where(c, f*where(d, g, h), k) = where(c, f*g, k), where(c, k, f*where(not c, g, h)) = where(c, k, f*g)",
    where_under_condition,
    where=(when("implied", "d"), when("no nan", "c")),
    decreases="wheres",
    example="where(c > 0, x[i]*where(c != 0, 1/c, 0), 0)",
    near_miss="where(c >= 0, x[i]*where(c != 0, 1/c, 0), 0)",
    roots=(Where,),
)
IMPLIED_ALTERNATIVE = stated(
    "implied alternative",
    "(f*min(g, h) >= f*g or g <= h) = (f*min(g, h) >= f*g), likewise <= and maxima",
    implied_alternative,
    where=(when("no nan", "f*g"),),
    decreases="names and numbers",
    example="where(c*min(x[i], y[j]) >= c*x[i] or x[i] <= y[j], c, 0)",
    near_miss="where(c*min(x[i], y[j]) >= c*x[i] or x[i] > y[j], c, 0)",
    roots=(Logic,),
)
REST_OF_A_MASK = stated(
    "rest of a mask",
    "f - f*where(c, 1, 0) = where(c, 0, f)",
    rest_of_a_mask,
    decreases="names and numbers",
    example="x[i] - x[i]*where(c > 0 and c < 1, 1, 0)",
    near_miss="x[i] - y[j]*where(c > 0 and c < 1, 1, 0)",
    roots=(Add,),
)
