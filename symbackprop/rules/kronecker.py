"""Rules of the Kronecker delta. Each removes a delta, or moves it towards the sum that will."""

from __future__ import annotations

from symbackprop.integers.leaving_guards import is_readable_without
from symbackprop.notation.arithmetic import add, factors_of, is_sum, multiply, terms_of
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Comparison,
    Delta,
    Expression,
    Index,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.rewriting.premises import KnownRanges
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import contains_delta, when
from symbackprop.rules.position_deltas import contract_position, solved_sum
from symbackprop.rules.stating import pattern_rule, stated
from symbackprop.systems.partial import Ranges


def contract(node: Expression) -> Expression | None:
    """sum(i, delta(i,j)*f(i)) = f(j)."""
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, factor in enumerate(factors):
        if isinstance(factor, Delta):
            solved = _solve(factor, node.indices)
            if solved is None:
                continue
            index, value = solved
            others = (*factors[:place], *factors[place + 1 :])
            # delta(t - 1, s)*delta(t, 2)*d[t]: d[s + 1] keeps a recurrence in sight, where d[2] does not,
            # nor d[ids[n]].
            tied = any(isinstance(other, Delta) and index in other.free_indices for other in others)
            hides_step = not value.free_indices or bool(value.tensors)
            if hides_step and tied and contract_position(node) is not None:
                continue
            return solved_sum(node, place, index, value)
    return None


def _solve(delta: Delta, bound: tuple[Index, ...]) -> tuple[Index, Expression] | None:
    for index, value in ((delta.left, delta.right), (delta.right, delta.left)):
        if isinstance(index, Index) and index in bound and index not in value.free_indices:
            return index, value
    return None


def delta_for_where(node: Expression) -> Expression | None:
    """sum(i, where(i == j, 1, 0)*f + g) = sum(i, delta(i,j)*f + g), which the sum then contracts."""
    if not is_sum(node):
        return None
    body = _with_deltas(node.body, frozenset(node.indices))
    return None if body is node.body else node.with_children((body,))


def _with_deltas(node: Expression, bound: frozenset[Index]) -> Expression:
    match node:
        case Where(Comparison("==", Index() as one, Index() as other)):
            if node.is_indicator and not bound.isdisjoint((one, other)):
                return Delta(one, other)
    if not isinstance(node, Add | Multiply | Where):
        return node
    children = tuple([_with_deltas(child, bound) for child in node.children])
    same = all(new is old for new, old in zip(children, node.children, strict=True))
    return node if same else node.with_children(children)


def distribute(node: Expression) -> Expression | None:
    """(f + g)*h = f*h + g*h where f + g holds a delta: each delta meets its own sum."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        if isinstance(factor, Add) and contains_delta(factor):
            before, after = node.factors[:place], node.factors[place + 1 :]
            return add(*(multiply(*before, term, *after) for term in factor.terms))
    return None


def out_of_addition(node: Expression) -> Expression | None:
    """(delta*f + delta*g)*h = delta*(f + g)*h: nothing is multiplied out where every term has the delta."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        if isinstance(factor, Add) and contains_delta(factor):
            deltas = set.intersection(*(_deltas_of(term) for term in factor.terms))
            inside = add(*(_without_deltas(term, deltas) for term in factor.terms))
            if deltas and not contains_delta(inside):
                before, after = node.factors[:place], node.factors[place + 1 :]
                ordered = [each for each in factors_of(factor.terms[0]) if each in deltas]
                return multiply(*before, *ordered, inside, *after)
    return None


def _deltas_of(term: Expression) -> set[Expression]:
    return {factor for factor in factors_of(term) if isinstance(factor, Delta)}


def _without_deltas(term: Expression, deltas: set[Expression]) -> Expression:
    return multiply(*(factor for factor in factors_of(term) if factor not in deltas))


def separate(node: Expression) -> Expression | None:
    """sum(i, f + g) = sum(i, f) + sum(i, g) where f or g holds a delta."""
    if not is_sum(node) or not isinstance(node.body, Add):
        return None
    if not contains_delta(node.body):
        return None
    return add(*(Reduction("sum", node.indices, term) for term in node.body.terms))


def out_of_where(node: Expression, ranges: Ranges) -> Expression | None:
    """where(c, delta*f, delta*g) = delta*where(c, f, g); a branch that is 0 has every factor."""
    if not isinstance(node, Where):
        return None
    branches = [branch for branch in (node.chosen, node.otherwise) if branch != ZERO]
    first = factors_of(branches[0]) if branches else ()
    common = [factor for factor in first if _may_leave(factor, node.condition, ranges)]
    common = [delta for delta in common if all(delta in factors_of(branch) for branch in branches)]
    if not common:
        return None

    def without(branch: Expression) -> Expression:
        return multiply(*(factor for factor in factors_of(branch) if factor not in common))

    chosen, otherwise = (ZERO if branch == ZERO else without(branch) for branch in node.children[1:])
    return multiply(*common, Where(node.condition, chosen, otherwise))


def _may_leave(factor: Expression, condition: Expression, ranges: Ranges) -> bool:
    """Whether it is a delta of places that are some, and in their axes, where the condition does not hold."""
    is_readable = isinstance(factor, Delta) and is_readable_without(factor, condition, ranges.axes)
    return is_readable and not ranges.is_partial(factor)


def split_where(node: Expression, ranges: Ranges) -> Expression | None:
    """where(c, f, g) = where(c, f, 0) + where(c, 0, g), and term by term, where deltas differ."""
    if not isinstance(node, Where) or not (contains_delta(node.chosen) or contains_delta(node.otherwise)):
        return None
    if out_of_where(node, ranges) is not None:
        return None
    chosen, otherwise = terms_of(node.chosen), terms_of(node.otherwise)
    pieces = [Where(node.condition, term, ZERO) for term in chosen if term != ZERO]
    pieces += [Where(node.condition, ZERO, term) for term in otherwise if term != ZERO]
    return add(*pieces) if len(pieces) > 1 else None


CONTRACT_DELTA = stated(
    "contract delta",
    "sum(i, delta(i,j)*f(i)) = f(j), or 0 if j is outside the axis of i",
    contract,
    where=(when("independent", "j", "i"),),
    decreases="bound indices",
    example="sum(i2, delta(i2,i)*x[i2]*A[i2,j])",
    near_miss="sum(i2, delta(j,j2)*x[i2])",
    roots=(Reduction,),
)

KRONECKER_RULES = (
    stated(
        "delta for where",
        "sum(i, where(i == j, 1, 0)*f + g) = sum(i, delta(i,j)*f + g)",
        delta_for_where,
        where=(when("index", "j"),),
        decreases="conditions",
        example="sum(j, (y[j] + where(j == j2, 1, 0))*T[j,j3])",
        near_miss="(y[j] + where(j == j2, 1, 0))*T[j,j3]",
        roots=(Reduction,),
    ),
    pattern_rule(
        "delta of one index",
        ("delta(f, f)", "1"),
        decreases="size",
        example="delta(i, i)",
        near_miss="delta(i, i2)",
    ),
    pattern_rule(
        "delta is 0 or 1",
        ("delta(f, g)^n", "delta(f, g)"),
        where=(when("positive number", "n"),),
        decreases="size",
        example="delta(i, i2)^2",
        near_miss="A[i,j]^2",
    ),
    CONTRACT_DELTA,
    stated(
        "delta out of addition",
        "(delta(i,j)*f + delta(i,j)*g)*h = delta(i,j)*(f + g)*h",
        out_of_addition,
        where=(when("no delta", "f + g"),),
        decreases="sums to multiply out",
        example="(delta(i,i2)*x[i] + delta(i,i2))*y[j]",
        near_miss="(delta(i,i2)*x[i] + c)*y[j]",
        roots=(Multiply,),
    ),
    stated(
        "multiply out",
        "(f + g)*h = f*h + g*h",
        distribute,
        where=(when("has delta", "f + g"),),
        decreases="sums to multiply out",
        example="(delta(i,i2) + x[i])*y[j]",
        near_miss="(x[i] + c)*y[j]",
        roots=(Multiply,),
    ),
    stated(
        "separate sum",
        "sum(i, f + g) = sum(i, f) + sum(i, g)",
        separate,
        where=(when("has delta", "f + g"),),
        decreases="sums to multiply out",
        example="sum(i2, delta(i2,i) + x[i2])",
        near_miss="sum(i2, x[i2] + c)",
        roots=(Reduction,),
    ),
)


def where_rules(ranges: Ranges) -> tuple[Rule, ...]:
    """Those of deltas in branches, where so much is known of the tensors that the deltas look up."""
    return (
        stated(
            "delta out of where",
            "where(c, delta(i,j)*f, delta(i,j)*g) = delta(i,j)*where(c, f, g)",
            lambda node: out_of_where(node, ranges),
            where=(when("not partial", "delta(i,j)"), when("readable", "delta(i,j)", "c")),
            decreases="deltas under wheres",
            example="where(c > 0, delta(i,i2)*c, 0)",
            near_miss="where(c > 0, delta(ids[floor(k/2)],i)*c, 0)",
            premise=lambda node: KnownRanges.of(ranges, _looked_up(node)),
            roots=(Where,),
        ),
        stated(
            "split where",
            "where(c, f + g, h) = where(c, f, 0) + where(c, g, 0) + where(c, 0, h)",
            lambda node: split_where(node, ranges),
            where=(when("has delta", "f + g + h"),),
            decreases="sums to multiply out",
            example="where(c > 0, delta(i,i2), delta(j,j2))",
            near_miss="where(c > 0, x[i], y[j])",
            premise=lambda node: KnownRanges.of(ranges, _looked_up(node)),
            roots=(Where,),
        ),
    )


def _looked_up(node: Expression) -> frozenset[str]:
    deltas = (each for each in node.walk() if isinstance(each, Delta))
    return frozenset[str]().union(*(each.tensors for each in deltas))
