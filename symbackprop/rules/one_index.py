"""One index, or one position, for those that a Kronecker delta ties, also one that a mask writes out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.integers.linear import divided, linear_form
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import (
    add,
    divide,
    factors_of,
    is_reciprocal,
    is_sum,
    multiply,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Where,
)
from symbackprop.notation.substitution import rename_bound, rewrite_bottom_up, substitute
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import WholeRule
from symbackprop.rules.conditions import (
    stated_where,
    when,
)
from symbackprop.rules.stating import stated

TIED = "tied indices"
BOTH = "one index for both"


def one_index_for_both(ours: frozenset[Index], theirs: frozenset[Index]) -> WholeRule:
    """The rule for a derivative whose numerator has `ours` and whose denominator has `theirs`."""

    def apply(node: Expression) -> Expression | None:
        ties, deltas, rest = with_one_index(node, ours, theirs)
        after = multiply(deltas, rest)
        return after if ties and after != node else None

    where = (when("of the numerator", "i", "j").words,)
    return WholeRule(
        BOTH,
        stated_where("delta(i,j)*f(i) = delta(i,j)*f(j)", where),
        apply,
        TIED,
        where,
        example="delta(i,i2)*x[i2]*c",
        near_miss="delta(j,j2)*x[i2]*c",
    )


def tied_indices(expression: Expression, context: MeasureContext) -> int:
    """How often an index of the numerator is written that a delta ties to one of the denominator."""
    ties, _, _ = with_one_index(expression, context.numerator, context.denominator)
    return sum(node in ties for node in expression.walk())


def with_one_index(
    expression: Expression, ours: frozenset[Index], theirs: frozenset[Index]
) -> tuple[dict[Index, Index], Expression, Expression]:
    """Where every term has a delta of one of `ours` and one of `theirs` as a factor, the latter for both.

    Returns which of ours they tie to which of theirs, the deltas' product, and the expression without them.
    """
    terms = terms_of(expression)
    ties: dict[Index, Index] = {}
    deltas: list[Delta] = []
    for factor in factors_of(terms[0]):
        tie = _tie(factor, ours, theirs)
        if tie and tie[0] not in ties and all(factor in factors_of(term) for term in terms):
            ties[tie[0]] = tie[1]
            deltas += [factor] if isinstance(factor, Delta) else []
    rest = [multiply(*(each for each in factors_of(term) if each not in deltas)) for term in terms]
    return ties, multiply(*deltas), substitute(add(*rest), ties)


def _tie(factor: Expression, ours: frozenset[Index], theirs: frozenset[Index]) -> tuple[Index, Index] | None:
    if isinstance(factor, Delta):
        for our, their in ((factor.left, factor.right), (factor.right, factor.left)):
            if (
                isinstance(our, Index)
                and isinstance(their, Index)
                and our in ours - theirs
                and their in theirs
            ):
                return our, their
    return None


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


def is_equated(total: Expression, outer: tuple[Index, ...]) -> bool:
    """Whether a mask under a sum says that an outer index is a position, which moves with an inner one."""
    masks = [each for each in factors_of(total.children[0]) if isinstance(each, Where)]
    parts = [part for mask in masks if mask.otherwise == ZERO for part in conjuncts(mask.condition)]
    found = [equated(part, outer) for part in parts]
    return any(each is not None and each[1].free_indices - total.free_indices for each in found)


def equated(condition: Expression, bound: tuple[Index, ...]) -> tuple[Index, Expression] | None:
    """An index that a condition says is a position, and that: b and 2*a + r - 1 of 2*a + r == b + 1."""
    if not (isinstance(condition, Comparison) and condition.operator == "==" and not condition.tensors):
        return None
    left, right = condition.left, condition.right
    pairs: list[tuple[Expression, Expression]] = [(left, right), (right, left)]
    form = linear_form(subtract(left, right))
    for each in bound:
        coefficient = form.coefficient(each)
        if abs(coefficient) == 1:
            pairs.append((each, form.without(each).scaled(-coefficient).expression()))
    for index, position in pairs:
        is_apart = index in bound and index not in position.free_indices
        if isinstance(index, Index) and is_apart and is_integer(position):
            return index, position
    return None


def whole_quotient(node: Expression) -> Expression | None:
    """delta(floor(f/m), p)*where(mod(f, m) == 0, g, 0) = where(f == m*p, g, 0), of a whole number p."""
    if not isinstance(node, Multiply):
        return None
    masks = [each for each in node.factors if isinstance(each, Where) and each.otherwise == ZERO]
    deltas = [each for each in node.factors if isinstance(each, Delta)] if masks else []
    for delta, mask in product(deltas, masks):
        for position, value in (delta.children, delta.children[::-1]):
            is_quotient = isinstance(position, Apply) and position.function == "floor"
            if not is_quotient or value.tensors or not is_integer(value):
                continue
            above, below = divided(position.children[0])
            parts = conjuncts(mask.condition)
            if any(_is_multiple(part, above, below) for part in parts):
                equal = Comparison("==", above, multiply(below, value))
                conditions = [equal if _is_multiple(part, above, below) else part for part in parts]
                joined = Where(conjunction(conditions), mask.chosen, ZERO)
                rest = (each for each in node.factors if each is not delta)
                return multiply(*(joined if each is mask else each for each in rest))
    return None


def _is_multiple(condition: Expression, number: Expression, by: Expression) -> bool:
    """Whether the condition is mod(number, by) == 0."""
    match condition:
        case Comparison("==", Apply("mod", (base, radix)), Number(zero)) if zero == 0:
            return linear_form(base) == linear_form(number) and linear_form(radix) == linear_form(by)
    return False


EQUAL_POSITIONS = stated(
    "equal positions",
    "delta(p,q)*t[p]/t[q] = delta(p,q), where(p == q, t[p]*f, 0)/t[q] = where(p == q, f, 0), "
    "t[q]*sum(i, delta(p,q)*f/t[p]) = sum(i, delta(p,q)*f)",
    equal_positions,
    decreases="size",
    example="c*where(ids[k] == i, x[i]*y[j], 0)/x[ids[k]]",
    near_miss="c*where(ids[k] == i, x[i]*y[j], 0)/A[ids[k],j]",
    roots=(Multiply,),
)
WHOLE_QUOTIENT = stated(
    "whole quotient",
    "delta(floor(f/m), p)*where(mod(f, m) == 0, g, 0) = where(f == m*p, g, 0)",
    whole_quotient,
    where=(when("about indices", "p"),),
    decreases="size",
    example="delta(floor((j + 1)/2), i)*y[j]*where(mod(j + 1, 2) == 0 and i > 0, c, 0)",
    near_miss="delta(floor((j + 1)/3), i)*y[j]*where(mod(j + 1, 2) == 0 and i > 0, c, 0)",
    roots=(Multiply,),
)
