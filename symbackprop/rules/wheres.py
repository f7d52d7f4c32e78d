"""Rules of `where`s whose conditions speak of indices: guards at the ends of an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts
from symbackprop.integers.linear import LinearForm, floor_quotient, linear_form
from symbackprop.notation.arithmetic import factors_of, is_sum, multiply, subtract
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
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.rewriting.rule import Rule


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
    """where(t + 1 > 0, f, g) = f: what the ranges of the indices decide is no condition."""
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
        if not condition.tensors:
            others = [other for other in kept if other != condition and not other.tensors]
            if Knowledge.of((condition,), tuple(others)).proves(condition):
                kept.remove(condition)
    return kept


def nested_where(node: Expression) -> Expression | None:
    """where(c, f*where(d, g, 0), 0) = where(c and d, f*g, 0) where c and d speak of indices, or f is 1."""
    if not isinstance(node, Where) or node.otherwise != ZERO:
        return None
    factors = factors_of(node.chosen)
    choices = [factor for factor in factors if isinstance(factor, Where) and factor.otherwise == ZERO]
    if len(choices) != 1:
        return None
    inner = choices[0]
    if len(factors) > 1 and (node.condition.tensors or inner.condition.tensors):
        return None  # a mask of values is a factor of its own
    if any(isinstance(part, Logic) for part in (*conjuncts(node.condition), *conjuncts(inner.condition))):
        return None
    chosen = multiply(*(inner.chosen if factor is inner else factor for factor in factors))
    return Where(conjunction((node.condition, inner.condition)), chosen, ZERO)


def join_masks(node: Expression) -> Expression | None:
    """where(c, 1, 0)*where(d, f, 0) = where(c and d, f, 0) where c speaks of indices alone."""
    if not isinstance(node, Multiply):
        return None
    for place, mask in enumerate(node.factors):
        if isinstance(mask, Where) and (mask.chosen, mask.otherwise) == (ONE, ZERO):
            others = (*node.factors[:place], *node.factors[place + 1 :])
            for number, other in enumerate(others):
                if not mask.condition.tensors and isinstance(other, Where) and other.otherwise == ZERO:
                    joined = Where(conjunction((mask.condition, other.condition)), other.chosen, ZERO)
                    return multiply(*others[:number], joined, *others[number + 1 :])
    return None


def join_equal_wheres(node: Expression) -> Expression | None:
    """where(c, f, 0)*where(c, g, 0) = where(c, f*g, 0)."""
    if not isinstance(node, Multiply):
        return None
    conditions = [
        each.condition if isinstance(each, Where) and each.otherwise == ZERO else None
        for each in node.factors
    ]
    for condition in conditions:
        if condition is not None and conditions.count(condition) > 1:
            places = [place for place, each in enumerate(conditions) if each == condition]
            chosen = multiply(*(node.factors[place].children[1] for place in places))
            rest = [each for place, each in enumerate(node.factors) if place not in places[1:]]
            rest[places[0]] = Where(condition, chosen, ZERO)
            return multiply(*rest)
    return None


def strict_comparison(node: Expression) -> Expression | None:
    """s <= t and s != t is s < t."""
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
    forms = [linear_form(subtract(each.left, each.right)) for each in (one, other)]
    return forms[0] in (forms[1], forms[1].scaled(-1))


def where_out_of_sum(node: Expression) -> Expression | None:
    """sum(i, where(c, f, 0)*g) = where(c, sum(i, f*g), 0) where c speaks of other indices than i."""
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    if any(isinstance(factor, Delta) and not factor.tensors for factor in factors):
        return None  # a delta that is contracted first leaves its factors outside the `where`
    for place, factor in enumerate(factors):
        if isinstance(factor, Where) and factor.otherwise == ZERO and not factor.condition.tensors:
            if factor.condition.free_indices & frozenset(node.indices):
                continue
            body = multiply(*factors[:place], factor.chosen, *factors[place + 1 :])
            return Where(factor.condition, Reduction("sum", node.indices, body), ZERO)
    return None


WHERE_RULES = (
    Rule("add up positions", "x[2*a + (i - 2*a)] = x[i]", straight_positions, "the position gets shorter"),
    Rule(
        "condition that holds",
        "where(t + 1 > 0, f, g) = f, for t >= 0",
        decided_condition,
        "a condition disappears",
    ),
    Rule(
        "join wheres",
        "where(c, f*where(d, g, 0), 0) = where(c and d, f*g, 0)",
        nested_where,
        "a where goes",
    ),
    Rule(
        "join masks",
        "where(c, 1, 0)*where(d, f, 0) = where(c and d, f, 0)",
        join_masks,
        "a where disappears",
    ),
    Rule(
        "join wheres alike",
        "where(c, f, 0)*where(c, g, 0) = where(c, f*g, 0)",
        join_equal_wheres,
        "a where disappears",
    ),
    Rule("strict comparison", "s <= t and s != t is s < t", strict_comparison, "a comparison disappears"),
    Rule(
        "where out of sum",
        "sum(i, where(c, f, 0)*g) = where(c, sum(i, f*g), 0)",
        where_out_of_sum,
        "a where moves outwards",
    ),
)
