"""Rules of `where`s whose conditions speak of indices: guards at the ends of an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts
from symbackprop.integers.linear import LinearForm, floor_quotient, linear_form
from symbackprop.notation.arithmetic import divide, factors_of, is_reciprocal, is_sum, multiply, subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Apply,
    Comparison,
    ComparisonOperator,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import rename_bound, rewrite_bottom_up
from symbackprop.rules.compared_values import COMPARED_MAXIMUM, POSITIVE_PART, follows
from symbackprop.rules.conditions import is_implied, when
from symbackprop.rules.stating import pattern_rule, stated


def straight_positions(node: Expression) -> Expression | None:
    """x[2*a + (i - 2*a)] = x[i]: positions multiplied out, equal parts added up."""
    match node:
        case Element() | MatrixFunction() | Delta():
            straight = tuple([_straight(position) for position in node.children])
        case Comparison() if not node.tensors:
            straight = tuple([_straight(side) for side in node.children])
        case _:
            return None
    return None if straight == node.children else node.with_children(straight)


def _straight(position: Expression) -> Expression:
    if isinstance(position, Index | Element | Size):
        return position
    return _with_digits_joined(linear_form(position)).expression()


def _with_digits_joined(form: LinearForm) -> LinearForm:
    """c for 3*floor(c/3) + mod(c,3)."""
    for unknown in form.coefficients:
        match unknown:
            case Apply("mod", (number, radix)):
                quotient = linear_form(multiply(floor_quotient(number, radix), radix))
                digits = quotient.plus(linear_form(unknown)).scaled(form.coefficient(unknown))
                rest = form.plus(digits, -1)
                if rest.coefficients.keys() <= form.coefficients.keys() - digits.coefficients.keys():
                    return rest.plus(linear_form(number), form.coefficient(unknown))
    return form


def decided_condition(node: Expression) -> Expression | None:
    """where(t + 1 > 0, f, g) = f: the ranges of the indices imply the condition, or rule it out."""
    if not isinstance(node, Where):
        return None
    parts = conjuncts(node.condition)
    open_parts = _open_parts(parts)
    if not open_parts:
        return node.chosen
    about_indices = [part for part in open_parts if not part.tensors]
    if about_indices and Knowledge.of((), tuple(about_indices)).is_contradictory:
        return node.otherwise
    if len(open_parts) == len(parts):
        return None
    return Where(conjunction(open_parts), node.chosen, node.otherwise)


def _open_parts(conditions: Sequence[Expression]) -> list[Expression]:
    """The conditions that follow neither from the ranges of their indices nor from one another."""
    kept = list(conditions)
    for condition in conditions:
        if condition.tensors and any(follows(condition, other) for other in kept if other != condition):
            kept.remove(condition)
        elif not condition.tensors:
            others = tuple([other for other in kept if other != condition and not other.tensors])
            if is_implied(condition, others):
                kept.remove(condition)
    return kept


def strict_comparison(node: Expression) -> Expression | None:
    """f <= g and f != g is f < g."""
    if not (isinstance(node, Logic) and node.operator == "and"):
        return None
    for place, part in enumerate(node.operands):
        if isinstance(part, Comparison) and part.operator in _STRICT and not part.tensors:
            for other in node.operands:
                if isinstance(other, Comparison) and other.operator == "!=" and _same_sides(part, other):
                    strict = Comparison(_STRICT[part.operator], part.left, part.right)
                    operands = (*node.operands[:place], strict, *node.operands[place + 1 :])
                    return conjunction([each for each in operands if each != other])
    return None


_STRICT: Mapping[str, ComparisonOperator] = {"<=": "<", ">=": ">"}


def _same_sides(one: Comparison, other: Comparison) -> bool:
    """Whether both compare the same difference with 0."""
    forms = [related_form(subtract(each.left, each.right)) for each in (one, other)]
    return forms[0] in (forms[1], forms[1].scaled(-1))


def equal_positions(node: Expression) -> Expression | None:
    """delta(p,q)*t[p]/t[q] = delta(p,q), and where(p == q, t[p]*f, 0)/t[q] = where(p == q, f, 0).

    The delta may stand under a sum that the other read stands beside.
    """
    if not isinstance(node, Multiply):
        return None
    found = _cancelled(node.factors, ())
    if found is not None:
        return multiply(*found[0])
    for place, factor in enumerate(node.factors):
        if is_sum(factor):
            others = (*node.factors[:place], *node.factors[place + 1 :])
            inner = rename_bound(factor, frozenset().union(*(each.free_indices for each in others)))
            found = _cancelled(factors_of(inner.body), others)
            if found is not None:
                inside, outside = found
                return multiply(*outside[:place], inner.with_children((multiply(*inside),)), *outside[place:])
    return None


def _cancelled(
    factors: Sequence[Expression], beside: Sequence[Expression]
) -> tuple[list[Expression], list[Expression]] | None:
    """The factors, and those beside, without t[p] and 1/t[q] where a delta or a mask says that p is q."""
    for place, mask in enumerate(factors):
        others = [*factors[:place], *factors[place + 1 :]]
        chosen = [*factors_of(mask.chosen)] if isinstance(mask, Where) else []
        groups = (others, list(beside), chosen)
        for here, there in _equal_sides(mask):
            for below in (each for group in groups for each in group if is_reciprocal(each)):
                above = _read_at(divide(ONE, below), there, here)
                if above != divide(ONE, below) and any(above in group for group in groups):
                    for each in (below, above):
                        next(group for group in groups if each in group).remove(each)
                    kept = Where(mask.condition, multiply(*chosen), ZERO) if isinstance(mask, Where) else mask
                    return [*others[:place], kept, *others[place:]], groups[1]
    return None


def _equal_sides(mask: Expression) -> tuple[tuple[Expression, Expression], ...]:
    """The positions that are equal wherever the factor is not 0, in both orders."""
    match mask:
        case Delta(p, q) | Where(Comparison("==", p, q), _, Number(value=0)):
            return (p, q), (q, p)
    return ()


def _read_at(node: Expression, there: Expression, here: Expression) -> Expression:
    """What a node reads at one position, read at another."""

    def moved(each: Expression) -> Expression:
        if not isinstance(each, Element):
            return each
        return each.with_children(tuple([here if p == there else p for p in each.children]))

    return rewrite_bottom_up(node, moved)


WHERE_RULES = (
    stated(
        "add up positions",
        "t[n*(f + g)] = t[n*f + n*g], with equal terms added up and 3*floor(f/3) + mod(f, 3) = f",
        straight_positions,
        decreases="size",
        example="z[q + (i - q)]",
        near_miss="z[i + j]",
        roots=(Element, MatrixFunction, Delta, Comparison),
    ),
    stated(
        "condition that holds",
        "where(c and d, f, g) = where(d, f, g), where(c, f, g) = f",
        decided_condition,
        where=(when("implied", "c"),),
        decreases="conditions",
        example="where(i + 1 > 0 and j > i, c, 0)",
        near_miss="where(j > i, c, 0)",
        roots=(Where,),
    ),
    pattern_rule(
        "join wheres",
        ("where(c, f*where(d, g, 0), 0)", "where(c and d, f*g, 0)"),
        where=(
            when("no where", "f"),
            when("may join", "f", "c", "d"),
            when("conjunction", "c"),
            when("conjunction", "d"),
        ),
        decreases="conditions",
        example="where(i > 0, x[i]*where(j < 2, c, 0), 0)",
        near_miss="where(i > 0, x[i]*where(j < 2, c, 1), 0)",
    ),
    pattern_rule(
        "join masks",
        ("where(c, 1, 0)*where(d, f, 0)*g", "where(c and d, f, 0)*g"),
        where=(when("about indices", "c"),),
        decreases="conditions",
        example="where(i > 0, 1, 0)*where(c > 0, x[i], 0)",
        near_miss="where(c > 1, 1, 0)*where(c > 0, x[i], 0)",
    ),
    pattern_rule(
        "join wheres alike",
        ("where(c, f, 0)*where(c, g, 0)*h", "where(c, f*g, 0)*h"),
        decreases="conditions",
        example="where(c > 0, x[i], 0)*y[j]*where(c > 0, 1/c, 0)",
        near_miss="where(c > 0, x[i], 0)*where(c > 1, 1/c, 0)",
    ),
    POSITIVE_PART,
    COMPARED_MAXIMUM,
    pattern_rule(
        "mask is 0 or 1",
        ("where(c, 1, 0)^n", "where(c, 1, 0)"),
        where=(when("positive number", "n"),),
        decreases="size",
        example="where(c > 0, 1, 0)^2",
        near_miss="where(c > 0, x[i], 0)^2",
    ),
    stated(
        "equal positions",
        "delta(p,q)*t[p]/t[q] = delta(p,q), where(p == q, t[p]*f, 0)/t[q] = where(p == q, f, 0), "
        "t[q]*sum(i, delta(p,q)*f/t[p]) = sum(i, delta(p,q)*f)",
        equal_positions,
        decreases="size",
        example="c*where(ids[k] == i, x[i]*y[j], 0)/x[ids[k]]",
        near_miss="c*where(ids[k] == i, x[i]*y[j], 0)/A[ids[k],j]",
        roots=(Multiply,),
    ),
    stated(
        "strict comparison",
        "f <= g and f != g = f < g",
        strict_comparison,
        where=(when("about indices", "f <= g"),),
        decreases="conditions",
        example="where(i <= j and c > 0 and j - i != 0, c, 0)",
        near_miss="where(i <= j and j - i != 1, c, 0)",
        roots=(Logic,),
    ),
    pattern_rule(
        "where out of sum",
        ("sum(i, where(c, f, 0)*g)", "where(c, sum(i, f*g), 0)"),
        where=(
            when("independent", "c", "i"),
            when("about indices", "c"),
            # What is contracted first leaves its factors outside the `where`.
            when("no delta factor", "g"),
        ),
        decreases="factors under sums",
        example="sum(j, where(i > 0, c, 0)*y[j])",
        near_miss="sum(j, where(j > 0, c, 0)*y[j])",
    ),
)
