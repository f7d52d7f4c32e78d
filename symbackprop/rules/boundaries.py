"""Rules of `where`s at the ends of a recurrence: its first step, and what lies beyond its last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TypeGuard

from symbackprop.integers.bounds import conjunction
from symbackprop.integers.guards import conditions_of_zero, without_conditions
from symbackprop.integers.pointers import is_pointed, side_told, with_deltas_told
from symbackprop.notation.arithmetic import add, factors_of, multiply, terms_of
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.notation.matrix_functions import readings
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.rewriting.premises import KnownRanges, Recurrence
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.compared_values import ADD_WHERES
from symbackprop.rules.conditions import needs_no_guard, when
from symbackprop.rules.position_deltas import fixed_position
from symbackprop.rules.stating import stated
from symbackprop.systems.partial import Ranges


def read_under_where(
    node: Expression, places: Mapping[str, int], step: Index | None, ranges: Ranges
) -> Expression | None:
    """where(t < s, w, 0)*a[s] = w*where(t < s, a[s], 0), in what is computed at step t.

    `places` says for each tensor of the recurrence which of its positions is the step. Where that is at one
    step alone, None, every `where` counts that speaks of the steps read.
    """
    if not isinstance(node, Multiply):
        return None
    for place, where in enumerate(node.factors):
        if isinstance(where, Where) and where.otherwise == ZERO:
            others = (*node.factors[:place], *node.factors[place + 1 :])
            read = sorted(_steps_read(others, places), key=attrgetter("name"))
            where = with_deltas_told(where, others, read, step, ranges.is_partial(where.chosen))
            guards = (each.free_indices for each in conditions_of_zero(where))
            guarded = frozenset[Index]().union(*(each for each in guards if step is None or step in each))
            shared = guarded & _steps_read(others, places) - {step}
            pointing = [each for each in others if is_pointed(each, places, step, where.condition)]
            if shared or pointing:
                # What leaves the `where` is read everywhere; what stood outside of it is anyhow.
                own = [(f, not needs_no_guard(f, where.condition, ranges)) for f in factors_of(where.chosen)]
                every = [*own, *((other, other in pointing) for other in others)]
                inside = [part for part, stays in every if stays or _moves(part, shared)]
                outside = [part for part, stays in every if not (stays or _moves(part, shared))]
                return multiply(*outside, Where(where.condition, multiply(*inside), ZERO))
    return None


def read_under_sum(
    node: Expression, places: Mapping[str, int], step: Index, ranges: Ranges
) -> Expression | None:
    """where(s > 0, sum(k, delta(p,t)*f), 0)*a[s] = sum(k, delta(p,t)*where(t < s, f*a[s], 0)), at step t."""
    if not isinstance(node, Multiply):
        return None
    for place, where in enumerate(node.factors):
        if not isinstance(where, Where) or where.otherwise != ZERO or step in where.condition.free_indices:
            continue
        others = (*node.factors[:place], *node.factors[place + 1 :])
        factors = factors_of(where.chosen)
        for number, total in enumerate(factors):
            if _sums_deltas(total) and node.free_indices.isdisjoint(total.indices):
                rest = (*factors[:number], *factors[number + 1 :])
                alone = multiply(Where(where.condition, multiply(*rest, total.body), ZERO), *others)
                read = read_under_where(alone, places, step, ranges)
                if read is not None:
                    return Reduction("sum", total.indices, read)
    return None


def _sums_deltas(factor: Expression) -> TypeGuard[Reduction]:
    is_sum = isinstance(factor, Reduction) and factor.kind == "sum"
    return is_sum and any(isinstance(each, Delta) for each in factors_of(factor.children[0]))


def delta_as_guard(
    node: Expression, places: Mapping[str, int], step: Index, ranges: Ranges
) -> Expression | None:
    """delta(floor(s/2),t)*a[s] = where(floor(s/2) == t, a[s], 0), in what is computed at step t.

    A delta of a lookup stays: delta(s - 1 - b[s],t)*a[s] is delta(s - 1 - b[s],t)*where(t < s, a[s], 0).

    At t = 0 alone all later steps may be read: delta(0,t)*sum(s, where(s > 0, w[s], 0)*a[s]) becomes
    where(t == 0, sum(s, where(s > 0, w[s]*a[s], 0)), 0).
    """
    if not isinstance(node, Multiply):
        return None

    def guarded(inner: Expression) -> Expression:
        return read_under_where(inner, places, None, ranges) or inner

    for place, delta in enumerate(node.factors):
        if isinstance(delta, Delta) and step in (delta.left, delta.right):
            others = (*node.factors[:place], *node.factors[place + 1 :])
            read = _steps_read([each for each in others if isinstance(each, Element)], places)
            if delta.tensors:
                told = side_told(delta, sorted(read, key=attrgetter("name")), step)
                if told is not None and not any(isinstance(each, Where) for each in others):
                    return multiply(delta, Where(told, multiply(*others), ZERO))
                continue
            if delta.free_indices == {step} and any(_reads_many(each, places) for each in others):
                fixed = delta.left if delta.right == step else delta.right
                inside = (rewrite_bottom_up(each, guarded) for each in others)
                return Where(Comparison("==", step, fixed), multiply(*inside), ZERO)
            if read & (delta.free_indices - {step}):
                return Where(Comparison("==", *delta.children), multiply(*others), ZERO)
    return None


def _reads_many(factor: Expression, places: Mapping[str, int]) -> bool:
    """Whether the recurrence is read at steps that the factor binds."""
    reads = (read for read in readings(factor) if read.tensor in places)
    return any(read.positions[places[read.tensor]].free_indices - factor.free_indices for read in reads)


def deltas_apart(
    node: Expression, places: Mapping[str, int], step: Index, ranges: Ranges
) -> Expression | None:
    """where(c, delta(p,t)*f + g, 0)*a[s] = delta(p,t)*where(c', f*a[s], 0) + where(c, g*a[s], 0).

    That is at step t, c' being c with t for p: p < s says that a[s] is a later step, as t < s in f may.
    """
    if not isinstance(node, Multiply):
        return None
    for place, where in enumerate(node.factors):
        others = (*node.factors[:place], *node.factors[place + 1 :])
        if isinstance(where, Where) and where.otherwise == ZERO and _steps_read(others, places):
            for term in where.chosen.terms if isinstance(where.chosen, Add) else ():
                apart = _delta_apart(where, term, others, places, step, ranges)
                if apart is not None:
                    return apart
    return None


def guard_of_all_terms(
    node: Expression, places: Mapping[str, int], step: Index, ranges: Ranges
) -> Expression | None:
    """(u*where(t < s, w, 0) + where(t < s, v, 0))*a[s] = where(t < s, (u*w + v)*a[s], 0), at step t."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        others = (*node.factors[:place], *node.factors[place + 1 :])
        if isinstance(factor, Add) and _steps_read(others, places):
            common = [each for each in conditions_of_zero(factor) if step in each.free_indices]
            if common:
                where = Where(conjunction(common), without_conditions(factor, common), ZERO)
                return read_under_where(multiply(where, *others), places, step, ranges)
    return None


def _delta_apart(
    where: Where,
    term: Expression,
    others: Sequence[Expression],
    places: Mapping[str, int],
    step: Index,
    ranges: Ranges,
) -> Expression | None:
    """The product, a term of the where by itself; None where no delta has the condition say its step."""
    delta = next((f for f in factors_of(term) if isinstance(f, Delta) and step in f.children), None)
    if delta is None:
        return None
    looked_up = delta.left if delta.right == step else delta.right
    condition = rewrite_bottom_up(where.condition, lambda each: step if each == looked_up else each)
    if condition == where.condition:  # the term may say its step by itself
        alone = multiply(Where(condition, term, ZERO), *others)
        says = step not in condition.free_indices or conditions_of_zero(term)
        first = read_under_where(alone, places, step, ranges) if says else None
    else:
        rest = (factor for factor in factors_of(term) if factor != delta)
        first = multiply(delta, Where(condition, multiply(*rest, *others), ZERO))
    left = add(*(each for each in terms_of(where.chosen) if each != term))
    return first and add(first, multiply(Where(where.condition, left, ZERO), *others))


def _moves(factor: Expression, steps: frozenset[Index]) -> bool:
    return bool(factor.free_indices & steps) and not isinstance(factor, Delta)


def _steps_read(factors: Sequence[Expression], places: Mapping[str, int]) -> frozenset[Index]:
    """The indices that say at which steps the recurrence is read; one that a factor binds is another one."""
    found: set[Index] = set()
    for factor in factors:
        for read in readings(factor):
            if read.tensor in places:
                found |= read.positions[places[read.tensor]].free_indices & factor.free_indices
    return frozenset(found)


def recurrence_rules(places: Mapping[str, int], step: Index, ranges: Ranges) -> tuple[Rule, ...]:
    """The rules for what is computed at a step of a recurrence."""

    def premise(node: Expression) -> Recurrence:
        return Recurrence(tuple(sorted(places.items())), step, KnownRanges.of(ranges, node.tensors))

    return (*_delta_rules(places, step, ranges, premise), *_guard_rules(places, step, ranges, premise))


def _delta_rules(
    places: Mapping[str, int], step: Index, ranges: Ranges, premise: Callable[[Expression], Recurrence]
) -> tuple[Rule, ...]:
    return (
        stated(
            "deltas of a where apart",
            "where(c, delta(i,p)*f + g, 0)*h = delta(i,p)*where(c', f*h, 0) + where(c, g, 0)*h, "
            "c' being c with i for p",
            lambda node: deltas_apart(node, places, step, ranges),
            where=(when("loop-carried", "h", "c"),),
            decreases="deltas of wheres beside loop-carried reads",
            example="where(floor(s/2) < s, c*delta(floor(s/2),t) + w[s], 0)*a[s]",
            near_miss="where(floor(s/2) < s, c*delta(floor(s/2),t) + w[s], 0)*v[s]",
            premise=premise,
            roots=(Multiply,),
        ),
        stated(
            "delta as a guard",
            "delta(i,p)*f = where(i == p, f, 0); delta(i,p)*f = delta(i,p)*where(i < j, f, 0) for p < j",
            lambda node: delta_as_guard(node, places, step, ranges),
            where=(when("loop-carried at", "f", "p"),),
            decreases="loop-carried reads beside deltas",
            example="delta(floor(s/2),t)*a[s]",
            near_miss="delta(floor(s/2),t)*v[s]",
            premise=premise,
            roots=(Multiply,),
        ),
    )


def _guard_rules(
    places: Mapping[str, int], step: Index, ranges: Ranges, premise: Callable[[Expression], Recurrence]
) -> tuple[Rule, ...]:
    return (
        stated(
            "read under the where",
            "where(c, f*g, 0)*h = f*where(c, g*h, 0); c with what a delta beside it or in g tells of it",
            lambda node: read_under_where(node, places, step, ranges),
            where=(when("loop-carried", "h", "c"), when("not partial", "f"), when("readable", "f", "c")),
            decreases="loop-carried reads beside wheres",
            example="where(t < s, w[t], 0)*a[s]",
            near_miss="where(t < s, w[t], 0)*v[s]",
            premise=premise,
            roots=(Multiply,),
        ),
        stated(
            "read under the sum",
            "where(c, sum(j, f), 0)*h = sum(j, where(c2, f*h, 0)), c2 being c with what a delta in f tells",
            lambda node: read_under_sum(node, places, step, ranges),
            where=(
                when("loop-carried", "h", "c2"),
                when("independent", "c", "j"),
                when("independent", "h", "j"),
            ),
            decreases="deltas of wheres beside loop-carried reads",
            example="where(s > 0, sum(d, delta(where(u[0,0,s,d] > 0, s - 1, 0),t)), 0)*a[s]",
            near_miss="where(s > 0, sum(d, delta(where(u[0,0,s,d] > 0, s - 1, 0),t)), 0)*v[s]",
            premise=premise,
            roots=(Multiply,),
        ),
        stated(
            "guard of all terms",
            "(f*where(c, g, 0) + where(c, g2, 0))*h = where(c, (f*g + g2)*h, 0)",
            lambda node: guard_of_all_terms(node, places, step, ranges),
            where=(when("loop-carried", "h", "c"),),
            decreases="loop-carried reads beside wheres",
            example="(c*where(t < s, w[t], 0) + where(t < s, w[s], 0))*a[s]",
            near_miss="(c*where(t < s, w[t], 0) + w[s])*a[s]",
            premise=premise,
            roots=(Multiply,),
        ),
    )


BOUNDARY_RULES = (
    stated(
        "fixed position",
        "sum(i, where(i == p and c(i), f(i), 0)) = where(c(p), f(p), 0), or 0 if p is no place of i's axis",
        fixed_position,
        where=(when("independent", "p", "i"),),
        decreases="bound indices",
        example="sum(i, where(i == 0, x[i], 0))",
        near_miss="sum(i, where(i > 0, x[i], 0))",
        roots=(Reduction,),
    ),
    ADD_WHERES,
)
