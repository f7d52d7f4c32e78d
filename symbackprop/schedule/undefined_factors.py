"""Deltas whose other factors may be undefined, and masks of sizes, as conditions.

    grad_x[i,n] = delta(n + 1,i)*f'(pad(x[n+1,n]))    for f(pad(x[n+1,n]))

has no term where the delta is 0, not even where f' is infinite, as it is for sqrt at the 0 of a pad: 0*inf is
not 0. Nor has delta(n,0)*sqrt(x[n]) one, which a user wrote. A delta with an index that a sum binds is
scattered.

    grad_p[c] = where(size(c) > 2, 1, 0)*sum(i, d[i]*delta(mod(i,size(c)),c))

is 0 where c has no places; the sum, which takes numbers modulo size(c), is not to be computed there.

    C[t,s] = where(s <= t, A[t,s]*exp(F[t] - F[s]), 0)

reads an exponential that may be infinite where s > t. The mask stands on that alone, C[t,s] =
A[t,s]*where(s <= t, exp(F[t] - F[s]), 0), so that the adjoints of all factors read one masked exponential.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.integers.bounds import conjunction
from symbackprop.integers.leaving_guards import is_readable_without
from symbackprop.notation.arithmetic import factors_of, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Comparison,
    Delta,
    Expression,
    Index,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.rewriting.premises import KnownRanges
from symbackprop.rewriting.rule import Rule, WholeRule
from symbackprop.rules.conditions import stated_where
from symbackprop.schedule.named_equations import NamedEquation, rewritten, rewritten_once, rewritten_whole
from symbackprop.systems.partial import Ranges


def with_deltas_as_conditions(items: Sequence[NamedEquation], ranges: Ranges) -> tuple[NamedEquation, ...]:
    """The equations with where(i == j, f, 0) for delta(i,j)*f with an f like 1/x.

    `ranges` are those of all tensors.
    """
    rule = delta_rule(ranges)
    return tuple([rewritten_whole(item, rule) for item in items])


def delta_rule(ranges: Ranges) -> WholeRule:
    """delta(i,j)*f = where(i == j, f, 0), where f may be undefined."""

    def apply(node: Expression) -> Expression | None:
        chosen = _Deltas(ranges).chosen(node, frozenset())
        return None if chosen == node else chosen

    return WholeRule(
        "delta as a condition",
        "delta(i,j)*f = where(i == j, f, 0), where f may be undefined and no sum binds i or j",
        apply,
        where=("f may be undefined", "no sum binds i or j"),
        example="delta(i,i2)*log(x[i])",
        near_miss="delta(i,i2)*x[i]",
        premise=lambda node: KnownRanges.of(ranges, node.tensors),
    )


def delta_rule_by(premise: KnownRanges) -> WholeRule:
    """The rule where so much is known of the tensors."""
    return delta_rule(premise.ranges)


@dataclass(frozen=True)
class _Deltas:
    ranges: Ranges

    def chosen(self, node: Expression, bound: frozenset[Index]) -> Expression:
        """The expression with conditions for deltas, but for those that a sum binds and has for factors."""
        if isinstance(node, Reduction) and node.kind == "sum":
            bound |= frozenset(node.indices)
        elif not isinstance(node, Multiply):
            bound = frozenset()  # the terms of delta(i,j)*f + g, and exp(delta(i,j)*f), are not scattered
        node = node.with_children(tuple([self.chosen(child, bound) for child in node.children]))
        if not isinstance(node, Multiply):
            return node
        deltas = [each for each in node.factors if isinstance(each, Delta) and not each.free_indices & bound]
        rest = multiply(*(factor for factor in node.factors if factor not in deltas))
        if not deltas or not self.ranges.is_undefined(rest):
            return node
        return Where(conjunction(list(map(_condition, deltas))), rest, ZERO)


def _condition(delta: Delta) -> Comparison:
    """i == p, the index first."""
    sides = (delta.left, delta.right)
    return Comparison("==", *(sides if isinstance(delta.left, Index) else sides[::-1]))


SIZE_MASK_CONDITIONS = ("c is about sizes alone", "f is not undefined")


def with_size_masks_as_conditions(
    items: Sequence[NamedEquation], ranges: Ranges
) -> tuple[NamedEquation, ...]:
    """The equations with where(c, f, 0) for f*where(c, 1, 0), where c is about sizes alone."""
    rule = size_mask_rule(ranges)
    return tuple([rewritten(item, (rule,)) for item in items])


def size_mask_rule(ranges: Ranges) -> Rule:
    """f*where(c, 1, 0) = where(c, f, 0), where c is about sizes alone and f is defined."""
    return Rule(
        "mask of sizes",
        stated_where("f*where(c, 1, 0) = where(c, f, 0)", SIZE_MASK_CONDITIONS),
        lambda node: _unmasked(node, ranges),
        where=SIZE_MASK_CONDITIONS,
        example="x[i]*where(size(j) > 2, 1, 0)",
        near_miss="log(x[i])*where(size(j) > 2, 1, 0)",
        premise=lambda node: KnownRanges.of(ranges, node.tensors),
        root_types=(Multiply,),
    )


def size_mask_rule_by(premise: KnownRanges) -> Rule:
    """The rule where so much is known of the tensors."""
    return size_mask_rule(premise.ranges)


def _unmasked(node: Expression, ranges: Ranges) -> Expression | None:
    if not isinstance(node, Multiply):
        return None
    masks = [each for each in node.factors if isinstance(each, Where) and _is_size_mask(each)]
    rest = [factor for factor in node.factors if factor not in masks]
    if not masks or not rest or any(map(ranges.is_undefined, rest)):
        return None
    return Where(conjunction([mask.condition for mask in masks]), multiply(*rest), ZERO)


INFINITE_CONDITIONS = ("f is finite and may be read though c is false", "g may be infinite")


def with_masks_on_what_may_be_infinite(
    items: Sequence[NamedEquation], ranges: Ranges
) -> tuple[NamedEquation, ...]:
    """The equations with f*where(c, g, 0) for where(c, f*g, 0), where g alone may overflow."""
    rule = infinite_rule(ranges)
    return tuple([rewritten_once(item, (rule,)) for item in items])


def infinite_rule(ranges: Ranges) -> Rule:
    """where(c, f*g, 0) = f*where(c, g, 0), where g alone may be infinite."""
    return Rule(
        "mask on what may be infinite",
        stated_where("where(c, f*g, 0) = f*where(c, g, 0)", INFINITE_CONDITIONS),
        lambda node: _masked_infinite(node, ranges),
        where=INFINITE_CONDITIONS,
        example="where(i < i2, x[i]*exp(x[i2]), 0)",
        near_miss="where(i < i2, x[i]*exp(-x[i2]^2), 0)",
        premise=lambda node: KnownRanges.of(ranges, node.tensors),
        root_types=(Where,),
    )


def infinite_rule_by(premise: KnownRanges) -> Rule:
    """The rule where so much is known of the tensors."""
    return infinite_rule(premise.ranges)


def _masked_infinite(node: Expression, ranges: Ranges) -> Expression | None:
    if not (isinstance(node, Where) and node.otherwise == ZERO and ranges.is_infinite(node.chosen)):
        return None
    if any(name not in ranges.axes for name in node.tensors):
        return None  # a temporary, of which nothing is known
    factors = factors_of(node.chosen)
    free = [
        each
        for each in factors
        if not ranges.needs_its_mask(each) and is_readable_without(each, node.condition, ranges.axes)
    ]
    if not free or node.is_indicator:
        return None
    inside = (each for each in factors if each not in free)
    return multiply(*free, Where(node.condition, multiply(*inside), ZERO))


def _is_size_mask(node: Where) -> bool:
    condition = node.condition
    is_about_sizes = not condition.free_indices and not condition.tensors
    return is_about_sizes and node.is_indicator
