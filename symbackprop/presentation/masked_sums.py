"""Masks under sums: what one takes out of them, and the factor on which a mask stands."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeGuard

from symbackprop.integers.leaving_guards import is_readable_without
from symbackprop.notation.arithmetic import coefficient_and_rest, factors_of, is_sum, multiply
from symbackprop.notation.expressions import ZERO, Element, Expression, Number, Reduction, Where
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.premises import KnownRanges
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import contains_delta, needs_no_guard, when
from symbackprop.rules.stating import stated
from symbackprop.systems.partial import Ranges, is_partial


def out_of_masked_sum(node: Expression, ranges: Ranges) -> Expression | None:
    """sum(i, where(c, f*g, 0)*h) = f*sum(i, where(c, g, 0)*h), where f may be read though c is false."""
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, where in enumerate(factors):
        if isinstance(where, Where) and where.otherwise == ZERO:
            chosen = factors_of(where.chosen)
            outside = [
                factor
                for factor in chosen
                if factor.free_indices.isdisjoint(node.indices)
                and not isinstance(factor, Number)
                and not ranges.needs_its_mask(factor)
                and is_readable_without(factor, where.condition, ranges.axes)
            ]
            if outside:
                masked = Where(where.condition, multiply(*(f for f in chosen if f not in outside)), ZERO)
                body = multiply(*factors[:place], masked, *factors[place + 1 :])
                return multiply(node.with_children((body,)), *outside)
    return None


def on_the_smaller_factor(node: Expression, ranges: Ranges, masks: Collection[str] = ()) -> Reduction | None:
    """sum(s, g[t,s]*where(c, f[s,d], 0)) = sum(s, where(c, g[t,s], 0)*f[s,d]), a product of matrices.

    So is sum(s, where(c, g[t,s]*f[s,d], 0)). `masks` name conditions on indices. The mask stays on what may
    be infinite where c is false: g*where(c, f*h, 0) = g*where(c, h, 0)*f where h is an exponential.
    """
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, where in enumerate(factors):
        if isinstance(where, Where) and where.otherwise == ZERO and where.condition.tensors <= set(masks):
            beside = (*factors[:place], *factors[place + 1 :])
            chosen = factors_of(where.chosen)
            for at, factor in enumerate((*beside, *chosen)):
                left = [each for other, each in enumerate(chosen) if other + len(beside) != at]
                outside = [each for other, each in enumerate(beside) if other != at]
                if _is_smaller(factor, where) and all(
                    _moves_freely(each, where.condition, ranges) for each in left
                ):
                    masked = Where(where.condition, factor, ZERO)
                    return Reduction(node.kind, node.indices, multiply(masked, *outside, *left))
    return None


def _is_smaller(factor: Expression, where: Where) -> bool:
    """Whether a factor has all the axes that a condition on several speaks of, and fewer than its `where`."""
    about, own = where.condition.free_indices, factor.free_indices
    return (
        isinstance(factor, Element) and 1 < len(about) <= len(own) < len(where.free_indices) and about <= own
    )


def _moves_freely(factor: Expression, condition: Expression, ranges: Ranges) -> bool:
    """Whether a factor may leave a `where` that says nothing of its shifted positions: z[s,size(d) + d]."""
    if ranges.is_infinite(factor):
        return False
    if not isinstance(factor, Element) or ranges.is_undefined(factor):
        return needs_no_guard(factor, condition, ranges)
    apart = [each for each in factor.positions if each.free_indices & condition.free_indices]
    return needs_no_guard(Element(factor.tensor, tuple(apart)), condition, ranges)


def mask_around_terms(node: Expression) -> Expression | None:
    """sum(s, g[s]*where(t <= s, 1, 0)) = sum(s, where(t <= s, g[s], 0)): what is summed up, and where."""
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, where in enumerate(factors):
        if _is_mask_of_indices(where) and len(factors) > 1:
            others = multiply(*factors[:place], *factors[place + 1 :])
            number, rest = coefficient_and_rest(others)
            if rest and not is_partial(others) and not contains_delta(others):
                masked = Where(where.condition, multiply(*rest), ZERO)
                return node.with_children((multiply(Number(number), masked),))
    return None


def _is_mask_of_indices(factor: Expression) -> TypeGuard[Where]:
    return isinstance(factor, Where) and factor.is_indicator and not factor.condition.tensors


def masks_beside_terms(expression: Expression, _context: MeasureContext) -> int:
    """How many factors under sums are 1 where a condition on indices holds, and 0 elsewhere."""
    bodies = (node.body for node in expression.walk() if is_sum(node))
    return sum(_is_mask_of_indices(factor) for body in bodies for factor in factors_of(body))


def masked_sum_rules(ranges: Ranges) -> tuple[Rule, ...]:
    """The rule for a factor under a mask, where so much is known of the tensors."""
    return (
        stated(
            "factor out of masked sum",
            "sum(i, where(c, f*g, 0)*h) = f*sum(i, where(c, g, 0)*h)",
            lambda node: out_of_masked_sum(node, ranges),
            where=(
                when("independent", "f", "i"),
                when("not partial", "f"),
                when("readable", "f", "c"),
                when("defined when empty", "f", "i"),
            ),
            decreases="factors under sums",
            example="sum(i, where(x[i] > 0, x[i]*c, 0)*y[j])",
            near_miss="sum(i, where(x[i] > 0, x[i]/c, 0)*y[j])",
            premise=lambda node: KnownRanges.of(ranges, node.tensors),
            roots=(Reduction,),
        ),
        smaller_factor_rule(ranges),
    )


def smaller_factor_rule(ranges: Ranges) -> Rule:
    """The rule that puts a mask on the factor with fewer axes, where so much is known of the tensors."""
    return stated(
        "mask on the smaller factor",
        "sum(i, g*where(c, f, 0)) = sum(i, where(c, g*f, 0)) = sum(i, where(c, g, 0)*f)",
        lambda node: on_the_smaller_factor(node, ranges),
        where=(when("about indices", "c"), when("not partial", "f"), when("readable", "f", "c")),
        decreases="axes under wheres",
        example="sum(i, A[i,j]*where(i < j, B[j,k], 0))",
        near_miss="sum(i, A[i,j]*where(i < j, 1/B[j,k], 0))",
        premise=lambda node: KnownRanges.of(ranges, node.tensors),
        roots=(Reduction,),
    )


def smaller_factor_rule_by(premise: KnownRanges) -> Rule:
    """The rule again, by what it knew of the tensors."""
    return smaller_factor_rule(premise.ranges)


MASK_AROUND_TERMS = stated(
    "mask around terms",
    "sum(i, f*where(c, 1, 0)) = sum(i, where(c, f, 0))",
    mask_around_terms,
    where=(when("about indices", "c"), when("not partial", "f"), when("no delta", "f")),
    decreases="masks beside terms",
    example="sum(i, x[i]*where(i < j, 1, 0))",
    near_miss="sum(i, x[i]*where(x[i] > 1, 1, 0))",
    roots=(Reduction,),
)
