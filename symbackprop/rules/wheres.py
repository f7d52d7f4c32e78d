"""Rules of `where`s whose conditions speak of indices: guards at the ends of an axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import combinations

from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts
from symbackprop.integers.linear import LinearForm, floor_quotient, linear_form
from symbackprop.notation.arithmetic import add, multiply, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Apply,
    Comparison,
    ComparisonOperator,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.rules.compared_values import RULES_OF_VALUES, follows
from symbackprop.rules.conditions import (
    is_about_indices,
    is_implied,
    when,
)
from symbackprop.rules.one_index import EQUAL_POSITIONS, WHOLE_QUOTIENT
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
    """where(t + 1 > 0, f, g) = f: the ranges of the indices imply the condition, or rule it out.

    Where an index of a branch, or of a factor, has a value at all, its axis is not empty: size(t) > 0 beside
    x[t].
    """
    match node:
        case Where():
            return _decided(node, node.free_indices)
        case Multiply():
            after = _with_sizes_decided(node, node.free_indices)
            return None if after is node else after
    return None


def _with_sizes_decided(node: Expression, indices: Set[Index]) -> Expression:
    """A factor or sum without masks of the sizes of its indices' axes; guards of what is read stay."""
    match node:
        case Where() if node.is_indicator and not node.condition.free_indices:
            return _decided(node, indices) or node
        case Add() | Multiply():
            parts = tuple([_with_sizes_decided(each, indices) for each in node.children])
            joined = add if isinstance(node, Add) else multiply
            return node if parts == node.children else joined(*parts)
    return node


def _decided(node: Where, indices: Set[Index]) -> Expression | None:
    parts = conjuncts(node.condition)
    inside = _inside_axes(node.condition, indices)
    open_parts = _open_parts(parts, inside)
    if not open_parts:
        return node.chosen
    about_indices = list(filter(is_about_indices, open_parts))
    if about_indices and Knowledge.of((), (*about_indices, *inside)).is_contradictory:
        return node.otherwise
    if len(open_parts) == len(parts):
        return None
    return Where(conjunction(open_parts), node.chosen, node.otherwise)


def _inside_axes(condition: Expression, indices: Set[Index]) -> tuple[Expression, ...]:
    """That the indices have values, of those over axes whose sizes the condition compares."""
    sizes = {each.axis for each in condition.walk() if isinstance(each, Size)}
    found = [index for index in indices if index.axis in sizes] if sizes else []
    return tuple([Comparison(">=", index, ZERO) for index in sorted(found, key=lambda index: index.name)])


def _open_parts(conditions: Sequence[Expression], inside: tuple[Expression, ...]) -> list[Expression]:
    """The conditions that follow neither from the ranges of indices nor from one another."""
    kept = list(conditions)
    for condition in conditions:
        if condition.tensors and any(follows(condition, other) for other in kept if other != condition):
            kept.remove(condition)
        elif not condition.tensors:
            others = [other for other in kept if other != condition and not other.tensors]
            if is_implied(condition, (*others, *inside)):
                kept.remove(condition)
    return kept


def implied_around(node: Expression) -> Expression | None:
    """where(c, where(d, f, 0), 0) = where(d, f, 0) where d implies c: an earlier branch is another place."""
    if not (isinstance(node, Where) and isinstance(node.chosen, Where) and node.otherwise == ZERO):
        return None
    cases = list(_cases_that_choose(node.chosen))
    parts = conjuncts(node.condition)
    # A condition on values may be read under those before it: s != 0 and ok[s - 1] > 0.
    last = max((at for at, part in enumerate(parts) if part.tensors), default=-1)
    left = [p for at, p in enumerate(parts) if at <= last or not all(is_implied(p, case) for case in cases)]
    if len(left) == len(parts):
        return None
    return Where(conjunction(left), node.chosen, ZERO) if left else node.chosen


def join_equal(node: Expression) -> Expression | None:
    """where(t >= 1, f, 0)*where(t > 0, g, 0) = where(t >= 1, f*g, 0): each condition says the other.

    Of a condition that says less, a guard of what is read may be lost with the other.
    """
    if not isinstance(node, Multiply):
        return None
    masks = [factor for factor in node.factors if isinstance(factor, Where) and factor.otherwise == ZERO]
    for one, other in combinations(masks, 2):
        if _say_the_same(one.condition, other.condition):
            joined = Where(one.condition, multiply(one.chosen, other.chosen), ZERO)
            return multiply(*(joined if each is one else each for each in node.factors if each is not other))
    return None


def _say_the_same(one: Expression, other: Expression) -> bool:
    """Whether neither reads a tensor, and each follows from the other and the ranges of its indices."""
    if one.tensors or other.tensors:
        return False
    return is_implied(one, conjuncts(other)) and is_implied(other, conjuncts(one))


def _cases_that_choose(node: Expression) -> Iterator[tuple[Expression, ...]]:
    """What each branch other than 0 says of indices; nothing of the last one."""
    while isinstance(node, Where):
        yield tuple([part for part in conjuncts(node.condition) if not part.tensors])
        node = node.otherwise
    if node != ZERO:
        yield ()


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
        roots=(Where, Multiply),
    ),
    stated(
        "where within a where",
        "where(c and d, where(e, f, 0), 0) = where(d, where(e, f, 0), 0)",
        implied_around,
        where=(when("implied", "c"),),
        decreases="conditions",
        example="where(i != 0 or j != 1, where(i == 0 and j == 0, c, 0), 0)",
        near_miss="where(i != 0 or j != 1, where(i == 0, c, 0), 0)",
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
    stated(
        "join equal wheres",
        "where(c, f, 0)*where(d, g, 0)*h = where(c, f*g, 0)*h",
        join_equal,
        where=(when("alike", "c", "d"),),
        decreases="conditions",
        example="where(i > 0, c, 0)*y[j]*where(i >= 1, x[i - 1], 0)",
        near_miss="where(i > 0, c, 0)*y[j]*where(i > 1, x[i - 1], 0)",
        roots=(Multiply,),
    ),
    *RULES_OF_VALUES,
    pattern_rule(
        "mask is 0 or 1",
        ("where(c, 1, 0)^n", "where(c, 1, 0)"),
        where=(when("positive number", "n"),),
        decreases="size",
        example="where(c > 0, 1, 0)^2",
        near_miss="where(c > 0, x[i], 0)^2",
    ),
    EQUAL_POSITIONS,
    WHOLE_QUOTIENT,
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
