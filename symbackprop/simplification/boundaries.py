"""Rules of choices at the ends of a recurrence: its first step, and what lies beyond its last."""

from __future__ import annotations

from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, is_sum, multiply
from symbackprop.notation.bounds import conjunction, conjuncts
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Comparison,
    Delta,
    Expression,
    Index,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.rewriting.rule import Rule
from symbackprop.simplification.affine import solved_sum


def fixed_position(node: Expression) -> Expression | None:
    """sum(t, where(t == p, f(t), 0)) = f(p) where p lies inside the axis, else 0."""
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, factor in enumerate(factors):
        if isinstance(factor, Where) and factor.otherwise == ZERO:
            parts = conjuncts(factor.condition)
            for part in parts:
                index, position = _equated(part, node.indices)
                if index is not None:
                    others = [other for other in parts if other != part]
                    inside = Where(conjunction(others), factor.chosen, ZERO) if others else factor.chosen
                    opened = (*factors[:place], Delta(index, position), inside, *factors[place + 1 :])
                    return solved_sum(
                        Reduction("sum", node.indices, Multiply(opened)), place, index, position
                    )
    return None


def _equated(condition: Expression, bound: tuple[Index, ...]) -> tuple[Index | None, Expression]:
    if isinstance(condition, Comparison) and condition.operator == "==" and not condition.tensors:
        for index, position in ((condition.left, condition.right), (condition.right, condition.left)):
            if isinstance(index, Index) and index in bound and not position.free_indices & frozenset(bound):
                return index, position
    return None, ZERO


def add_choices(node: Expression) -> Expression | None:
    """where(c, f, 0) + where(c, g, 0) = where(c, f + g, 0)."""
    if not isinstance(node, Add):
        return None
    conditions = [_condition_of(term) for term in node.terms]
    shared = {each for each in conditions if each is not None and conditions.count(each) > 1}
    if not shared:
        return None
    terms: list[Expression] = []
    done: set[Expression] = set()
    for term, condition in zip(node.terms, conditions, strict=True):
        if condition is None or condition not in shared:
            terms.append(term)
        elif condition not in done:
            done.add(condition)
            pairs = zip(node.terms, conditions, strict=True)
            chosen = [_chosen(other) for other, found in pairs if found == condition]
            terms.append(Where(condition, add(*chosen), ZERO))
    return add(*terms)


def _condition_of(term: Expression) -> Expression | None:
    """The condition of a choice with a number in front, without deltas, which want to stand apart."""
    _, rest = coefficient_and_rest(term)
    if len(rest) != 1 or not isinstance(rest[0], Where) or rest[0].otherwise != ZERO:
        return None
    has_delta = any(isinstance(part, Delta) for part in rest[0].walk())
    return None if has_delta else rest[0].condition


def _chosen(term: Expression) -> Expression:
    number, rest = coefficient_and_rest(term)
    choice = rest[0]
    assert isinstance(choice, Where)
    return multiply(Number(number), choice.chosen)


BOUNDARY_RULES = (
    Rule(
        "fixed position",
        "sum(t, where(t == p, f(t), 0)) = f(p)",
        fixed_position,
        "a bound index disappears",
    ),
    Rule(
        "add choices",
        "where(c, f, 0) + where(c, g, 0) = where(c, f + g, 0)",
        add_choices,
        "a choice disappears",
    ),
)
